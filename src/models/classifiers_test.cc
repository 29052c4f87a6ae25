// What holds of every classifier of the table, in each of its shapes.
#include <heed/models.h>

#include "attention/mechanisms.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

using Fields = std::map<std::string, std::string>;

struct Shaped {
  std::string model;
  Fields fields;
};
std::string name_of(const Shaped& shaped) {
  std::string name = shaped.model;
  for (const auto& [field, value] : shaped.fields) name += "_" + field + "_" + value;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
std::ostream& operator<<(std::ostream& out, const Shaped& shaped) { return out << name_of(shaped); }

std::unique_ptr<TextClassifier> small(const Shaped& shaped) {
  seed(3);
  Fields fields = {{"words", "11"}, {"classes", "3"}, {"width", "16"}};
  if (shaped.model == "encoder-classifier") fields["heads"] = "4";
  fields.insert(shaped.fields.begin(), shaped.fields.end());
  return make_classifier(shaped.model, fields);
}
Sentences texts() { return pad({{5, 6, 7, 2}, {8}, {10, 9, 2}}); }

class Classifiers : public ::testing::TestWithParam<Shaped> {};

TEST_P(Classifiers, PaddingMovesNothing) {
  const NoGrad scope;
  const auto model = small(GetParam());
  const Classified together = model->forward(texts(), {.weights = true});
  ASSERT_EQ(together.logits.shape(), (Shape{3, 3}));
  const Classified alone = model->forward(pad({{8}}), {.weights = true});
  EXPECT_TRUE(close(alone.logits[0].values(), together.logits[1].values(), 2e-5));
  Sentences other = texts();
  other.ids.at<int64_t>({1, 2}) = 4;
  EXPECT_TRUE(close(model->forward(other).logits.values(), together.logits.values(), 1e-6));
}

TEST_P(Classifiers, WeightsAreThoseOfTheText) {
  const NoGrad scope;
  const Tensor weights = small(GetParam())->forward(texts(), {.weights = true}).weights;
  if (!weights.defined()) return;
  EXPECT_TRUE(close(sum(weights, {1}).values(), std::vector<double>{1, 1, 1}, 1e-5));
  EXPECT_TRUE(close(weights[1].values(), std::vector<double>{1, 0, 0, 0}, 1e-6));
}

TEST_P(Classifiers, EveryWeightLearns) {
  const auto model = small(GetParam());
  backward(cross_entropy(model->forward(texts(), {.training = true}).logits, tensor_from<int64_t>({0, 1, 2}, {3})));
  for (const auto& [name, weight] : model->weights()) {
    ASSERT_TRUE(weight.grad().defined()) << name;
    EXPECT_GT(sum(abs(weight.grad())).item(), 0) << name;
  }
}

TEST_P(Classifiers, IsMadeAgainFromItsConfiguration) {
  const NoGrad scope;
  const auto model = small(GetParam()), again = make_classifier(GetParam().model, model->configuration());
  EXPECT_EQ(model->configuration(), again->configuration());
  const NamedTensors from = model->weights(), to = again->weights();
  ASSERT_EQ(from.size(), to.size());
  for (size_t n = 0; n < from.size(); ++n) {
    EXPECT_EQ(from[n].first, to[n].first);
    Tensor(to[n].second).copy_from(from[n].second);
  }
  EXPECT_TRUE(close(model->forward(texts()).logits.values(), again->forward(texts()).logits.values(), 1e-6));
}

// Word vectors are put in where the words are taken from.
TEST_P(Classifiers, WordsAreTakenFromTheEmbedding) {
  const NoGrad scope;
  const auto model = small(GetParam());
  const std::vector<double> before = model->forward(pad({{5, 6}, {8, 9}})).logits.values();
  model->embedding()[5].fill(0.25);
  const Tensor after = model->forward(pad({{5, 6}, {8, 9}})).logits;
  EXPECT_FALSE(close(after[0].values(), std::vector<double>(before.begin(), before.begin() + 3), 1e-4));
  EXPECT_TRUE(close(after[1].values(), std::vector<double>(before.begin() + 3, before.end()), 1e-6));
}

std::vector<Shaped> shapes() {
  std::vector<Shaped> all;
  for (const ModelInfo& info : classifiers())
    for (const char* pool : {"attention", "mean", "max", "last"}) all.push_back({info.name, {{"pool", pool}}});
  all.push_back({"encoder-classifier", {{"pool", "first"}}});
  all.push_back({"attention-classifier", {{"cell", "cnn"}, {"pool", "first"}}});
  for (const char* cell : {"gru", "cnn"})
    for (const char* layers : {"1", "2"}) all.push_back({"attention-classifier", {{"cell", cell}, {"layers", layers}}});
  all.push_back({"attention-classifier", {{"bidirectional", "false"}, {"pool", "last"}}});
  all.push_back({"attention-classifier", {{"cell", "cnn"}, {"pool", "last"}, {"kernel", "5"}}});
  all.push_back({"attention-classifier", {{"embedding", "6"}, {"attention", "additive"}}});
  all.push_back({"encoder-classifier", {{"position", "rope"}, {"pool", "first"}}});
  all.push_back({"encoder-classifier", {{"position", "learned"}, {"pooled_by", "scaled_dot"}}});
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, Classifiers, ::testing::ValuesIn(shapes()),
                         [](const auto& info) { return name_of(info.param); });

// Each mechanism of the table pools, or says why it cannot.
TEST(ClassifierTable, EveryMechanismPoolsOrIsRefused) {
  const NoGrad scope;
  int64_t pools = 0;
  for (const attention::Mechanism& row : attention::mechanisms()) {
    try {
      const auto model = small({"attention-classifier", {{"attention", row.name}, {"longest", "8"}}});
      const Tensor together = model->forward(texts()).logits, alone = model->forward(pad({{10, 9, 2}})).logits;
      EXPECT_TRUE(close(alone[0].values(), together[2].values(), 2e-5)) << row.name;
      ++pools;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << row.name << ": " << error.what();
      EXPECT_NE(std::string(error.what()).find(row.name), std::string::npos) << row.name << ": " << error.what();
    }
  }
  EXPECT_GE(pools, 15);
}

TEST(ClassifierTable, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(complains([] { make_classifier("rnn-search", {}); }, {"rnn-search", "attention-classifier"}));
  EXPECT_TRUE(complains([] { make_classifier("attention-classifier", {{"depth", "3"}}); }, {"depth", "layers"}));
  EXPECT_TRUE(complains([] { small({"attention-classifier", {{"cell", "lstn"}}}); }, {"lstn", "lstm, gru, cnn"}));
  EXPECT_TRUE(complains([] { small({"attention-classifier", {{"cell", "cnn"}, {"kernel", "4"}}}); }, {"kernel", "4"}));
  EXPECT_TRUE(complains([] { small({"attention-classifier", {{"layers", "0"}}}); }, {"layers", "0"}));
}

}  // namespace
}  // namespace heed
