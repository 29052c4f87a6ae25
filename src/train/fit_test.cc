#include <heed/train.h>

#include <cmath>
#include <filesystem>

#include "support/close.h"
#include "support/files.h"
#include "support/gradcheck.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

// Learns y = x W of noise, with dropout, so that random numbers count.
struct Line {
  Linear layer{3, 1};
  Tensor x = randn({40, 3}, Random{5}), y = sum(x * tensor({1, -2, 0.5}), {1}, true);
  Learner learner;
  int64_t poison = -1, calls = 0;  // the loss of this call is NaN, and of all that follow

  Line() {
    seed(7);
    layer = Linear(3, 1);
    learner.weights = named_weights(layer);
    for (int64_t n = 0; n < 40; ++n) learner.lengths.push_back(1 + n % 5);
    learner.count = [](std::span<const int64_t> examples) { return static_cast<double>(examples.size()); };
    learner.loss = [this](std::span<const int64_t> examples) {
      const Tensor rows =
          tensor_from(std::vector<int64_t>(examples.begin(), examples.end()), {static_cast<int64_t>(examples.size())});
      const Tensor loss =
          mse_loss(layer(dropout(index_select(x, 0, rows), 0.1)), index_select(y, 0, rows), Reduction::sum);
      return poison >= 0 && calls++ >= poison ? loss * NAN : loss;
    };
    learner.validate = [this] { return mse_loss(layer(x), y).item(); };
  }
  std::vector<double> values() const {
    std::vector<double> all = layer.weight.values();
    all.push_back(layer.bias.values()[0]);
    return all;
  }
};

FitOptions options() { return {.learning_rate = 0.05, .average = 0.9, .batch = 8, .epochs = 6, .seed = 7}; }

TEST(Fit, Learns) {
  Line line;
  const double before = line.learner.validate();
  const TrainingProgress end = fit(line.learner, options());
  EXPECT_LT(line.learner.validate(), before / 4);
  EXPECT_EQ(end.step, 30);
  EXPECT_EQ(end.validations, 6);
}

// n steps are k, kill, and n − k, to the bit: in the middle of an epoch, with dropout, average and accumulation.
TEST(Fit, ResumesExactly) {
  for (const int64_t accumulate : {1, 2}) {
    FitOptions o = options();
    o.accumulate = accumulate, o.save_every = 1;
    Line whole;
    fit(whole.learner, o);
    for (const int64_t at : {1, 3, 7, 11}) {
      const testing::Folder folder;
      const std::string path = folder / "state.safetensors";
      Line begun;
      struct Killed {};
      EXPECT_THROW(fit(begun.learner, o,
                       {.save =
                            [&](const TrainingState& state) {
                              if (state.progress.step == at) save_training(path, state);
                              if (state.progress.step == at + 1) throw Killed();
                              return true;
                            }}),
                   Killed);
      Line again;
      seed(99);
      const TrainingState state = load_training(path);
      fit(again.learner, o, {}, &state);
      EXPECT_EQ(again.values(), whole.values()) << at << " of accumulation " << accumulate;
    }
  }
}

TEST(Fit, SkipsBadStepsAndGivesUp) {
  Line line;
  line.poison = 4;
  std::vector<double> last;
  const auto watch = [&](const StepReport& report) {
    if (report.bad.empty()) last = line.values();
  };
  EXPECT_TRUE(complains([&] { fit(line.learner, options(), {.on_step = watch}); },
                        {"5 steps in a row", "its loss is not finite", "lower learning rate"}));
  EXPECT_EQ(line.values(), last);
}

TEST(Fit, StopsEarlyWithTheBestWeights) {
  Line line;
  int64_t calls = 0;
  std::vector<double> third;
  line.learner.validate = [&] {
    if (++calls == 3) third = line.values();
    return std::abs(3.0 - static_cast<double>(calls));
  };
  FitOptions o = options();
  o.patience = 2, o.epochs = 100;
  const TrainingProgress end = fit(line.learner, o);
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(end.best_step, 15);
  EXPECT_EQ(line.values(), third);
}

TEST(Fit, EndsAtItsLimits) {
  Line line;
  FitOptions o = options();
  o.steps = 12;
  EXPECT_EQ(fit(line.learner, o).step, 12);
  o.steps = 0, o.minutes = 1e-9;
  EXPECT_EQ(fit(line.learner, o).step, 1);
  int64_t calls = 0;
  EXPECT_EQ(fit(line.learner, options(), {.stop = [&] { return ++calls == 4; }}).step, 4);
}

TEST(Fit, TriesAgainToSave) {
  Line line;
  std::vector<int64_t> tried;
  FitOptions o = options();
  o.epochs = 8, o.save_every = 15;
  fit(line.learner, o, {.save = [&](const TrainingState& state) {
        tried.push_back(state.progress.step);
        return tried.size() > 2;
      }});
  EXPECT_EQ(tried, (std::vector<int64_t>{15, 20, 30, 40}));
}

TEST(Fit, AccumulatedBatchesAreOne) {
  Line two, one;
  FitOptions o = options();
  o.batch = 20, o.optimizer = Method::sgd, o.average = 0, o.epochs = 1;
  const auto plain = [](Line& line) {
    line.learner.loss = [&line](std::span<const int64_t> examples) {
      const Tensor rows =
          tensor_from(std::vector<int64_t>(examples.begin(), examples.end()), {static_cast<int64_t>(examples.size())});
      return mse_loss(line.layer(index_select(line.x, 0, rows)), index_select(line.y, 0, rows), Reduction::sum);
    };
  };
  plain(one), plain(two);
  o.batch = 40, fit(one.learner, o);
  o.batch = 20, o.accumulate = 2, fit(two.learner, o);
  EXPECT_TRUE(close(one.values(), two.values(), 1e-6));
}

TEST(Fit, RefusesWhatMakesNoSense) {
  Line line;
  const auto refuses = [&](FitOptions o, const std::vector<std::string>& words) {
    return complains([&] { fit(line.learner, o); }, words);
  };
  EXPECT_TRUE(refuses({.learning_rate = 0}, {"learning_rate", "more than 0"}));
  EXPECT_TRUE(refuses({.average = 1}, {"average"}));
  EXPECT_TRUE(refuses({.batch = 0}, {"batch", "at least 1"}));
  EXPECT_TRUE(refuses({.bucket = 0}, {"bucket", "at least 1"}));
  line.learner.lengths.clear();
  EXPECT_TRUE(refuses({}, {"nothing to learn from"}));
}

TEST(Batches, HoldEveryExampleOnce) {
  std::vector<int64_t> lengths;
  for (int64_t n = 0; n < 1000; ++n) lengths.push_back(1 + n * 7 % 31);
  for (const BatchOptions& o : {BatchOptions{.examples = 16}, BatchOptions{.tokens = 200}}) {
    std::vector<int64_t> seen;
    for (const auto& batch : batches_of_epoch(lengths, o, 2)) {
      int64_t longest = 0;
      for (const int64_t n : batch) seen.push_back(n), longest = std::max(longest, lengths[static_cast<size_t>(n)]);
      const auto size = static_cast<int64_t>(batch.size());
      EXPECT_LE(o.tokens > 0 ? size * longest : size, o.tokens > 0 ? o.tokens : o.examples);
    }
    std::sort(seen.begin(), seen.end());
    for (int64_t n = 0; n < 1000; ++n) ASSERT_EQ(seen[static_cast<size_t>(n)], n);
    EXPECT_EQ(batches_of_epoch(lengths, o, 2), batches_of_epoch(lengths, o, 2));
    EXPECT_NE(batches_of_epoch(lengths, o, 2), batches_of_epoch(lengths, o, 3));
  }
}

TEST(Batches, ThatShareRowsAreFilled) {
  std::vector<int64_t> lengths;
  for (int64_t n = 0; n < 1000; ++n) lengths.push_back(1 + n * 7 % 31);
  const Batches batches = batches_of_epoch(lengths, {.tokens = 200, .packed = true}, 1);
  for (size_t b = 0; b + 1 < batches.size(); ++b) {
    int64_t all = 0;
    for (const int64_t n : batches[b]) all += lengths[static_cast<size_t>(n)];
    EXPECT_LE(all, 200);
  }
  EXPECT_LE(batches.size(), 88);  // 16,000 tokens
}

TEST(Batches, OfLargerBucketsArePaddedLess) {
  std::vector<int64_t> lengths;
  for (int64_t n = 0; n < 1000; ++n) lengths.push_back(1 + n * 7 % 31);
  const auto padding = [&](int64_t bucket) {
    int64_t padded = 0;
    for (const auto& batch : batches_of_epoch(lengths, {.examples = 16, .bucket = bucket}, 1)) {
      int64_t longest = 0, all = 0;
      for (const int64_t n : batch)
        longest = std::max(longest, lengths[static_cast<size_t>(n)]), all += lengths[static_cast<size_t>(n)];
      padded += longest * static_cast<int64_t>(batch.size()) - all;
    }
    return padded;
  };
  EXPECT_GT(padding(1), 10000);  // nearly half of 31 a place
  EXPECT_LT(padding(10), 3000);
  EXPECT_LT(padding(INT64_MAX), 600);
}

TEST(Schedule, FollowsItsFormula) {
  const auto rate = [](Schedule schedule, int64_t step, double share) {
    return learning_rate({.learning_rate = 2, .schedule = schedule, .warm_up = 4}, {.step = step, .rate_factor = 0.5},
                         share);
  };
  EXPECT_DOUBLE_EQ(rate(Schedule::constant, 0, 0), 0.5);
  EXPECT_DOUBLE_EQ(rate(Schedule::constant, 9, 0.3), 2);
  EXPECT_DOUBLE_EQ(rate(Schedule::linear, 9, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(rate(Schedule::cosine, 9, 0.5), 1);
  EXPECT_DOUBLE_EQ(rate(Schedule::noam, 15, 0), 1);
  EXPECT_DOUBLE_EQ(rate(Schedule::plateau, 9, 0), 1);
}

TEST(Checkpoint, NoticesWhatWasChanged) {
  const testing::Folder folder;
  const std::string path = folder / "state.safetensors";
  Line line;
  fit(line.learner, options(), {.save = [&](const TrainingState& state) {
        save_training(path, state);
        return true;
      }});
  load_training(path);
  std::string bytes = testing::file_content(path);
  bytes[bytes.size() - 9] ^= 1;
  testing::write_file(path, bytes);
  EXPECT_TRUE(complains([&] { load_training(path); }, {path, "changed or damaged"}));
  save_safetensors(path, {.tensors = {{"x", tensor({1})}}});
  EXPECT_TRUE(complains([&] { load_training(path); }, {path, "no seal"}));
}

}  // namespace
}  // namespace heed
