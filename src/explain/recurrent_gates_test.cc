#include "nn/recurrent_gates.h"

#include <gtest/gtest.h>
#include <heed/explain.h>

#include "nn/recurrent_stack.h"
#include "support/close.h"

namespace heed {
namespace {

using testing::close;

constexpr int64_t kSteps = 5, kBatch = 2, kIn = 3, kOut = 4;

// σ(W x + b + U h + c) of a strip, by plain sums.
double opened(const RecurrentWeights& w, int64_t row, const Tensor& x, const Tensor& h) {
  double sum = w.input_bias.value({row}) + w.hidden_bias.value({row});
  for (int64_t n = 0; n < x.dim(0); ++n) sum += w.input.value({row, n}) * x.value({n});
  for (int64_t n = 0; n < h.dim(0); ++n) sum += w.hidden.value({row, n}) * h.value({n});
  return 1 / (1 + std::exp(-sum));
}

struct Ran {
  Recorder recorder;
  Recurrent layer;
  Tensor x;
  RecurrentOutput out;
};
Ran ran(Cell cell, bool both, const Tensor& lengths = {}) {
  seed(3);
  Ran run{Recorder(), Recurrent(cell, kIn, kOut, both), randn({kSteps, kBatch, kIn}), {}};
  for (RecurrentWeights& w : run.layer.directions) w.hidden_bias.detach().fill(0.25);
  run.out = run.layer(run.x, {.lengths = lengths});
  show_gates({&run.recorder, "here"}, run.layer, {run.x, run.out.y});
  return run;
}

TEST(RecurrentGates, AreThoseOfTheirCells) {
  const NoGrad scope;
  for (const auto& [cell, gates] : std::map<Cell, std::vector<std::pair<std::string, int64_t>>>{
           {Cell::lstm, {{"input", 0}, {"forget", 1}, {"output", 3}}},
           {Cell::gru, {{"reset", 0}, {"update", 1}}},
           {Cell::gru_reset_before, {{"reset", 0}, {"update", 1}}},
           {Cell::tanh, {}}}) {
    const Ran run = ran(cell, true);
    ASSERT_EQ(run.recorder.values().size(), gates.size());
    for (const auto& [name, strip] : gates) {
      const Tensor got = run.recorder.value_at("here.gates." + name);
      ASSERT_EQ(got.shape(), (Shape{kBatch, kSteps, 2 * kOut}));
      for (int64_t t = 0; t < kSteps; ++t)
        for (int64_t n = 0; n < kOut; ++n) {
          const Tensor nothing = zeros({kOut}), &y = run.out.y;
          const Tensor before = t == 0 ? nothing : slice(y[t - 1][1], 0, 0, kOut);
          const Tensor behind = t + 1 == kSteps ? nothing : slice(y[t + 1][1], 0, kOut, 2 * kOut);
          const int64_t row = strip * kOut + n;
          EXPECT_NEAR(got.value({1, t, n}), opened(run.layer.directions[0], row, run.x[t][1], before), 1e-6);
          EXPECT_NEAR(got.value({1, t, kOut + n}), opened(run.layer.directions[1], row, run.x[t][1], behind), 1e-6);
        }
    }
  }
}

// h' = o tanh(c'): the strips are in the cell's own order.
TEST(RecurrentGates, AnLstmGivesWhatItsOutputGateLetsThrough) {
  const NoGrad scope;
  const Ran run = ran(Cell::lstm, false);
  const Tensor gate = run.recorder.value_at("here.gates.output")[0][kSteps - 1];
  const Tensor want = gate * tanh(run.out.c[0][0]);
  EXPECT_TRUE(close(run.out.h[0][0].values(), want.values(), 1e-6));
}

TEST(RecurrentGates, AShortTextIsReadFromItsOwnEnd) {
  const NoGrad scope;
  const Ran run = ran(Cell::gru, true, tensor_from<int64_t>({kSteps, 2}, {2}));
  const double last = run.recorder.value_at("here.gates.update").value({1, 1, kOut});
  EXPECT_NEAR(last, opened(run.layer.directions[1], kOut, run.x[1][1], zeros({kOut})), 1e-6);
}

TEST(RecurrentGates, StepsShowWhatTheWholeShows) {
  const NoGrad scope;
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::gru_reset_before}) {
    const Ran whole = ran(cell, false);
    Recorder steps;
    RecurrentState at;
    for (int64_t t = 0; t < kSteps; ++t)
      at = run(whole.layer, slice(whole.x, 0, t, t + 1), at, {.watch = {&steps, "here"}}).last;
    ASSERT_EQ(steps.values(), whole.recorder.values());
    for (const std::string& place : steps.values())
      EXPECT_TRUE(close(steps.value_at(place).values(), whole.recorder.value_at(place).values(), 1e-6)) << place;
  }
}

TEST(RecurrentGates, AreMadeForWhoeverWantsThem) {
  const NoGrad scope;
  Ran run = ran(Cell::lstm, false);
  Recorder one({.places = {"here.gates.forget"}});
  show_gates({&one, "here"}, run.layer, {run.x, run.out.y});
  EXPECT_EQ(one.values(), std::vector<std::string>{"here.gates.forget"});
  struct Nobody final : Watcher {
    Tensor value(const std::string& place, const Tensor& x) override {
      ADD_FAILURE() << place;
      return x;
    }
  } nobody;
  show_gates({&nobody, "here"}, run.layer, {run.x, run.out.y});
  show_gates({}, run.layer, {run.x, run.out.y});
}

}  // namespace
}  // namespace heed
