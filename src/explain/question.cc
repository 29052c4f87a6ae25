#include <heed/explain.h>

#include "base/check.h"

namespace heed {
namespace {

using Ids = std::vector<int32_t>;

Sentences copied(const Ids& ids, int64_t copies) { return pad(std::vector<Ids>(static_cast<size_t>(copies), ids)); }

// Of features (B,T,W) at their last places, the log-probabilities of what comes next: (B,n).
Tensor of_next(const SequenceModel& model, const Tensor& features, const Ids& next) {
  const int64_t copies = features.dim(0), parts = std::ssize(next), places = features.dim(1);
  const Tensor said = log_softmax(model.read_out(slice(features, 1, places - parts, places)));
  const Tensor ids = reshape(to(tensor_from(next, {parts}), Dtype::i64), {1, parts, 1});
  return squeeze(gather(said, 2, expand(ids, {copies, parts, 1})), 2);
}

// log σ(x) = −log(1 + e^−x)
Tensor read(const Tensor& logits, Reading reading) {
  switch (reading) {
    case Reading::one_label: return log_softmax(logits);
    case Reading::each_label: return -softplus(-logits);
    case Reading::number: break;
  }
  return logits;
}

}  // namespace

Question ask(const SequenceModel& model, const std::vector<int32_t>& source, const std::vector<int32_t>& target) {
  check(model.has_source(), "ask", "{} reads no source", model.name());
  check(!source.empty() && target.size() > 1, "ask", "there is nothing to ask: {} tokens of source, {} of target",
        source.size(), target.size());
  const Ids said(target.begin(), target.end() - 1), next(target.begin() + 1, target.end());
  return {"source.words", std::ssize(source), [&model, source, said, next](int64_t copies, Watcher& watcher) {
            const Decoded decoded = model.forward(copied(source, copies), copied(said, copies), {.watcher = &watcher});
            return of_next(model, decoded.features, next);
          }};
}

Question ask(const SequenceModel& model, const std::vector<int32_t>& text, int64_t first) {
  check(!model.has_source(), "ask", "{} reads a source: it wants one and a target", model.name());
  check(first > 0 && first < std::ssize(text), "ask", "a text of {} tokens does not go on from token {}", text.size(),
        first);
  const Ids read(text.begin(), text.end() - 1), next(text.begin() + first, text.end());
  return {"text.words", std::ssize(read), [&model, read, next](int64_t copies, Watcher& watcher) {
            const Sentences nothing{Tensor({copies, 0}, Dtype::i64), Tensor::zeros({copies}, Dtype::i64)};
            const Decoded decoded = model.forward(nothing, copied(read, copies), {.watcher = &watcher});
            return of_next(model, decoded.features, next);
          }};
}

Question ask(const TextClassifier& model, const std::vector<int32_t>& text, int64_t label, Reading reading) {
  check(!text.empty(), "ask", "there is nothing to ask: the text has no tokens");
  return {"text.words", std::ssize(text),
          [&model, text, label, reading](int64_t copies, Watcher& watcher) {
            const Tensor logits = model.forward(copied(text, copies), {.watcher = &watcher}).logits;
            check(label >= 0 && label < logits.dim(1), "ask", "there is no label {} among {}", label, logits.dim(1));
            return slice(read(logits, reading), 1, label, label + 1);
          },
          reading == Reading::number ? Question::Scale::number : Question::Scale::log_probability};
}

Question contrast(const Question& why, const Question& and_not) {
  check(why.words == and_not.words && why.count == and_not.count, "contrast",
        "the two questions are of {} and {} words at {} and {}", why.count, and_not.count, why.words, and_not.words);
  return {why.words, why.count,
          [why, and_not](int64_t copies, Watcher& watcher) {
            return why.answer(copies, watcher) - and_not.answer(copies, watcher);
          },
          Question::Scale::number};
}

}  // namespace heed
