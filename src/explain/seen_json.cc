#include "explain/seen_json.h"

#include <heed/explain.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "explain/head_map.h"
#include "explain/looking.h"

namespace heed::explain {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) { return std::round(value * 1e6) / 1e6; }
template <class Value>
std::vector<double> rounded(const std::vector<Value>& values) {
  std::vector<double> all;
  for (const Value value : values) all.push_back(rounded(static_cast<double>(value)));
  return all;
}

Json array_of(const Tensor& x) {
  if (x.rank() == 0) return rounded(x.item());
  Json all = Json::array();
  for (int64_t n = 0; n < x.dim(0); ++n) all.push_back(array_of(x[n]));
  return all;
}

// What each head does; of a text's attention to itself also what it is like.
Json heads_json(const Seen& seen, const SeenAttention& attention) {
  const std::vector<double> entropy = head_entropy(attention.weights).values(),
                            distance = head_distance(attention.weights).values();
  const std::vector<HeadKind> kinds = kinds_of(seen, attention);
  Json heads = Json::array();
  for (size_t h = 0; h < entropy.size(); ++h) {
    heads.push_back({{"entropy", rounded(entropy[h])}, {"distance", rounded(distance[h])}});
    if (!attention.importance.empty()) heads.back()["importance"] = rounded(attention.importance[h]);
    if (kinds.empty()) continue;
    heads.back()["kind"] = kinds[h].name, heads.back()["strength"] = rounded(kinds[h].strength);
  }
  return heads;
}

Json attention_json(const Seen& seen, const SeenAttention& attention, Vectors vectors) {
  Json json = {{"name", attention.name},
               {"queries", attention.queries},
               {"keys", attention.keys},
               {"heads", heads_json(seen, attention)},
               {"weights", array_of(attention.weights)}};
  if (vectors == Vectors::with && attention.q.defined())
    json["q"] = array_of(attention.q), json["k"] = array_of(attention.k);
  return json;
}

Json scores_json(const SeenScores& scores) {
  Json json = {{"method", scores.method},
               {"text", scores.text},
               {"of", scores.of},
               {"values", rounded(scores.values)},
               {"comprehensiveness", rounded(scores.comprehensiveness)},
               {"sufficiency", rounded(scores.sufficiency)},
               {"agreement", rounded(scores.agreement)}};
  if (scores.completeness_error) json["completeness_error"] = rounded(*scores.completeness_error);
  return json;
}

Json step_json(const SeenStep& step) {
  Json json = {{"token", step.token},
               {"probability", rounded(step.probability)},
               {"entropy", rounded(step.entropy)},
               {"alternatives", Json::array()}};
  for (const auto& [token, probability] : step.alternatives)
    json["alternatives"].push_back({{"token", token}, {"probability", rounded(probability)}});
  return json;
}

Json answer_json(const SeenAnswer& answer) {
  return {{"tokens", answer.tokens},
          {"log_probabilities", rounded(answer.log_probabilities)},
          {"score", rounded(answer.score)}};
}

Json counterfactual_json(const SeenCounterfactual& each) {
  return {{"layer", each.layer},
          {"weights", each.weights},
          {"before", rounded(each.before)},
          {"after", rounded(each.after)}};
}

}  // namespace

Json described(const Seen& seen) {
  Json json = {{"title", seen.title}, {"model", seen.model}};
  json["texts"] = json["scores"] = json["steps"] = json["answers"] = Json::array();
  for (const SeenText& text : seen.texts) json["texts"].push_back({{"name", text.name}, {"tokens", text.tokens}});
  for (const SeenScores& each : seen.scores) json["scores"].push_back(scores_json(each));
  for (const SeenStep& each : seen.steps) json["steps"].push_back(step_json(each));
  for (const SeenAnswer& each : seen.answers) json["answers"].push_back(answer_json(each));
  if (!seen.counterfactuals.empty()) json["figure"] = seen.figure;
  for (const SeenCounterfactual& each : seen.counterfactuals)
    json["counterfactuals"].push_back(counterfactual_json(each));
  return json;
}

std::string seen_json(const Seen& seen, Vectors vectors) {
  Json json = described(seen);
  json["caution"] = kCaution;
  json["attention"] = Json::array();
  for (const SeenAttention& each : seen.attention) json["attention"].push_back(attention_json(seen, each, vectors));
  for (size_t n = 0; n < seen.scores.size(); ++n) {
    const SeenScores& scores = seen.scores[n];
    if (scores.each.defined()) json["scores"][n]["each"] = array_of(scores.each);
    if (scores.is_matrix()) json["scores"][n]["alignment"] = pharaoh(links(scores.each));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace heed::explain
