// Each model learns to say strings backwards or again that it has never seen.
#include <heed/heed.h>

#include <cstdlib>
#include <numeric>

#include "support/close.h"

namespace heed {
namespace {

// Models this small are fastest on one core, most of all where others use the second. Before main, which reads it.
[[maybe_unused]] const int kOneCore = setenv("HEED_THREADS", "1", 0);

using Fields = std::map<std::string, std::string>;

constexpr int32_t kBegin = 1, kEnd = 2, kFirst = 3, kSymbols = 10;
enum class Task { copy, reverse };

using Rows = std::vector<std::vector<int32_t>>;

// Strings, and what is to be made of them: `next` is said after `said`.
struct Strings {
  Rows source, said, next;

  Strings(Task task, int64_t count, int64_t length, uint64_t seed) {
    Random from{seed};
    for (int64_t n = 0; n < count; ++n) {
      const Tensor drawn = randint(kFirst, kFirst + kSymbols, {length}, from);
      std::vector<int32_t> symbols(drawn.span<int64_t>().begin(), drawn.span<int64_t>().end());
      source.push_back(symbols);
      if (task == Task::reverse) std::reverse(symbols.begin(), symbols.end());
      next.push_back(symbols), next.back().push_back(kEnd);
      said.push_back({kBegin}), said.back().insert(said.back().end(), symbols.begin(), symbols.end());
    }
  }
  Tensor loss(const SequenceModel& model, std::span<const int64_t> examples) const {
    const auto chosen = [&](const Rows& rows) {
      Rows some;
      for (const int64_t n : examples) some.push_back(rows[static_cast<size_t>(n)]);
      return pad(some);
    };
    const Decoded decoded = model.forward(chosen(source), chosen(said), {.training = true});
    return model.loss(decoded.features, chosen(next).ids, {.reduction = Reduction::sum});
  }
  // The share that the model says exactly, word by word.
  double share_right(const SequenceModel& model) const {
    const NoGrad scope;
    const Found found = search(model, pad(source), {.strategy = Strategy::greedy, .begin = kBegin, .ends = {kEnd}});
    double right = 0;
    for (size_t n = 0; n < next.size(); ++n) right += found[n][0].ids == next[n];
    return right / static_cast<double>(next.size());
  }
};

struct Training {
  int64_t steps = 400, length = 10, batch = 32;
  double learning_rate = 0.005;
};

// The share of 200 strings that the model says as it should, having learned from others.
double learned(const std::string& name, Fields fields, Task task, const Training& training) {
  seed(1);
  fields.merge(Fields{{"source_words", "13"}, {"target_words", "13"}, {"width", "64"}, {"dropout", "0"}});
  const auto model = make_model(name, fields);
  const Strings strings(task, 20000, training.length, 1);
  Learner learner;
  learner.weights = model->weights();
  learner.lengths.assign(strings.source.size(), training.length);
  learner.count = [&](std::span<const int64_t> examples) {
    return static_cast<double>(examples.size()) * static_cast<double>(training.length + 1);
  };
  learner.loss = [&](std::span<const int64_t> examples) { return strings.loss(*model, examples); };
  fit(learner, {.learning_rate = training.learning_rate,
                .warm_up = 20,
                .batch = training.batch,
                .epochs = 1000,
                .steps = training.steps});
  return Strings(task, 200, training.length, 2).share_right(*model);
}

TEST(Learning, RnnSearchReverses) { EXPECT_GE(learned("rnn-search", {}, Task::reverse, {}), 0.99); }
TEST(Learning, LuongReverses) { EXPECT_GE(learned("luong", {{"layers", "1"}}, Task::reverse, {}), 0.99); }
TEST(Learning, LuongReversesAtOnce) {
  EXPECT_GE(learned("luong", {{"layers", "1"}, {"input_feeding", "false"}}, Task::reverse, {}), 0.99);
}
TEST(Learning, GnmtReverses) { EXPECT_GE(learned("gnmt", {{"layers", "3"}}, Task::reverse, {}), 0.99); }
TEST(Learning, ConvSeq2SeqCopies) { EXPECT_GE(learned("conv-seq2seq", {{"layers", "2"}}, Task::copy, {}), 0.99); }

// Without attention the end of the source is the nearest: read from there, copying is the easier task.
const Fields kPlain = {{"layers", "1"}, {"width", "96"}};
TEST(Learning, PlainSeq2SeqCopiesMoreSlowly) {
  EXPECT_LE(learned("plain-seq2seq", kPlain, Task::copy, {}), 0.9);
  EXPECT_GE(learned("plain-seq2seq", kPlain, Task::copy, {.steps = 1500, .learning_rate = 0.01}), 0.99);
}
// One vector holds no forty symbols; attention finds them where they are.
TEST(Learning, AttentionLearnsFortyWhereOneVectorFails) {
  const Training forty{.steps = 600, .length = 40, .batch = 16};
  EXPECT_GE(learned("rnn-search", {}, Task::reverse, forty), 0.95);
  EXPECT_LE(learned("plain-seq2seq", kPlain, Task::copy, forty), 0.05);
}

// A text says its first half again. Read in halves, the second can only be known by remembering the first.
struct Halves {
  Rows first, said, next;

  Halves(int64_t count, int64_t length, uint64_t seed) {
    Random from{seed};
    for (int64_t n = 0; n < count; ++n) {
      const Tensor drawn = randint(kFirst, kFirst + kSymbols, {length}, from);
      first.emplace_back(drawn.span<int64_t>().begin(), drawn.span<int64_t>().end());
      next.push_back(first.back());
      said.push_back({first.back().back()});
      said.back().insert(said.back().end(), first.back().begin(), first.back().end() - 1);
    }
  }
};

// The mean loss of the second halves, having learned from others.
double loss_of_second_halves(int64_t memory) {
  seed(1);
  const auto model = make_model(
      "transformer-xl",
      {{"target_words", "13"}, {"width", "64"}, {"layers", "2"}, {"dropout", "0"}, {"memory", std::to_string(memory)}});
  const Halves texts(6400, 16, 1), others(200, 16, 2);
  const auto loss = [&](const Halves& halves, std::span<const int64_t> examples) {
    Rows first, said, next;
    for (const int64_t n : examples) {
      const auto& all = halves.first[static_cast<size_t>(n)];
      first.emplace_back(all.end() - 1 - model->memory(), all.end() - 1);
      said.push_back(halves.said[static_cast<size_t>(n)]), next.push_back(halves.next[static_cast<size_t>(n)]);
    }
    const Decoded decoded = model->forward(pad(first), pad(said), {.training = true});
    return model->loss(decoded.features, pad(next).ids, {.reduction = Reduction::sum});
  };
  Learner learner;
  learner.weights = model->weights();
  learner.lengths.assign(texts.first.size(), 16);
  learner.count = [](std::span<const int64_t> examples) { return 16.0 * static_cast<double>(examples.size()); };
  learner.loss = [&](std::span<const int64_t> examples) { return loss(texts, examples); };
  fit(learner, {.learning_rate = 0.002, .warm_up = 50, .batch = 32, .epochs = 1000, .steps = 400});
  const NoGrad scope;
  std::vector<int64_t> all(others.first.size());
  std::iota(all.begin(), all.end(), 0);
  return loss(others, all).item() / (16.0 * static_cast<double>(all.size()));
}

TEST(Learning, TransformerXlRemembersTheTextBefore) {
  EXPECT_LE(loss_of_second_halves(15), 0.1);
  EXPECT_GE(loss_of_second_halves(0), 2);  // ln 10 = 2.30 for symbols that could be any
}

}  // namespace
}  // namespace heed
