#include "support/seen.h"

#include <heed/ops.h>

#include <cmath>

namespace heed::testing {

using explain::Chart;
using explain::Curve;
using explain::Seen;

Seen translation() {
  const Tensor attention = tensor({{0.8, 0.1, 0.1, 0}, {0.02, 0.3, 0.6, 0.08}, {0, 0, 0.25, 0.75}});
  const Tensor gradients = tensor({{0.5, 0.25, 0, 0}, {0, 1, 2, 0}, {0, 0, 0, 4}});
  return {
      .title = "三月 5日 → 03-05",
      .model = "transformer",
      .texts = {{"source", {"三月", "5", "日", "</s>"}}, {"target", {"03", "-05", "</s>"}}},
      .scores =
          {{"attention, decoder.1.cross, mean of 4", 0, {0.27f, 0.13f, 0.32f, 0.28f}, 0.312, 0.05, {}, 1, attention},
           {"gradients", 0, {0.17f, 0.42f, 0.67f, 1.33f}, 0.401, 0.04, {0.667}, 1, gradients}},
      .steps = {{"03", 0.9, 0.3, {{"03", 0.9}, {"05", 0.06}}},
                {"-05", 0.75, 0.8, {{"-05", 0.75}, {"-06", 0.2}}},
                {"</s>", 0.999, 0.01, {{"</s>", 0.999}}}}};
}

Seen classification() {
  return {.title = "a dull film with a good end → negative",
          .model = "attention-classifier",
          .texts = {{"text", {"a", "dull", "film", "with", "a", "good", "end"}}, {"answer", {"negative"}}},
          .scores = {{"attention, pooling, mean of 1", 0, {0.01f, 0.6f, 0.1f, 0.02f, 0.01f, 0.2f, 0.06f}, 0.4, 0.1},
                     {"gradients × input", 0, {0, 1.5f, 0.2f, 0, 0, -0.7f, -0.1f}, 0.5, 0.02, {0.4}}},
          .steps = {{"negative", 0.8, 0.5, {{"negative", 0.8}, {"positive", 0.2}}}}};
}

Seen heads() {
  Seen seen = translation();
  const Tensor self = tensor({{1, 0, 0, 0}, {0.75, 0.25, 0, 0}, {0, 0.9, 0.1, 0}, {0, 0, 1, 0}});
  const Tensor cross = seen.scores[0].each;
  seen.attention = {{"encoder.0.self", 0, 0, stack({self, transpose(self)}, 0), {}, {}, {0.75, -0.2}},
                    {"decoder.0.cross", 1, 0, stack({cross, cross * 0.5 + 0.125}, 0), {}, {}, {1.5, 0}}};
  seen.figure = "the answer's probability";
  seen.counterfactuals = {{"decoder.0.cross", "shuffled", 0.912, 0.31}, {"decoder.0.cross", "uniform", 0.912, 0.12}};
  seen.scores.push_back(seen.scores[1]);
  seen.scores[2].method = "integrated gradients", seen.scores[2].agreement = {0.333, 0.5};
  seen.scores[2].completeness_error = 0.0012;
  return seen;
}

Seen what_comes_next() {
  return {.title = "天空是 → 蓝色",
          .model = "decoder-lm",
          .texts = {{"text", {"<s>", "天空", "是"}}, {"next", {"蓝色"}}},
          .scores = {{"attention, decoder.1.self, mean of 2", 0, {0.1f, 0.7f, 0.2f}, 0.3, 0.1},
                     {"gradients", 0, {0, 1.5f, 0.75f}, 0.4, 0.05, {1}}},
          .steps = {{"蓝色",
                     0.55,
                     1.2,
                     {{"蓝色", 0.55}, {"灰", 0.25}, {"一个很长很长很长的词", 0.1}, {"blue", 0.06}, {"\t", 0.04}}}}};
}

Seen signed_scores() {
  Seen seen = translation();
  const Tensor each = tensor({{0.5, -0.25, 0, 0}, {0, 1, -2, 0}, {0.3, 0, 0, 4}});
  seen.scores[1] = {"gradients × input", 0, {0.27f, 0.25f, -0.67f, 1.33f}, 0.401, 0.04, {0.333}, 1, each};
  return seen;
}

Chart training() {
  Chart chart{.title = "loss", .curves = {{"词, validation", {}}, {"second, training", {}}}, .across = "step"};
  for (int n = 1; n <= 40; ++n) {
    chart.curves[0].points.push_back({50.0 * n, 0.4 + 4 / std::sqrt(n)});
    chart.curves[1].points.push_back({50.0 * n, 0.2 + 5 / std::sqrt(n) + 0.2 * std::sin(n)});
  }
  return chart;
}

}  // namespace heed::testing
