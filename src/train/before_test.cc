// What is known before training: how much memory it takes, and how fast it may learn.
#include <heed/base.h>
#include <heed/train.h>

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

// Two layers on rows of noise; what the tape keeps grows with the examples of a batch.
struct Rows {
  struct Model {
    Linear first{64, 256, Activation::relu}, second{256, 1};
    void visit(auto&& field) { field("first", first), field("second", second); }
  } model;
  Tensor x = randn({512, 64}, Random{5}), y = sum(x, {1}, true);
  Learner learner;

  Rows() {
    learner.weights = named_weights(model);
    learner.lengths.assign(512, 3);
    learner.count = [](std::span<const int64_t> examples) { return static_cast<double>(examples.size()); };
    learner.loss = [this](std::span<const int64_t> examples) {
      const Tensor rows =
          tensor_from(std::vector<int64_t>(examples.begin(), examples.end()), {static_cast<int64_t>(examples.size())});
      const Tensor hidden = dropout(model.first(index_select(x, 0, rows)), 0.1);
      return mse_loss(model.second(hidden), index_select(y, 0, rows), Reduction::sum);
    };
  }
  int64_t bytes() const {
    int64_t sum = 0;
    for (const auto& [name, tensor] : learner.weights) sum += 4 * tensor.numel();
    return sum;
  }
};

TEST(MemoryNeeded, IsAboutWhatTrainingTakes) {
  Rows rows;
  const FitOptions options{.batch = 256, .steps = 4};
  const Random before = random();
  const MemoryNeed need = memory_needed(rows.learner, options);
  EXPECT_EQ(random().position, before.position);
  EXPECT_EQ(need.weights, rows.bytes());
  EXPECT_EQ(need.optimizer, 4 * rows.bytes());  // gradients, two states of Adam, the best weights

  reset_memory_peak();
  const int64_t held = memory_use().in_use;
  fit(rows.learner, options);
  const auto taken = static_cast<double>(memory_use().peak - held);
  EXPECT_GT(static_cast<double>(need.more()), 0.7 * taken);
  EXPECT_LT(static_cast<double>(need.more()), 1.5 * taken);
}

TEST(MemoryNeeded, GrowsWithTheBatch) {
  Rows rows;
  const auto batch = [&](const FitOptions& options) { return memory_needed(rows.learner, options).batch; };
  EXPECT_GT(batch({.batch = 256}), 3 * batch({.batch = 64}));
  EXPECT_EQ(batch({.batch = 100'000}), batch({.batch = 512}));         // there are no more examples
  EXPECT_EQ(batch({.batch_tokens = 3 * 128}), batch({.batch = 128}));  // of three tokens
  EXPECT_LT(memory_needed(rows.learner, {.optimizer = Method::sgd}).optimizer, 4 * rows.bytes());
}

TEST(FindLearningRate, SuggestsOneThatLearnsAndLeavesTheWeights) {
  Rows rows;
  std::vector<std::vector<double>> before;
  for (const auto& [name, tensor] : rows.learner.weights) before.push_back(tensor.values());
  const FitOptions options{.schedule = Schedule::constant, .batch = 32};
  const RateTest test = find_learning_rate(rows.learner, options);
  for (size_t n = 0; n < before.size(); ++n) EXPECT_TRUE(close(rows.learner.weights[n].second.values(), before[n], 0));
  ASSERT_GT(test.curve.size(), 50u);
  EXPECT_NEAR(test.curve[0].rate, 1e-6, 1e-12);
  for (size_t n = 1; n < test.curve.size(); ++n) EXPECT_GT(test.curve[n].rate, test.curve[n - 1].rate);
  EXPECT_GT(test.suggested, 1e-5);
  EXPECT_LT(test.suggested, 0.3);

  FitOptions trained = options;
  trained.learning_rate = test.suggested, trained.epochs = 20;
  const double first = test.curve[0].loss;
  double last = first;
  fit(rows.learner, trained, {.on_step = [&](const StepReport& report) { last = report.loss; }});
  EXPECT_LT(last, first / 10);
}

TEST(FindLearningRate, EndsWhereTheLossDiverges) {
  Rows rows;
  int64_t steps = 0;
  const RateTest test =
      find_learning_rate(rows.learner, {.optimizer = Method::sgd, .clip = 0, .batch = 32},
                         {.least = 1e-4, .most = 1e4, .steps = 100}, {.on_step = [&](const StepReport&) { ++steps; }});
  EXPECT_LT(steps, 100);
  for (const RateTest::Point& point : test.curve) EXPECT_TRUE(std::isfinite(point.loss));
  EXPECT_TRUE(complains([&] { find_learning_rate(rows.learner, {}, {.least = 1, .most = 0.1}); }, {"rates", "grow"}));
}

}  // namespace
}  // namespace heed
