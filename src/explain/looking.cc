#include "explain/looking.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "base/check.h"

namespace heed::explain {

const char* const kCaution =
    "Attention is where the model looked, not why it answered: a word that was looked at need not have mattered, and "
    "what mattered may have come by another way. Believe neither picture further than its figures reach.";

namespace {

std::optional<size_t> number_in(const std::string& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// "decoder.2.cross" without its number.
std::string kind_of(std::string place) {
  std::erase_if(place, [](char c) { return c >= '0' && c <= '9'; });
  return place;
}

// Of the places that look at the words the one that is asked for; nothing where there is none.
std::string chosen_place(const std::vector<std::string>& places, const std::string& layer) {
  if (places.empty()) {
    check(layer.empty(), "layer", "there is no layer {}: this model has no attention to these words", layer);
    return "";
  }
  if (layer.empty()) return places.back();
  if (std::find(places.begin(), places.end(), layer) != places.end()) return layer;
  // A number counts those of the last one's kind.
  std::vector<std::string> alike;
  std::copy_if(places.begin(), places.end(), std::back_inserter(alike),
               [&](const std::string& place) { return kind_of(place) == kind_of(places.back()); });
  const auto number = number_in(layer);
  check(number && *number < alike.size(), "layer",
        "there is no {} that looks at these words, only {}; or 0 to {} for {}", layer, fmt::join(places, ", "),
        alike.size() - 1, fmt::join(alike, ", "));
  return alike[*number];
}

// Weights (H,T,S) of a place as one matrix.
Tensor chosen_head(const Tensor& weights, int64_t head, const std::string& place) {
  if (head == -1) return mean(weights, {0});
  check(head >= 0 && head < weights.dim(0), "head", "there is no head {} in {}, which has {}, counted from 0", head,
        place, weights.dim(0));
  return weights[head];
}

// Queries and keys, where they are of one width. Heads of a group share their keys.
SeenAttention with_vectors(SeenAttention attention, const Recorder& recorder) {
  std::vector<Tensor> queries;
  for (const Recorder::Read& each : recorder.read(attention.name)) queries.push_back(each.q[0]);
  const Tensor q = concat(queries, 1), k = recorder.read(attention.name).back().k[0];
  if (q.dim(2) != k.dim(2)) return attention;
  const Shape keys = {q.dim(0), k.dim(1), k.dim(2)};
  attention.q = q;
  attention.k = reshape(expand(unsqueeze(k, 1), {k.dim(0), q.dim(0) / k.dim(0), k.dim(1), k.dim(2)}), keys);
  return attention;
}

Tensor rows_of_parts(const Tensor& weights, Sides::Rows rows, int64_t parts) {
  switch (rows) {
    case Sides::Rows::first: return slice(weights, 0, 0, parts);
    case Sides::Rows::last: return slice(weights, 0, weights.dim(0) - parts, weights.dim(0));
    case Sides::Rows::all: break;
  }
  return mean(weights, {0}, true);
}

Tensor saliency(const Question& question, Saliency method) {
  switch (method) {
    case Saliency::gradients: return input_gradients(question);
    case Saliency::input_gradients: return gradient_times_input(question);
    case Saliency::integrated: return integrated_gradients(question).scores;
    case Saliency::occlusion: break;
  }
  return occlusion(question);
}

std::string name_of(Saliency method) {
  switch (method) {
    case Saliency::gradients: return "gradients";
    case Saliency::input_gradients: return "gradients × input";
    case Saliency::integrated: return "integrated gradients";
    case Saliency::occlusion: break;
  }
  return "occlusion";
}

class Looker {
 public:
  Looker(Seen& seen, const Question& question, size_t words, size_t answer)
      : seen_(seen), question_(question), words_(words), answer_(answer) {}

  void add(const std::string& method, const Tensor& each) {
    const Tensor scores = mean(each, {0});
    const Faithfulness f = faithfulness(question_, scores);
    SeenScores all{.method = method,
                   .text = words_,
                   .comprehensiveness = f.comprehensiveness,
                   .sufficiency = f.sufficiency,
                   .of = answer_,
                   .each = in_the_text(each)};
    for (const double value : in_the_text(scores).values()) all.values.push_back(static_cast<float>(value));
    if (!seen_.scores.empty() && question_.count > 1) all.agreement = kendall_tau(first_, scores);
    if (seen_.scores.empty()) first_ = scores;
    seen_.scores.push_back(std::move(all));
  }

 private:
  // Of all tokens of the text: those in front that are no words have 0.
  Tensor in_the_text(const Tensor& scores) const {
    return pad(scores, {{std::ssize(seen_.texts[words_].tokens) - question_.count, 0}});
  }

  Seen& seen_;
  const Question& question_;
  size_t words_, answer_;
  Tensor first_;
};

}  // namespace

void look(Seen& seen, const Question& question, const LookOptions& options, const SidesOf& sides, size_t words,
          size_t answer) {
  Recorder recorder({.vectors = true});
  int64_t parts = 0;
  {
    const NoGrad scope;
    parts = question.answer(1, recorder).dim(1);
  }
  std::vector<std::string> places;
  for (const std::string& place : recorder.attentions()) {
    const Sides of = sides(place);
    seen.attention.push_back(with_vectors({place, of.queries, of.keys, recorder.weights(place)[0], {}, {}}, recorder));
    if (of.keys == words) places.push_back(place);
  }
  Looker looker(seen, question, words, answer);
  if (const std::string place = chosen_place(places, options.layer); !place.empty()) {
    const Tensor weights = recorder.weights(place)[0];
    const Tensor matrix = rows_of_parts(chosen_head(weights, options.head, place), sides(place).rows, parts);
    const std::string which =
        options.head == -1 ? fmt::format("mean of {}", weights.dim(0)) : fmt::format("head {}", options.head);
    const int64_t keys = matrix.dim(1);
    looker.add(fmt::format("attention, {}, {}", place, which), slice(matrix, 1, keys - question.count, keys));
  }
  looker.add(name_of(options.method), saliency(question, options.method));
}

std::vector<SeenStep> steps_of(const Tensor& logits, const std::vector<int32_t>& ids, int64_t most,
                               const std::function<std::string(int32_t)>& name) {
  const NoGrad scope;
  const Tensor said = log_softmax(logits), all = exp(said);
  const Ordered best = topk(all, std::min(most, all.dim(1)));
  const std::vector<double> entropies = (-sum(where(equal(all, 0), 0.0, all * said), {1})).values();
  std::vector<SeenStep> steps;
  for (size_t t = 0; t < ids.size(); ++t) {
    const auto row = static_cast<int64_t>(t);
    steps.push_back({name(ids[t]), all.value({row, ids[t]}), entropies[t]});
    for (int64_t n = 0; n < best.values.dim(1); ++n)
      steps.back().alternatives.push_back(
          {name(static_cast<int32_t>(best.indices.at<int64_t>({row, n}))), best.values.value({row, n})});
  }
  return steps;
}

}  // namespace heed::explain
