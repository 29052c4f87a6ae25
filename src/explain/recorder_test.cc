// Looking on changes nothing, in every model; and what was recorded is what attention computes.
#include <gtest/gtest.h>
#include <heed/explain.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

using Fields = std::map<std::string, std::string>;

// Every model, and ways through them that attend otherwise.
struct Way {
  std::string model;
  Fields fields = {};
};
std::string name_of(const Way& way) {
  std::string name = way.model;
  for (const auto& [field, value] : way.fields) name += "_" + field + "_" + value;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << name_of(way); }

std::vector<Way> ways(const std::vector<ModelInfo>& table, std::vector<Way> more) {
  for (const ModelInfo& info : table) more.push_back({info.name});
  return more;
}
Fields small(const std::vector<ModelInfo>& table, const Way& way) {
  const auto info = std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.name == way.model; });
  Fields fields = way.fields;
  for (const ModelField& field : info->fields)
    for (const auto& [name, value] : Fields{{"source_words", "11"},
                                            {"target_words", "9"},
                                            {"words", "11"},
                                            {"classes", "3"},
                                            {"width", "16"},
                                            {"heads", "4"},
                                            {"layers", "2"}})
      if (field.name == name) fields.emplace(name, value);
  seed(3);
  return fields;
}

class Recorded : public ::testing::TestWithParam<Way> {
 protected:
  static std::unique_ptr<SequenceModel> model() { return make_model(GetParam().model, small(models(), GetParam())); }
  static Sentences source(const SequenceModel& model) {
    if (model.has_source()) return pad({{5, 6, 7, 2}, {8, 2}});
    return {Tensor({2, 0}, Dtype::i64), Tensor::zeros({2}, Dtype::i64)};
  }
  static Sentences target() { return pad({{1, 4, 5, 6}, {1, 3}}); }
};

TEST_P(Recorded, ChangesNoBitOfAWholeText) {
  const NoGrad scope;
  const auto model = this->model();
  Recorder recorder;
  for (const bool weights : {false, true}) {
    const Decoded alone = model->forward(source(*model), target(), {.weights = weights});
    const Decoded watched = model->forward(source(*model), target(), {.weights = weights, .watcher = &recorder});
    EXPECT_TRUE(close(watched.features.values(), alone.features.values(), 0));
    ASSERT_EQ(watched.weights.defined(), alone.weights.defined());
    if (alone.weights.defined()) {
      EXPECT_TRUE(close(watched.weights.values(), alone.weights.values(), 0));
    }
  }
  EXPECT_FALSE(recorder.values().empty());
  EXPECT_EQ(recorder.attentions().empty(), model->name() == "plain-seq2seq");
}

TEST_P(Recorded, ChangesNoBitOfASentenceInSteps) {
  const NoGrad scope;
  const auto model = this->model();
  Recorder recorder, whole;
  model->forward(source(*model), target(), {.watcher = &whole});
  const auto alone = model->begin(source(*model)), watched = model->begin(source(*model), {.watcher = &recorder});
  for (int64_t t = 0; t < 4; ++t) {
    const Tensor ids = target().ids.slice(1, t, t + 1);
    EXPECT_TRUE(close(model->step(*watched, ids, {.watcher = &recorder}).features.values(),
                      model->step(*alone, ids).features.values(), 0));
  }
  ASSERT_EQ(recorder.attentions(), whole.attentions());
  for (const std::string& place : whole.attentions()) {
    SCOPED_TRACE(place);
    EXPECT_EQ(recorder.weights(place).shape(), whole.weights(place).shape());
    EXPECT_TRUE(close(recorder.weights(place).values(), whole.weights(place).values(), 1e-5));
  }
  for (const std::string& place : whole.values())
    EXPECT_TRUE(close(recorder.value_at(place).values(), whole.value_at(place).values(), 2e-5)) << place;
}

TEST_P(Recorded, ChangesNoGradient) {
  const auto model = this->model();
  const auto of_loss = [&](Watcher* watcher) {
    for (auto& [name, weight] : model->weights()) weight.zero_grad();
    backward(sum(select(model->forward(source(*model), target(), {.watcher = watcher}).features, 2, 0)));
    return model->weights().front().second.grad().values();
  };
  Recorder recorder({.gradients = true});
  const std::vector<double> alone = of_loss(nullptr);
  EXPECT_TRUE(close(of_loss(&recorder), alone, 0));
}

TEST_P(Recorded, WordsMayBeReplacedBatchFirst) {
  const NoGrad scope;
  const auto model = this->model();
  struct Other final : Watcher {
    Tensor value(const std::string& place, const Tensor& x) override {
      if (place != "target.words" && place != "text.words") return x;
      EXPECT_EQ(x.shape(), (Shape{2, 4, 16}));
      Tensor y = x.clone();
      y[1].slice(0, 1, 2).fill(0.25);  // the second word of the second sentence
      return y;
    }
  } other;
  const Tensor before = model->forward(source(*model), target()).features;
  const Tensor after = model->forward(source(*model), target(), {.watcher = &other}).features;
  EXPECT_TRUE(close(after[0].values(), before[0].values(), 1e-6));
  EXPECT_FALSE(close(after[1].slice(0, 0, 2).values(), before[1].slice(0, 0, 2).values(), 1e-4));
}

INSTANTIATE_TEST_SUITE_P(All, Recorded,
                         ::testing::ValuesIn(ways(models(), {{"luong", {{"input_feeding", "false"}}},
                                                             {"rnn-search", {{"cell", "lstm"}}},
                                                             {"decoder-lm", {{"activation", "swiglu"}}},
                                                             {"decoder-lm", {{"position", "rope"}, {"groups", "2"}}}})),
                         [](const auto& info) { return name_of(info.param); });

class RecordedClassifier : public ::testing::TestWithParam<Way> {};

TEST_P(RecordedClassifier, ChangesNoBit) {
  const NoGrad scope;
  const auto model = make_classifier(GetParam().model, small(classifiers(), GetParam()));
  const Sentences texts = pad({{5, 6, 7, 2}, {8}});
  Recorder recorder;
  const Classified alone = model->forward(texts, {.weights = true});
  const Classified watched = model->forward(texts, {.weights = true, .watcher = &recorder});
  EXPECT_TRUE(close(watched.logits.values(), alone.logits.values(), 0));
  ASSERT_EQ(watched.weights.defined(), alone.weights.defined());
  if (alone.weights.defined()) {
    EXPECT_TRUE(close(recorder.weights("pooling").values(), alone.weights.values(), 0));
  }
  EXPECT_EQ(recorder.value_at("text.words").shape(), (Shape{2, 4, 16}));
}

INSTANTIATE_TEST_SUITE_P(All, RecordedClassifier,
                         ::testing::ValuesIn(ways(classifiers(), {{"attention-classifier", {{"cell", "cnn"}}},
                                                                  {"encoder-classifier", {{"pool", "first"}}}})),
                         [](const auto& info) { return name_of(info.param); });

std::unique_ptr<SequenceModel> transformer() {
  seed(3);
  return make_model("transformer", {{"source_words", "11"}, {"target_words", "9"}, {"width", "16"}, {"layers", "2"}});
}
const Sentences kSource = pad({{5, 6, 7, 2}, {8, 2}}), kTarget = pad({{1, 4, 5}, {1, 3}});

TEST(Recorder, KnowsEachPlaceByItsName) {
  const NoGrad scope;
  Recorder all;
  const Decoded decoded = transformer()->forward(kSource, kTarget, {.weights = true, .watcher = &all});
  EXPECT_EQ(all.attentions(), (std::vector<std::string>{"encoder.0.self", "encoder.1.self", "decoder.0.self",
                                                        "decoder.0.cross", "decoder.1.self", "decoder.1.cross"}));
  EXPECT_EQ(all.values(), (std::vector<std::string>{"source.words", "encoder.0.hidden", "encoder.1.hidden",
                                                    "target.words", "decoder.0.hidden", "decoder.1.hidden"}));
  const Tensor cross = all.weights("decoder.1.cross");
  EXPECT_EQ(cross.shape(), (Shape{2, 4, 3, 4}));
  EXPECT_TRUE(close(mean(cross, {1}).values(), decoded.weights.values(), 1e-6));
  EXPECT_EQ(all.log_sum_exp("decoder.1.cross").shape(), (Shape{2, 4, 3}));
  EXPECT_EQ(all.value_at("decoder.1.hidden").shape(), (Shape{2, 3, 16}));
}

TEST(Recorder, MakesOnlyWhatIsWanted) {
  const NoGrad scope;
  Recorder all, some({.places = {"decoder.*.cross"}, .heads = {3, 1}});
  transformer()->forward(kSource, kTarget, {.weights = true, .watcher = &all});
  transformer()->forward(kSource, kTarget, {.weights = true, .watcher = &some});
  EXPECT_EQ(some.attentions(), (std::vector<std::string>{"decoder.0.cross", "decoder.1.cross"}));
  EXPECT_TRUE(some.values().empty());
  for (const std::string& place : some.attentions()) {
    const Tensor got = some.weights(place), want = all.weights(place);
    ASSERT_EQ(got.shape(), (Shape{2, 2, 3, 4}));
    EXPECT_TRUE(close(select(got, 1, 0).values(), select(want, 1, 3).values(), 0));
    EXPECT_TRUE(close(select(got, 1, 1).values(), select(want, 1, 1).values(), 0));
  }
  EXPECT_TRUE(complains([&] { some.weights("decoder.2.cross"); }, {"decoder.2.cross", "decoder.0.cross"}));
}

TEST(Recorder, SeesGates) {
  const NoGrad scope;
  seed(3);
  const auto model = make_model("conv-seq2seq", {{"source_words", "11"}, {"target_words", "9"}, {"width", "16"}});
  Recorder recorder({.places = {"*.gates"}});
  model->forward(kSource, kTarget, {.watcher = &recorder});
  ASSERT_EQ(recorder.values().size(), 8u);
  const std::vector<double> gates = recorder.value_at("decoder.0.gates").values();
  EXPECT_EQ(recorder.value_at("decoder.0.gates").shape(), (Shape{2, 3, 16}));
  for (const double gate : gates) EXPECT_TRUE(gate > 0 && gate < 1);
}

// A name of its own for each gate of each cell, and the gates of a feed-forward layer.
TEST(Recorder, SeesGatesOfEveryModelThatHasThem) {
  const NoGrad scope;
  const auto gates = [](const std::string& model, Fields fields) {
    Recorder recorder({.places = {"*.gates*"}});
    make_model(model, small(models(), {model, std::move(fields)}))->forward(kSource, kTarget, {.watcher = &recorder});
    for (const std::string& place : recorder.values())
      for (const double gate : recorder.value_at(place).values()) EXPECT_TRUE(gate > -0.3 && gate < 10) << place;
    return recorder.values();
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(gates("rnn-search", {{"cell", "gru"}}),
            (Names{"encoder.gates.reset", "encoder.gates.update", "decoder.gates.reset", "decoder.gates.update"}));
  const Names of_two = {"encoder.0.gates.input", "encoder.0.gates.forget", "encoder.0.gates.output",
                        "encoder.1.gates.input", "encoder.1.gates.forget", "encoder.1.gates.output",
                        "decoder.0.gates.input", "decoder.0.gates.forget", "decoder.0.gates.output",
                        "decoder.1.gates.input", "decoder.1.gates.forget", "decoder.1.gates.output"};
  for (const char* model : {"luong", "gnmt", "plain-seq2seq"})
    EXPECT_EQ(gates(model, {{"cell", "lstm"}}), of_two) << model;
  EXPECT_EQ(gates("transformer", {{"activation", "swiglu"}}),
            (Names{"encoder.0.gates", "encoder.1.gates", "decoder.0.gates", "decoder.1.gates"}));
  EXPECT_TRUE(gates("transformer", {}).empty());
}

// By way of f32 where weights are asked for: the out is that of bf16 all the same.
TEST(Recorder, ChangesNoBitOfBf16) {
  Random from{.seed = 3};
  const Tensor q = randn({1, 2, 40, 16}, from).to(Dtype::bf16), k = randn({1, 2, 70, 16}, from).to(Dtype::bf16);
  Recorder recorder;
  const AttendOptions options{.dropout = 0.5f, .random = &from};
  const Random before = from;
  const Tensor alone = attend(q, k, k, options).out;
  const Random after = std::exchange(from, before);
  AttendOptions watched = options;
  watched.watch = {&recorder, "here"};
  EXPECT_TRUE(close(attend(q, k, k, watched).out.values(), alone.values(), 0));
  EXPECT_EQ(from.position, after.position);
  EXPECT_EQ(recorder.weights("here").shape(), (Shape{1, 2, 40, 70}));
}

}  // namespace
}  // namespace heed
