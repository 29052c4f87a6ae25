#include "explain/looking.h"

#include <algorithm>

#include "base/check.h"
#include "explain/seen_words.h"
#include "models/configuration.h"

namespace heed::explain {

const char* const kCaution =
    "Attention is where the model looked, not why it answered: a word that was looked at need not have mattered, and "
    "what mattered may have come by another way. Believe neither picture further than its figures reach.";

namespace {

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

// Attention first, where there is any; then what was asked for, each once, and something besides attention in any case.
std::vector<Saliency> in_order(const std::vector<Saliency>& asked, bool has_attention) {
  std::vector<Saliency> order;
  const auto add = [&](Saliency method) {
    if (std::find(order.begin(), order.end(), method) == order.end()) order.push_back(method);
  };
  if (has_attention) add(Saliency::attention);
  for (const Saliency method : asked) add(method);
  if (order == std::vector{Saliency::attention}) add(Saliency::gradients);
  return order;
}

class Looker {
 public:
  Looker(Seen& seen, const Question& question, size_t words, size_t answer)
      : seen_(seen), question_(question), words_(words), answer_(answer) {}

  void add(const Measured& measured) {
    const Tensor scores = mean(measured.each, {0});
    const Faithfulness f = faithfulness(question_, scores);
    SeenScores all{.method = measured.method,
                   .text = words_,
                   .comprehensiveness = f.comprehensiveness,
                   .sufficiency = f.sufficiency,
                   .of = answer_,
                   .each = in_the_text(measured.each),
                   .completeness_error = measured.completeness_error};
    for (const double value : in_the_text(scores).values()) all.values.push_back(static_cast<float>(value));
    if (question_.count > 1)
      for (const Tensor& before : before_) all.agreement.push_back(kendall_tau(before, scores));
    before_.push_back(scores);
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
  std::vector<Tensor> before_;
};

void add_importance(Seen& seen, const Question& question) {
  const std::vector<HeadImportance> all = head_importance(question);
  for (SeenAttention& attention : seen.attention)
    for (const HeadImportance& each : all)
      if (each.place == attention.name) attention.importance = each.lost;
}

void add_counterfactuals(Seen& seen, const Inquiry& inquiry, const std::vector<OtherWeights>& asked) {
  seen.figure = inquiry.figure;
  for (const Counterfactual& each : counterfactuals(inquiry.why))
    for (const OtherWeights weights : asked)
      seen.counterfactuals.push_back({each.place, field_text(weights), each.as_it_was,
                                      weights == OtherWeights::shuffled ? each.shuffled : each.uniform});
}

}  // namespace

void look(Seen& seen, const Inquiry& inquiry, const LookOptions& options, const SidesOf& sides, size_t words,
          size_t answer) {
  const Question& question = inquiry.why;
  Recorder recorder({.vectors = true});
  int64_t parts = 0;
  {
    const NoGrad scope;
    parts = inquiry.shown.answer(1, recorder).dim(1);
  }
  std::vector<std::string> places;
  for (const std::string& place : recorder.attentions()) {
    const Sides of = sides(place);
    seen.attention.push_back(
        with_vectors({place, of.queries, of.keys, recorder.weights(place)[0], {}, {}, {}}, recorder));
    if (of.keys == words) places.push_back(place);
  }
  const Look look{question, recorder, sides, words, parts, chosen_place(places, options.layer), options.head};
  Looker looker(seen, question, words, answer);
  for (const Saliency method : in_order(options.method, !look.place.empty())) looker.add(measured(method, look));
  if (options.heads) add_importance(seen, question);
  if (!options.counterfactual.empty()) add_counterfactuals(seen, inquiry, options.counterfactual);
  if (options.words) seen = with_words(seen);
}

Seen heads_of(const Question& question) {
  const NoGrad scope;
  Recorder recorder;
  question.answer(1, recorder);
  Seen seen;
  for (const std::string& place : recorder.attentions())
    seen.attention.push_back({place, 0, 0, recorder.weights(place)[0], {}, {}, {}});
  add_importance(seen, question);
  return seen;
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
