#include "explain/seen_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace heed::explain {
namespace {

TEST(SeenJson, SaysWhatWasSeen) {
  const Tensor weights = tensor({{1, 0}, {0.25, 0.75}});
  const Seen seen{.title = "a b → x \xff",
                  .model = "transformer",
                  .texts = {{"source", {"a", "b"}}, {"target", {"x", "y"}}},
                  .attention = {{"encoder.0.self", 0, 0, stack({weights}, 0), {}, {}},
                                {"decoder.0.cross", 1, 0, stack({weights}, 0), {}, {}}},
                  .scores = {{"attention", 0, {0.625f, 0.375f}, 0.5, 0.125, {}, 1, weights}},
                  .steps = {{"x", 0.5, 0.25, {{"x", 0.5}}}},
                  .answers = {{{"x", "y"}, {-0.5F, -0.25F}, -0.375}}};
  const auto json = nlohmann::json::parse(seen_json(seen));
  EXPECT_EQ(json["texts"][1]["tokens"][0], "x");
  EXPECT_EQ(json["attention"][1]["weights"][0][1][1], 0.75);
  EXPECT_EQ(json["attention"][0]["heads"][0]["kind"], "diagonal");
  EXPECT_EQ(json["attention"][0]["heads"][0]["distance"], 0.125);
  EXPECT_FALSE(json["attention"][1]["heads"][0].contains("kind"));
  EXPECT_EQ(json["scores"][0]["values"][1], 0.375);
  EXPECT_EQ(json["scores"][0]["alignment"], "0-0 1-1");
  EXPECT_EQ(json["scores"][0]["sufficiency"], 0.125);
  EXPECT_EQ(json["steps"][0]["alternatives"][0]["token"], "x");
  EXPECT_EQ(json["answers"][0]["log_probabilities"][1], -0.25);
  EXPECT_EQ(json["answers"][0]["score"], -0.375);
  EXPECT_FALSE(json["attention"][0].contains("q"));
  EXPECT_FALSE(json["caution"].get<std::string>().empty());
}

TEST(SeenJson, QueriesAndKeysWhereTheyAreWanted) {
  const Tensor weights = Tensor::full({1, 1, 2}, 0.5), q = tensor_from<float>({1, -2, 3}, {1, 1, 3}),
               k = tensor_from<float>({0.5, 0, 0, 0, 0, 0.25}, {1, 2, 3});
  const Seen seen{.title = "t",
                  .model = "m",
                  .texts = {{"source", {"a", "b"}}, {"target", {"x"}}},
                  .attention = {{"cross", 1, 0, weights, q, k}, {"other", 1, 0, weights, {}, {}}}};
  const auto json = nlohmann::json::parse(seen_json(seen, Vectors::with));
  EXPECT_EQ(json["attention"][0]["q"][0][0][1], -2);
  EXPECT_EQ(json["attention"][0]["k"][0][1][2], 0.25);
  EXPECT_FALSE(json["attention"][1].contains("q"));
}

}  // namespace
}  // namespace heed::explain
