// What holds of every model of the table.
#include <heed/models.h>

#include "attention/mechanisms.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

using Fields = std::map<std::string, std::string>;

// A model of the table, as it is or with fields that lead another way through it.
struct Way {
  ModelInfo info;
  Fields fields = {};
};
std::vector<Way> ways() {
  std::vector<Way> all;
  std::map<std::string, ModelInfo> named;
  for (const ModelInfo& info : models()) all.push_back({info}), named[info.name] = info;
  const auto more = [&](const std::string& name, const Fields& fields) { all.push_back({named.at(name), fields}); };
  more("rnn-search", {{"cell", "lstm"}});
  more("luong", {{"input_feeding", "false"}});
  more("luong", {{"cell", "gru"}, {"layers", "1"}, {"attention", "concat"}});
  more("luong", {{"input_feeding", "false"}, {"span", "local_m"}, {"reach", "1"}, {"attention", "dot"}});
  more("luong", {{"span", "local_p"}, {"reach", "1"}});
  more("luong", {{"attention", "location"}, {"longest", "6"}});
  more("plain-seq2seq", {{"reverse", "false"}, {"cell", "gru"}, {"layers", "1"}});
  more("gnmt", {{"cell", "gru"}, {"layers", "3"}});
  more("transformer-xl", {{"pre_norm", "true"}, {"position", "rope"}, {"groups", "2"}});
  more("decoder-lm", {{"norm", "rms"}, {"position", "rope"}, {"activation", "swiglu"}, {"bias", "false"}});
  more("decoder-lm", {{"head_width", "6"}, {"position", "rope"}, {"groups", "2"}});
  more("transformer", {{"head_width", "6"}});
  more("conv-seq2seq", {{"kernel", "1"}});
  more("conv-seq2seq", {{"kernel", "4"}, {"layers", "2"}, {"attention", "additive"}});
  return all;
}

class Models : public ::testing::TestWithParam<Way> {
 protected:
  static const ModelInfo& info() { return GetParam().info; }
  static bool has(const std::string& name) {
    return std::any_of(info().fields.begin(), info().fields.end(), [&](const auto& f) { return f.name == name; });
  }
  // Small: eleven source words, nine target words.
  static std::unique_ptr<SequenceModel> small(Fields fields = {}) {
    seed(3);
    for (const auto& [name, text] : GetParam().fields) fields.emplace(name, text);
    for (const ModelField& field : info().fields) {
      if (field.name == "source_words") fields.emplace(field.name, "11");
      if (field.name == "target_words") fields.emplace(field.name, "9");
      if (field.name == "width") fields.emplace(field.name, "16");
      if (field.name == "heads") fields.emplace(field.name, "4");
    }
    return make_model(info().name, fields);
  }
  static Sentences source() {
    if (info().has_source) return pad({{5, 6, 7, 2}, {8, 2}, {10, 9, 2}});
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
    if (whole.weights.defined()) {
      EXPECT_TRUE(close(step.weights.values(), column(whole.weights, t).values(), 2e-5)) << t;
    }
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
    if (plain.weights.defined()) {
      EXPECT_TRUE(close(of_rows.weights[2 * n + 1].values(), plain.weights[n].values(), 2e-5)) << n;
    }
  }
}

// Rows that begin later go on beside those that have read more, as if they were alone; and again when these have gone.
void expect_joined(const SequenceModel& model, const Sentences& source, const Sentences& later) {
  const Tensor said = tensor_from<int64_t>({1, 4, 5, 6, 7, 1, 3, 2, 8, 4}, {2, 5}), of_later = said.slice(0, 1, 2);
  const auto state = model.begin(source), more = model.begin(later), alone = model.begin(source),
             later_alone = model.begin(later);
  for (const auto* each : {&state, &alone}) model.step(**each, said.slice(1, 0, 3));
  for (const auto* each : {&more, &later_alone}) model.step(**each, column(of_later, 0));
  ASSERT_TRUE(model.join(*state, *more));
  const auto step = [&](DecoderState& of, const Tensor& next) { return model.step(of, next).features; };
  for (int64_t t = 3; t < 5; ++t) {
    const Tensor both = step(*state, concat({column(said, t), column(of_later, t - 2)}, 0));
    const Tensor before = step(*alone, column(said, t)), behind = step(*later_alone, column(of_later, t - 2));
    EXPECT_TRUE(close(both.slice(0, 0, 2).values(), before.values(), 2e-5)) << t;
    EXPECT_TRUE(close(both.slice(0, 2, 3).values(), behind.values(), 2e-5)) << t;
  }
  state->take_rows(ids({2, 2})), state->take_sentences(ids({2}));
  const Tensor left = step(*state, concat({column(of_later, 3), column(of_later, 3)}, 0));
  EXPECT_TRUE(close(left[1].values(), step(*later_alone, column(of_later, 3))[0].values(), 2e-5));
}

TEST_P(Models, RowsJoinWhereverTheyStand) {
  const NoGrad scope;
  const auto model = small();
  const Sentences none{Tensor({2, 0}, Dtype::i64), Tensor::zeros({2}, Dtype::i64)};
  const auto source = info().has_source ? pad({{5, 6, 7, 2}, {8, 2}}) : none;
  const auto later = info().has_source ? pad({{10, 9, 2, 4, 3, 6}}) : Sentences{none.ids.slice(0, 0, 1), ids({0})};
  if (GetParam().fields.contains("span") && GetParam().fields.at("span") == "local_m")
    EXPECT_FALSE(model->join(*model->begin(source), *model->begin(later)));
  else
    expect_joined(*model, source, later);
}

// Whatever a text's attention to itself is made of, its rows join, unless they must know where they began.
TEST(Joining, WorksWithEveryMechanismAndPosition) {
  const NoGrad scope;
  const Sentences none{Tensor({2, 0}, Dtype::i64), Tensor::zeros({2}, Dtype::i64)},
      one{none.ids.slice(0, 0, 1), ids({0})};
  std::set<std::string> apart;
  size_t joined = 0;
  for (const attention::Mechanism& mechanism : attention::mechanisms())
    for (const char* field : {"attention", "position"}) {
      SCOPED_TRACE(mechanism.name);
      seed(3);
      std::unique_ptr<SequenceModel> model;
      try {
        model =
            make_model("decoder-lm", {{"target_words", "9"}, {"width", "16"}, {"heads", "4"}, {field, mechanism.name}});
      } catch (const Error&) {
        continue;
      }
      if (model->join(*model->begin(none), *model->begin(one)))
        expect_joined(*model, none, one), ++joined;
      else
        apart.insert(mechanism.name);
    }
  EXPECT_EQ(apart, (std::set<std::string>{"learned_positions", "location", "sinusoidal", "strided_fixed"}));
  EXPECT_GT(joined, 20u);
}

TEST_P(Models, PaddingMovesNothing) {
  const NoGrad scope;
  const auto model = small();
  const Decoded together = model->forward(source(), target());
  Sentences alone = source();
  if (info().has_source)
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
  const auto model = small(), again = make_model(info().name, model->configuration());
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

// What a model is trained for: all losses of its own are in.
Tensor total_loss(const SequenceModel& model, const Sentences& source, const Sentences& target, const Pass& pass) {
  const Decoded decoded = model.forward(source, target, pass);
  Tensor next({3, 4}, Dtype::i64);
  next.fill(3);
  const Tensor loss = model.loss(decoded.features, next, {.reduction = Reduction::sum});
  return decoded.loss.defined() ? loss + decoded.loss : loss;
}

TEST_P(Models, DropoutIsOfTrainingAlone) {
  const NoGrad scope;
  for (const ModelField& field : info().fields) {
    if (!field.name.ends_with("dropout")) continue;
    Fields fields = {{"dropout", "0"}};
    fields[field.name] = "0.5";
    const auto model = small(fields);
    const auto features = [&](bool training) {
      return model->forward(source(), target(), {.training = training}).features.values();
    };
    EXPECT_TRUE(close(features(false), features(false), 1e-6)) << field.name;
    EXPECT_FALSE(close(features(true), features(false), 1e-4)) << field.name;
  }
}

TEST_P(Models, ValuesOutsideOfTheirBoundsAreRefused) {
  const auto refused = [](const std::string& name, const std::string& value) {
    return complains([&] { small({{name, value}}); }, {name, value, "wanted"});
  };
  for (const ModelField& field : info().fields) {
    if (field.name.ends_with("dropout")) {
      EXPECT_TRUE(refused(field.name, "1"));
      EXPECT_TRUE(refused(field.name, "-0.1"));
    }
    if (field.value.find_first_not_of("0123456789.") == std::string::npos && !field.value.empty()) {
      EXPECT_TRUE(refused(field.name, "-2")) << field.name;
    }
    for (const char* count : {"width", "layers", "kernel", "heads", "longest", "source_words", "target_words"})
      if (field.name == count) {
        EXPECT_TRUE(refused(field.name, "0"));
      }
  }
  EXPECT_TRUE(complains([] { make_model(info().name, {}); }, {"_words", "0", "wanted"}));
}

// A mechanism works step by step as it does on the whole, or is refused by its name.
TEST_P(Models, EveryMechanismWorksOrIsRefused) {
  if (!has("attention")) GTEST_SKIP() << "no attention";
  const NoGrad scope;
  int works = 0, refused = 0;
  for (const attention::Mechanism& mechanism : attention::mechanisms()) {
    SCOPED_TRACE(mechanism.name);
    std::unique_ptr<SequenceModel> model;
    try {
      model = small({{"attention", mechanism.name}});
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(mechanism.name), std::string::npos) << error.what();
      ++refused;
      continue;
    }
    const Decoded whole = model->forward(source(), target());
    const auto state = model->begin(source());
    for (int64_t t = 0; t < 4; ++t)
      EXPECT_TRUE(close(model->step(*state, column(target().ids, t)).features.values(),
                        column(whole.features, t).values(), 2e-5))
          << t;
    ++works;
  }
  EXPECT_GT(works, 10);
  EXPECT_GT(refused, 5);
}

// Of the sentences above: (3,4,4).
Tensor alignment() {
  Tensor to = zeros({3, 4, 4});
  to.at<float>({0, 0, 1}) = 1, to.at<float>({0, 2, 0}) = 0.25f, to.at<float>({0, 2, 3}) = 0.75f;
  to.at<float>({2, 1, 2}) = 1;
  return to;
}

TEST_P(Models, LossesOfTheAlignmentAreSumsOverTheTarget) {
  if (!has("coverage")) GTEST_SKIP() << "no such losses";
  const NoGrad scope;
  const auto model = small({{"coverage", "0.5"}, {"guide", "2"}, {"dropout", "0"}});
  const Decoded decoded = model->forward(source(), target(), {.training = true, .alignment = alignment()});
  double coverage = 0, guide = 0;
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t j = 0; j < 4; ++j) {
      double seen = 0;
      for (int64_t t = 0; t < target().lengths.value({b}); ++t) {
        const double a = decoded.weights.value({b, t, j}), wanted = alignment().value({b, t, j});
        coverage += std::min(a, seen), seen += a;
        if (wanted > 0) guide -= wanted * std::log(std::max(a, 1e-9));
      }
    }
  EXPECT_GT(coverage, 0);
  EXPECT_NEAR(decoded.loss.item(), 0.5 * coverage + 2 * guide, 1e-4 * (1 + coverage + guide));
  EXPECT_FALSE(model->forward(source(), target()).loss.defined());
}

TEST_P(Models, WhatHasNoAlignmentLearnsFromNone) {
  if (has("guide")) GTEST_SKIP() << "it learns from one";
  const auto model = small();
  EXPECT_TRUE(complains([&] { model->forward(source(), target(), {.alignment = alignment()}); }, {"alignment"}));
}

// Each weight a little along its own gradient: the loss changes by the gradient's length.
TEST_P(Models, GradientsAreThoseOfTheWholeLoss) {
  Fields fields = {{"dropout", "0"}};
  if (has("activation") && !GetParam().fields.contains("activation")) fields["activation"] = "gelu";  // without a kink
  Pass pass{.training = true};
  if (has("coverage")) fields["coverage"] = "2", pass.alignment = alignment();
  const auto model = small(fields);
  backward(total_loss(*model, source(), target(), pass));
  const NoGrad scope;
  for (const auto& [name, of] : model->weights()) {
    Tensor weight = of;
    const double length = norm(weight.grad()).item(), step = 0.002;
    const Tensor before = weight.detach().clone(), direction = weight.grad() / std::max(length, 1e-9);
    const auto moved = [&](double by) {
      weight.copy_from(before + direction * by);
      return total_loss(*model, source(), target(), pass).item();
    };
    EXPECT_NEAR((moved(step) - moved(-step)) / (2 * step), length, 0.01 * length + 5e-3) << name;
    weight.copy_from(before);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Models, ::testing::ValuesIn(ways()), [](const auto& info) {
  std::string name = info.param.info.name;
  for (const auto& [field, text] : info.param.fields) name += "_" + field + "_" + text;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ModelTable, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(complains([] { make_model("rnn-sarch", {}); }, {"rnn-sarch", "rnn-search"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"depth", "3"}}); }, {"rnn-search", "depth", "width"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"width", "x"}}); }, {"width", "x", "whole number"}));
  EXPECT_TRUE(complains([] { make_model("rnn-search", {{"cell", "lstn"}}); }, {"cell", "lstn", "lstm, gru"}));
}

// Texts that share rows: each is read as if it were alone, wherever it stands, and teaches the same.
TEST(Packed, TextsAreReadAsIfAlone) {
  const std::vector<std::vector<int32_t>> texts = {{1, 4, 5, 6}, {1, 3}, {1, 7, 8}, {1, 2, 3, 4, 5}};
  for (const char* position : {"learned", "sinusoidal", "none", "rope", "alibi", "t5", "transformer_xl"}) {
    seed(3);
    const auto model = make_model("decoder-lm", {{"target_words", "9"}, {"width", "16"}, {"position", position}});
    const auto gradients_of = [&](const Sentences& batch) {
      const Tensor features = model->forward({}, batch).features;
      const auto part = [&](int64_t row, int64_t begin, int64_t end) {
        return slice(slice(features, 0, row, row + 1), 1, begin, end);
      };
      const Tensor all = batch.documents.defined()
                             ? concat({part(0, 0, 4), part(0, 4, 6), part(1, 0, 3), part(2, 0, 5)}, 1)
                             : concat({part(0, 0, 4), part(1, 0, 2), part(2, 0, 3), part(3, 0, 5)}, 1);
      std::vector<Tensor> weights = {all};
      backward(sum(all * all));
      for (const auto& [name, weight] : model->weights())
        weights.push_back(weight.grad().clone()), Tensor(weight).zero_grad();
      return weights;
    };
    const Sentences packed = pack(texts, 6);
    ASSERT_EQ(packed.ids.shape(), (Shape{3, 6}));
    const std::vector<Tensor> together = gradients_of(packed), alone = gradients_of(pad(texts));
    for (size_t n = 0; n < alone.size(); ++n)
      EXPECT_TRUE(close(together[n].values(), alone[n].values(), 2e-5)) << position << n;
  }
  const auto other = make_model("transformer-xl", {{"target_words", "9"}, {"width", "16"}});
  EXPECT_TRUE(complains([&] { other->forward({}, pack(texts, 6)); }, {"transformer-xl", "share a row"}));
}

}  // namespace
}  // namespace heed
