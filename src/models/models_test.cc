// What holds of every model of the table.
#include <heed/models.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

using Fields = std::map<std::string, std::string>;

class Models : public ::testing::TestWithParam<ModelInfo> {
 protected:
  // Small: eleven source words, nine target words.
  static std::unique_ptr<SequenceModel> small(Fields fields = {}) {
    seed(3);
    for (const ModelField& field : GetParam().fields) {
      if (field.name == "source_words") fields.emplace(field.name, "11");
      if (field.name == "target_words") fields.emplace(field.name, "9");
      if (field.name == "width") fields.emplace(field.name, "16");
      if (field.name == "heads") fields.emplace(field.name, "4");
    }
    return make_model(GetParam().name, fields);
  }
  static Sentences source() {
    if (GetParam().has_source) return pad({{5, 6, 7, 2}, {8, 2}, {10, 9, 2}});
    return {Tensor({3, 0}, Dtype::i64), Tensor::zeros({3}, Dtype::i64)};
  }
  static Sentences target() { return pad({{1, 4, 5, 6}, {1, 3}, {1, 7, 8}}); }
};

Tensor column(const Tensor& ids, int64_t t) { return ids.slice(1, t, t + 1); }
Tensor ids(const std::vector<int64_t>& values) { return tensor_from(values, {static_cast<int64_t>(values.size())}); }

TEST_P(Models, StepByStepIsForward) {
  const NoGrad scope;
  const auto model = small();
  const Decoded whole = model->forward(source(), target(), {.weights = true});
  ASSERT_EQ(whole.features.dim(1), 4);
  const auto state = model->begin(source());
  for (int64_t t = 0; t < 4; ++t) {
    const Decoded step = model->step(*state, column(target().ids, t), {.weights = true});
    EXPECT_TRUE(close(step.features.values(), column(whole.features, t).values(), 2e-5)) << t;
    if (whole.weights.defined())
      EXPECT_TRUE(close(step.weights.values(), column(whole.weights, t).values(), 2e-5)) << t;
  }
}

TEST_P(Models, SeveralWordsAtOnceAreSteps) {
  const NoGrad scope;
  const auto model = small();
  const Decoded whole = model->forward(source(), target());
  const auto state = model->begin(source());
  model->step(*state, target().ids.slice(1, 0, 1));
  const Decoded rest = model->step(*state, target().ids.slice(1, 1, 4));
  EXPECT_TRUE(close(rest.features.values(), whole.features.slice(1, 1, 4).values(), 2e-5));
}

// A sentence goes on in several rows, rows change places, sentences leave: nothing else changes.
TEST_P(Models, RowsAndSentencesMayBeTaken) {
  const NoGrad scope;
  const auto model = small();
  const Tensor first = column(target().ids, 0), next = tensor_from<int64_t>({3, 4, 5, 6}, {4, 1});
  const auto state = model->begin(source()), wide = model->begin(source());
  model->step(*state, first), model->step(*wide, first);
  wide->take_rows(ids({0, 0, 2, 2})), wide->take_sentences(ids({0, 2}));
  const Decoded of_rows = model->step(*wide, next, {.weights = true});
  state->take_rows(ids({0, 2})), state->take_sentences(ids({0, 2}));
  const Decoded plain = model->step(*state, tensor_from<int64_t>({4, 6}, {2, 1}), {.weights = true});
  for (int64_t n = 0; n < 2; ++n) {
    EXPECT_TRUE(close(of_rows.features[2 * n + 1].values(), plain.features[n].values(), 2e-5)) << n;
    if (plain.weights.defined())
      EXPECT_TRUE(close(of_rows.weights[2 * n + 1].values(), plain.weights[n].values(), 2e-5)) << n;
  }
}

TEST_P(Models, PaddingMovesNothing) {
  const NoGrad scope;
  const auto model = small();
  const Decoded together = model->forward(source(), target());
  Sentences alone = source();
  if (GetParam().has_source)
    alone = pad({{8, 2}});
  else
    alone = {Tensor({1, 0}, Dtype::i64), Tensor::zeros({1}, Dtype::i64)};
  const Decoded one = model->forward(alone, pad({{1, 3}}));
  EXPECT_TRUE(close(one.features[0].values(), together.features[1].slice(0, 0, 2).values(), 2e-5));
}

TEST_P(Models, LooksAtNothingToCome) {
  const NoGrad scope;
  const auto model = small();
  Sentences changed = target();
  const Tensor before = model->forward(source(), changed).features;
  changed.ids.at<int64_t>({0, 3}) = 2;
  const Tensor after = model->forward(source(), changed).features;
  EXPECT_TRUE(close(before[0].slice(0, 0, 3).values(), after[0].slice(0, 0, 3).values(), 1e-6));
  EXPECT_NE(before[0][3].values(), after[0][3].values());
}

TEST_P(Models, EveryWeightLearns) {
  const auto model = small();
  const Decoded decoded = model->forward(source(), target(), {.training = true});
  Tensor next({3, 4}, Dtype::i64);
  next.fill(3);
  Tensor loss = model->loss(decoded.features, next);
  if (decoded.loss.defined()) loss = loss + decoded.loss;
  backward(loss);
  for (const auto& [name, weight] : model->weights()) {
    ASSERT_TRUE(weight.grad().defined()) << name;
    EXPECT_GT(sum(abs(weight.grad())).item(), 0) << name;
  }
}

TEST_P(Models, IsMadeAgainFromItsConfiguration) {
  const NoGrad scope;
  const auto model = small(), again = make_model(GetParam().name, model->configuration());
  EXPECT_EQ(model->configuration(), again->configuration());
  const NamedTensors from = model->weights(), to = again->weights();
  ASSERT_EQ(from.size(), to.size());
  for (size_t n = 0; n < from.size(); ++n) {
    EXPECT_EQ(from[n].first, to[n].first);
    Tensor(to[n].second).copy_from(from[n].second);
  }
  EXPECT_TRUE(close(model->forward(source(), target()).features.values(),
                    again->forward(source(), target()).features.values(), 1e-6));
}

INSTANTIATE_TEST_SUITE_P(All, Models, ::testing::ValuesIn(models()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ModelTable, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(complains([] { make_model("rnn-sarch", {}); }, {"rnn-sarch", "rnn-search"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"depth", "3"}}); }, {"rnn-search", "depth", "width"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"width", "x"}}); }, {"width", "x", "whole number"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"cell", "lstn"}}); }, {"cell", "lstn", "lstm, gru"}));
}

}  // namespace
}  // namespace heed
