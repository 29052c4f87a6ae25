#include "explain/seen_json.h"

#include <heed/explain.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "explain/looking.h"

namespace heed::explain {
namespace {

using Json = nlohmann::json;

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

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
  Json heads = Json::array();
  for (size_t h = 0; h < entropy.size(); ++h) {
    heads.push_back({{"entropy", rounded(entropy[h])}, {"distance", rounded(distance[h])}});
    if (attention.queries != attention.keys) continue;
    const HeadKind kind =
        head_kinds(attention.weights[static_cast<int64_t>(h)], seen.texts[attention.keys].tokens).at(0);
    heads.back()["kind"] = kind.name, heads.back()["strength"] = rounded(kind.strength);
  }
  return heads;
}

Json scores_json(const SeenScores& scores) {
  Json json = {{"method", scores.method},
               {"text", scores.text},
               {"of", scores.of},
               {"values", scores.values},
               {"comprehensiveness", rounded(scores.comprehensiveness)},
               {"sufficiency", rounded(scores.sufficiency)},
               {"agreement", rounded(scores.agreement)}};
  if (scores.each.defined()) json["each"] = array_of(scores.each);
  if (scores.is_matrix()) json["alignment"] = pharaoh(links(scores.each));
  return json;
}

Json step_json(const SeenStep& step) {
  Json json = {{"token", step.token}, {"probability", rounded(step.probability)}, {"entropy", rounded(step.entropy)}};
  json["alternatives"] = Json::array();
  for (const auto& each : step.alternatives)
    json["alternatives"].push_back({{"token", each.token}, {"probability", rounded(each.probability)}});
  return json;
}

}  // namespace

nlohmann::ordered_json described(const Seen& seen) {
  nlohmann::ordered_json json = {{"title", seen.title}, {"model", seen.model}};
  json["texts"] = json["scores"] = json["steps"] = nlohmann::ordered_json::array();
  for (const SeenText& text : seen.texts) json["texts"].push_back({{"name", text.name}, {"tokens", text.tokens}});
  for (const SeenScores& each : seen.scores)
    json["scores"].push_back({{"method", each.method},
                              {"text", each.text},
                              {"values", each.values},
                              {"comprehensiveness", each.comprehensiveness},
                              {"sufficiency", each.sufficiency}});
  for (const SeenStep& step : seen.steps) {
    nlohmann::ordered_json others = nlohmann::ordered_json::array();
    for (const auto& [token, probability] : step.alternatives)
      others.push_back({{"token", token}, {"probability", probability}});
    json["steps"].push_back({{"token", step.token},
                             {"probability", step.probability},
                             {"entropy", step.entropy},
                             {"alternatives", std::move(others)}});
  }
  return json;
}

std::string seen_json(const Seen& seen) {
  Json json = {{"title", seen.title}, {"model", seen.model}, {"caution", kCaution}};
  for (const SeenText& text : seen.texts) json["texts"].push_back({{"name", text.name}, {"tokens", text.tokens}});
  json["attention"] = json["scores"] = json["steps"] = Json::array();
  for (const SeenAttention& each : seen.attention)
    json["attention"].push_back({{"name", each.name},
                                 {"queries", each.queries},
                                 {"keys", each.keys},
                                 {"heads", heads_json(seen, each)},
                                 {"weights", array_of(each.weights)}});
  for (const SeenScores& each : seen.scores) json["scores"].push_back(scores_json(each));
  for (const SeenStep& each : seen.steps) json["steps"].push_back(step_json(each));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace heed::explain
