#include "explain/seen_file.h"

#include "support/close.h"
#include "support/files.h"
#include "support/small_files.h"

namespace heed::explain {
namespace {

using testing::Folder;
using testing::refused;

const std::string kPair = R"({"source": ["a", "b", "c"], "target": ["x", "y"]})";

Seen seen_with(const TensorFile& weights, const std::string& json) { return seen_of(weights, json, "tokens.json"); }
TensorFile one(const std::string& name, const Tensor& x) { return {.tensors = {{name, x}}}; }
Tensor weights(const Shape& shape) { return Tensor::full(shape, 0.25); }

TEST(SeenFile, OneText) {
  const Seen seen = seen_with(one("layer.0", weights({2, 3, 3})), R"({"tokens": ["a", "b", "c"], "title": "T"})");
  EXPECT_EQ(seen.title, "T");
  EXPECT_EQ(seen.texts.at(0).tokens, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(seen.attention.at(0).weights.shape(), (Shape{2, 3, 3}));
}

TEST(SeenFile, NamesSayWhichTextsTheyAreAbout) {
  const Seen seen = seen_with({.tensors = {{"encoder.0", weights({1, 3, 3})},
                                           {"decoder.0.cross", weights({1, 2, 3})},
                                           {"decoder.0.self", weights({1, 2, 2})}}},
                              kPair);
  const SeenAttention &cross = seen.attention[0], &self = seen.attention[1], &encoder = seen.attention[2];
  EXPECT_EQ(cross.name, "decoder.0.cross");
  EXPECT_TRUE(cross.queries == 1 && cross.keys == 0);
  EXPECT_TRUE(self.queries == 1 && self.keys == 1);
  EXPECT_TRUE(encoder.queries == 0 && encoder.keys == 0);
}

TEST(SeenFile, OrTheFileSaysSo) {
  const Seen seen = seen_with(one("mine", weights({1, 2, 3})), R"({"texts": [{"name": "question", "tokens": ["x", "y"]},
      {"name": "passage", "tokens": ["a", "b", "c"]}],
      "attention": {"mine": {"queries": "question", "keys": "passage"}}})");
  EXPECT_TRUE(seen.attention[0].queries == 0 && seen.attention[0].keys == 1);
}

TEST(SeenFile, NumbersInNamesAreNumbers) {
  TensorFile file;
  for (const char* name : {"layer.10", "layer.2", "layer.1", "layer"}) file.tensors.emplace_back(name, weights({1, 1}));
  std::vector<std::string> names;
  for (const SeenAttention& each : seen_with(file, R"({"tokens": ["a"]})").attention) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"layer", "layer.1", "layer.2", "layer.10"}));
}

TEST(SeenFile, ABatchOfOneAndHalfPrecision) {
  const Seen seen = seen_with(one("a", weights({1, 2, 3, 3}).to(Dtype::f16)), R"({"tokens": ["a", "b", "c"]})");
  EXPECT_EQ(seen.attention[0].weights.shape(), (Shape{2, 3, 3}));
  EXPECT_EQ(seen.attention[0].weights.dtype(), Dtype::f32);
}

TEST(SeenFile, RefusedWithASentence) {
  struct Case {
    TensorFile weights;
    std::string json;
    std::vector<std::string> parts;
    ErrorKind kind = ErrorKind::format;
  };
  const auto file = [](double value) {
    Tensor x = weights({1, 3, 3});
    x.at<float>({0, 1, 2}) = static_cast<float>(value);
    return one("layer", x);
  };
  const std::string text = R"({"tokens": ["a", "b", "c"]})";
  const Case cases[] = {
      {file(0), R"({"tokens": ["a", "b"]})", {"layer", "(1, 3, 3)", "2 tokens", "(heads, 2, 2)"}, ErrorKind::usage},
      {file(NAN), text, {"layer", "nan", "head 0, query 1, key 2"}, ErrorKind::usage},
      {file(INFINITY), text, {"layer", "inf"}, ErrorKind::usage},
      {one("layer", weights({2, 1, 3, 3})), text, {"(2, 1, 3, 3)", "one text"}, ErrorKind::usage},
      {one("layer", Tensor::zeros({1, 3, 3}, Dtype::i64)), text, {"i64", "floats"}, ErrorKind::usage},
      {TensorFile{}, text, {"no tensor"}, ErrorKind::usage},
      {file(0), "{", {"tokens.json", "not JSON"}},
      {file(0), "[]", {"array, wanted an object"}},
      {file(0), "{}", {"'tokens'", "'source'"}},
      {file(0), R"({"tokens": []})", {"no tokens"}},
      {file(0), R"({"tokens": [1]})", {"number, wanted texts"}},
      {file(0), R"({"tokens": ["a", "b", "c"], "source": ["a"]})", {"which texts 'layer' is about"}},
      {file(0), R"({"texts": [{"name": "a", "tokens": ["x"]}, {"name": "a", "tokens": ["x"]}]})", {"two texts"}},
      {file(0), R"({"tokens": ["a", "b", "c"], "attention": {"no": {}}})", {"'no'", "lack"}},
      {file(0),
       R"({"tokens": ["a", "b", "c"], "attention": {"layer": {"queries": "text", "keys": "?"}}})",
       {"'?'", "no text's name"}},
      {file(0),
       R"({"tokens": ["a", "b", "c"], "scores": [{"method": "m", "values": [1]}]})",
       {"'m'", "1 values for the 3 tokens"},
       ErrorKind::usage},
      {file(0), R"({"tokens": ["a", "b", "c"], "steps": [{"token": "a", "probability": 2}]})", {"is 2, wanted 0 to 1"}},
      {file(0),
       R"({"tokens": ["a", "b", "c"], "answers": [{"tokens": ["x", "y"], "log_probabilities": [-1]}]})",
       {"1 log-probabilities for its 2 tokens"},
       ErrorKind::usage},
      {file(0),
       R"({"tokens": ["a", "b", "c"], "answers": [{"tokens": ["x"], "log_probabilities": [0.5]}]})",
       {"the log-probability 0.5"},
       ErrorKind::usage},
      {{.tensors = {{"layer", weights({1, 3, 3})}, {"layer.q", weights({1, 3, 4})}}},
       text,
       {"q without k"},
       ErrorKind::usage},
      {{.tensors = {{"layer", weights({1, 3, 3})}, {"layer.q", weights({1, 3, 4})}, {"layer.k", weights({1, 2, 4})}}},
       text,
       {"do not belong"},
       ErrorKind::usage},
  };
  for (const Case& each : cases)
    EXPECT_TRUE(refused(each.kind, each.parts, [&] { seen_with(each.weights, each.json); })) << each.json;
}

TEST(SeenFile, HoldsAllThatAPictureIsDrawnFrom) {
  const Folder folder;
  save_safetensors(folder / "w", {.tensors = {{"cross", weights({2, 1, 2})},
                                              {"cross.q", Tensor::full({2, 1, 4}, -1)},
                                              {"cross.k", Tensor::full({2, 2, 4}, 2)}}});
  testing::write_file(folder / "t", R"({"title": "T", "source": ["a", "<b>"], "target": ["x"],
      "scores": [{"method": "occlusion", "text": "target", "values": [0.5], "sufficiency": 0.125}],
      "steps": [{"token": "x", "probability": 0.5, "entropy": 1.5, "alternatives": [{"token": "y", "probability": 0.25}]}],
      "answers": [{"tokens": ["x", "y"], "log_probabilities": [-0.5, -0.25], "score": -0.375}]})");
  const Seen seen = read_seen(folder / "w", folder / "t");
  EXPECT_EQ(seen.title, "T");
  EXPECT_EQ(seen.texts[0].tokens, (std::vector<std::string>{"a", "<b>"}));
  EXPECT_TRUE(testing::close(seen.attention[0].k.values(), std::vector<double>(16, 2), 0));
  EXPECT_TRUE(seen.attention[0].queries == 1 && seen.attention[0].keys == 0);
  EXPECT_TRUE(seen.scores[0].text == 1 && seen.scores[0].sufficiency == 0.125);
  EXPECT_TRUE(seen.answers.at(0).tokens.at(1) == "y" && seen.answers[0].score == -0.375);
  EXPECT_TRUE(seen.steps[0].entropy == 1.5 && seen.steps[0].alternatives[0].token == "y");
}

TEST(SeenFile, SmallFilesTakeLittle) {
  const std::string whole = R"({"source": ["a", "b", "c"], "target": ["x", "y"], "title": "t",
      "attention": {"mine": {"queries": "target", "keys": "source"}}, "scores": [{"method": "m", "text": "target",
      "values": [1, 0.5]}], "steps": [{"token": "a", "probability": 0.5, "alternatives": []}]})";
  testing::expect_small_files_within_limits(
      500, [&](testing::Faults& faults) { return faults(whole); },
      [&](const std::string& path) {
        seen_with(one("mine", weights({1, 2, 3})), testing::file_content(path));
      });
}

}  // namespace
}  // namespace heed::explain
