#include "explain/seen.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "base/check.h"
#include "tensor/shape_format.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

std::string named(const SeenAttention& seen) { return "'" + shortened(printable(seen.name), 60) + "'"; }

const SeenText& text_at(const Seen& seen, size_t index, const std::string& who) {
  check(index < seen.texts.size(), "seen", "{} is of text {}, but there are {}", who, index, seen.texts.size());
  return seen.texts[index];
}

int64_t length(const SeenText& text) { return static_cast<int64_t>(text.tokens.size()); }

void check_shape(const Seen& seen, const SeenAttention& each) {
  const SeenText &queries = text_at(seen, each.queries, named(each)), &keys = text_at(seen, each.keys, named(each));
  const Shape& shape = each.weights.shape();
  check(shape.rank() == 3 && shape[0] > 0, "seen", "{} has shape {}, wanted (heads, queries, keys)", named(each),
        shape);
  check(shape[1] == length(queries) && shape[2] == length(keys), "seen",
        "{} has shape {}, but '{}' has {} tokens and '{}' has {}: wanted (heads, {}, {})", named(each), shape,
        printable(queries.name), length(queries), printable(keys.name), length(keys), length(queries), length(keys));
}

void check_vectors(const SeenAttention& each) {
  check(each.q.defined() == each.k.defined(), "seen", "{} has {} without {}", named(each), each.q.defined() ? "q" : "k",
        each.q.defined() ? "k" : "q");
  if (!each.q.defined()) return;
  const Shape &w = each.weights.shape(), &q = each.q.shape(), &k = each.k.shape();
  const bool fit = q.rank() == 3 && k.rank() == 3 && q[0] == w[0] && k[0] == w[0] && q[1] == w[1] && k[1] == w[2] &&
                   q[2] == k[2] && q[2] > 0;
  check(fit, "seen", "q {} and k {} do not belong to weights {} of {}", q, k, w, named(each));
  for (const Tensor& x : {each.q, each.k})
    for (const float value : x.packed().to(Dtype::f32).span<float>())
      check(std::isfinite(value), "seen", "q and k of {} hold {}", named(each), value);
}

void check_weights(const SeenAttention& each) {
  const Tensor weights = each.weights.packed().to(Dtype::f32);
  const Shape& shape = weights.shape();
  const std::span<const float> values = weights.span<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const auto at = static_cast<int64_t>(i);
    fail(ErrorKind::usage, "seen", "{} holds {} at head {}, query {}, key {}: weights are finite", named(each),
         values[i], at / (shape[1] * shape[2]), at / shape[2] % shape[1], at % shape[2]);
  }
}

void check_scores(const Seen& seen, const SeenScores& each) {
  const std::string who = "method '" + printable(each.method) + "'";
  const SeenText& text = text_at(seen, each.text, who);
  check(each.values.size() == text.tokens.size(), "seen", "{} has {} values for the {} tokens of '{}'", who,
        each.values.size(), text.tokens.size(), printable(text.name));
  for (const float value : each.values) check(std::isfinite(value), "seen", "{} holds {}", who, value);
}

constexpr size_t kMostAnswers = 100;  // no beam is as wide

void check_answer(const SeenAnswer& each) {
  check(!each.tokens.empty() && each.log_probabilities.size() == each.tokens.size(), "seen",
        "an answer has {} log-probabilities for its {} tokens", each.log_probabilities.size(), each.tokens.size());
  for (const float value : each.log_probabilities)
    check(std::isfinite(value) && value <= 0, "seen", "an answer holds the log-probability {}", value);
  check(std::isfinite(each.score), "seen", "an answer has the score {}", each.score);
}

// "attention, decoder.1.cross, mean of 4" without what stands behind its comma.
std::string short_name(const SeenScores& scores) { return scores.method.substr(0, scores.method.find(',')); }

}  // namespace

std::string figures_of(const SeenScores& scores) {
  std::string text =
      fmt::format("comprehensiveness {:.3f}, sufficiency {:.3f}", scores.comprehensiveness, scores.sufficiency);
  if (scores.completeness_error) text += fmt::format(", completeness error {:.2g}", *scores.completeness_error);
  return text;
}

std::string counterfactuals_of(const Seen& seen) {
  if (seen.counterfactuals.empty()) return "";
  return fmt::format("With other weights in a layer {}, {:.3g}, becomes:", seen.figure, seen.counterfactuals[0].before);
}

std::string agreement_of(const Seen& seen) {
  std::vector<std::string> pairs;
  for (const SeenScores& scores : seen.scores)
    for (size_t n = 0; n < scores.agreement.size(); ++n)
      pairs.push_back(
          fmt::format("{} and {} {:.2f}", short_name(scores), short_name(seen.scores[n]), scores.agreement[n]));
  if (pairs.empty()) return "";
  return fmt::format(
      "How alike they order the words, Kendall's τ (1 the same order, 0 no relation, -1 the reverse): {}.",
      fmt::join(pairs, "; "));
}

void check_whole(const Seen& seen) {
  for (const SeenText& text : seen.texts)
    check(!text.tokens.empty(), "seen", "text '{}' has no tokens", printable(text.name));
  for (const SeenAttention& each : seen.attention) check_shape(seen, each), check_weights(each), check_vectors(each);
  for (const SeenScores& each : seen.scores) check_scores(seen, each);
  check(seen.answers.size() <= kMostAnswers, "seen", "there are {} answers, wanted {} or less", seen.answers.size(),
        kMostAnswers);
  for (const SeenAnswer& each : seen.answers) check_answer(each);
}

}  // namespace heed::explain
