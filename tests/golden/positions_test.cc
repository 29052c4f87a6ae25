// Positions against Hugging Face's code and, for those that it lacks, against their formulas in NumPy
// (golden/make_positions.py).
#include <gtest/gtest.h>
#include <heed/attention.h>
#include <heed/io.h>

#include "support/close.h"

namespace heed {
namespace {

using heed::testing::close;

const TensorFile& golden() {
  static const TensorFile file = load_npz(HEED_GOLDEN "/positions.npz");
  return file;
}
Tensor given(const std::string& name) { return golden()[name].to(Dtype::f64); }

// The scores themselves: weights that are not normalised.
Tensor scores(const Tensor& q, const Tensor& k, AttendOptions options) {
  options.normalizer = no_normalizer();
  options.return_weights = true;
  return attend(q, k, k, options).weights;
}

void expect_rope(const std::string& name, RopeOptions options, double tolerance) {
  const Tensor q = given("rope/q"), k = given("rope/k");
  for (const auto layout : {RopeLayout::half_split, RopeLayout::interleaved}) {
    options.layout = layout;
    const Tensor got = scores(q, k, {.scores = dot(), .position = rope(options)});
    const std::string of = layout == RopeLayout::half_split ? "/half_split" : "/interleaved";
    EXPECT_TRUE(close(got.values(), given("rope/" + name + of).values(), tolerance)) << name << of;
  }
}

// The frequencies of all but the first two are in f32 there.
TEST(Rope, AgreesWithHuggingFace) {
  expect_rope("default", {}, 1e-12);
  expect_rope("partial", {.base = 500, .width = 8}, 1e-12);
  expect_rope("linear", {.scaling = RopeLinear{4}}, 1e-6);
  expect_rope("dynamic", {.scaling = RopeDynamicNtk{2, 64}, .offset = 93}, 3e-5);
  expect_rope("dynamic_short", {.scaling = RopeDynamicNtk{2, 64}, .offset = 33}, 1e-5);
  expect_rope("yarn", {.scaling = RopeYarn{.factor = 4, .trained = 64}}, 1e-6);
  expect_rope(
      "yarn_tuned",
      {.base = 1e6,
       .scaling = RopeYarn{.factor = 8, .trained = 512, .beta_fast = 24, .beta_slow = 2, .attention_factor = 1.25}},
      1e-6);
  expect_rope("llama3", {.base = 500, .scaling = RopeLlama3{.factor = 8, .trained = 64}}, 1e-6);
}

TEST(T5, AgreesWithHuggingFace) {
  for (const bool both : {true, false}) {
    const std::string name = both ? "t5/bidirectional" : "t5/causal";
    // Where q is 0 and head h's bucket b holds b, scores are the buckets.
    const Tensor zero = zeros({2, 301, 1}, Dtype::f64);
    const Tensor table = expand(arange(32, Dtype::f64), {2, 32});
    const Tensor got = scores(zero, zero, {.scores = dot(), .position = t5(table, {.bidirectional = both})})[0];
    const Tensor want = given(name + "/buckets");  // of the distances from −300 on
    for (int64_t j = 0; j < 301; ++j) {
      EXPECT_NEAR(got.value({0, j}), want.value({300 + j}), 1e-12) << "distance " << j;
      EXPECT_NEAR(got.value({300, j}), want.value({j}), 1e-12) << "distance " << j - 300;
    }
    const Tensor bias = scores(zeros({2, 3, 1}, Dtype::f64), zeros({2, 30, 1}, Dtype::f64),
                               {.scores = dot(), .position = t5(given(name + "/table"), {.bidirectional = both})});
    EXPECT_TRUE(close(bias.values(), given(name + "/bias").values(), 1e-15));
  }
}

TEST(Alibi, SlopesAreThoseOfBloom) {
  for (const int64_t heads : {8, 12}) {
    const Tensor q = zeros({heads, 1, 1}, Dtype::f64), k = zeros({heads, 2, 1}, Dtype::f64);
    const Tensor got = scores(q, k, {.position = alibi(heads)});
    for (int64_t h = 0; h < heads; ++h)
      EXPECT_NEAR(-got.value({h, 0, 0}), given("alibi/" + std::to_string(heads)).value({h}), 1e-7) << h;
  }
}

TEST(Shaw, AgreesWithItsFormula) {
  const Tensor q = given("shaw/q"), k = given("shaw/k"), v = given("shaw/v");
  const Position position = shaw(given("shaw/keys"), given("shaw/values"));
  EXPECT_TRUE(
      close(scores(q, k, {.position = shaw(given("shaw/keys"))}).values(), given("shaw/scores").values(), 1e-13));
  EXPECT_TRUE(close(attend(q, k, v, {.position = position}).out.values(), given("shaw/out").values(), 1e-13));
}

TEST(TransformerXl, AgreesWithItsFormula) {
  const auto of = [](const char* name) { return given(std::string("transformer_xl/") + name); };
  const Tensor got = scores(of("q"), of("k"), {.position = transformer_xl(of("u"), of("v"), of("w"))});
  EXPECT_TRUE(close(got.values(), of("scores").values(), 1e-13));
}

}  // namespace
}  // namespace heed
