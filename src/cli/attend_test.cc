#include "cli/attend.h"

#include <gtest/gtest.h>
#include <heed/attention.h>

#include <cmath>

#include "attention/mechanisms.h"
#include "support/close.h"
#include "support/files.h"
#include "support/gradcheck.h"

namespace heed::cli {
namespace {

using attention::Mechanism;
using attention::Sizes;
using heed::testing::close;
using heed::testing::refused;
using heed::testing::sample;

constexpr Sizes kSizes{1, 2, 2, 5, 5, 4, 4};

TensorFile file_for(const Mechanism& row) {
  TensorFile in{.tensors = {{"q", sample({1, 2, 5, 4}, -2, 2, 1)},
                            {"k", sample({1, 2, 5, 4}, -2, 2, 2)},
                            {"v", sample({1, 2, 5, 4}, -2, 2, 3)}}};
  for (const auto& [name, tensor] : example_tensors(row, kSizes, Dtype::f64, 7)) in.tensors.emplace_back(name, tensor);
  return in;
}
TensorFile plain() { return file_for(attention::mechanism("scaled_dot")); }
TensorFile with(TensorFile file, const std::string& name, const Tensor& tensor) {
  std::erase_if(file.tensors, [&](const auto& each) { return each.first == name; });
  file.tensors.emplace_back(name, tensor);
  return file;
}
TensorFile without(TensorFile file, const std::string& name) {
  std::erase_if(file.tensors, [&](const auto& each) { return each.first == name; });
  return file;
}

class EachMechanism : public ::testing::TestWithParam<size_t> {
 protected:
  const Mechanism& row() const { return attention::mechanisms()[GetParam()]; }
};

TEST_P(EachMechanism, IsWhatTheLibraryComputes) {
  const TensorFile in = file_for(row());
  const TensorFile out = attend_file(in, {.mechanism = row().name, .weights = true});
  AttendOptions options = row().options(example_tensors(row(), kSizes, Dtype::f64, 7), kSizes);
  Random random{1, 0, 0};
  options.return_weights = true, options.random = &random;
  const Attended want = attend(in["q"], in["k"], in["v"], options);
  EXPECT_TRUE(close(out["out"].values(), want.out.values(), 0));
  EXPECT_TRUE(close(out["weights"].values(), want.weights.values(), 0));
  EXPECT_EQ(out.contains("log_sum_exp"), want.log_sum_exp.defined());
  EXPECT_FALSE(out.contains("dq"));
}

TEST_P(EachMechanism, GivesTheGradientsOfAllItIsMadeOf) {
  const TensorFile in = with(file_for(row()), "dout", sample({1, 2, 5, 4}, -1, 1, 4));
  const TensorFile out = attend_file(in, {.mechanism = row().name});
  for (const char* name : {"q", "k", "v"}) EXPECT_EQ(out[std::string("d") + name].shape(), in[name].shape()) << name;
  for (const auto& learned : row().learned)
    EXPECT_EQ(out[std::string("d_") + learned.name].shape(), in[learned.name].shape()) << learned.name;
}

TEST_P(EachMechanism, NamesALearnedTensorThatIsMissing) {
  for (const auto& learned : row().learned)
    EXPECT_TRUE(refused(ErrorKind::usage, {row().name, learned.name, "it holds"},
                        [&] { attend_file(without(file_for(row()), learned.name), {.mechanism = row().name}); }));
}

TEST_P(EachMechanism, NamesALearnedTensorOfAnotherShapeOrDtype) {
  for (const auto& learned : row().learned) {
    const Tensor own = file_for(row())[learned.name], odd = sample({3, 3, 3, 3}, -1, 1, 1);
    const auto call = [&](const Tensor& tensor) {
      attend_file(with(file_for(row()), learned.name, tensor), {.mechanism = row().name});
    };
    EXPECT_TRUE(
        refused(ErrorKind::usage, {row().name, learned.name, odd.shape().text(), "wanted ("}, [&] { call(odd); }));
    EXPECT_TRUE(refused(ErrorKind::usage, {row().name, learned.name, "f32", "f64"}, [&] { call(own.to(Dtype::f32)); }));
    EXPECT_TRUE(refused(ErrorKind::usage, {row().name, learned.name, "i64", "f64"}, [&] { call(own.to(Dtype::i64)); }));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EachMechanism, ::testing::Range<size_t>(0, attention::mechanisms().size()),
                         [](const auto& at) { return std::string(attention::mechanisms()[at.param].name); });

TEST(Attend, FlagsAreTheOptionsOfTheSameNames) {
  const TensorFile in = plain();
  const auto expect = [&](AttendCall call, const AttendOptions& options) {
    call.mechanism = "scaled_dot";
    EXPECT_TRUE(
        close(attend_file(in, call)["out"].values(), attend(in["q"], in["k"], in["v"], options).out.values(), 0));
  };
  expect({.causal = true}, {.span = causal()});
  expect({.window = {{1, 2}}}, {.span = window(1, 2)});
  expect({.causal = true, .window = {{1, 2}}}, {.span = causal() & window(1, 2)});
  expect({.scale = 0.7}, {.scores = scaled_dot(0.7)});
  expect({.normalizer = "sigmoid"}, {.normalizer = sigmoid()});
  expect({.normalizer = "softmax"}, {});
  expect({.position = "alibi"}, {.position = alibi(2)});
  expect({.soft_cap = 0.5}, {.soft_cap = 0.5});
  Random random{3, 0, 0};
  expect({.dropout = 0.5, .seed = 3}, {.dropout = 0.5f, .random = &random});
}

TEST(Attend, MaskBiasAndLengthsComeFromTheFile) {
  const Tensor mask = tensor({{1, 1, 0, 1, 1}}, Dtype::boolean), bias = sample({5, 5}, -1, 1, 5);
  const Tensor lengths = tensor({4}, Dtype::i64);
  TensorFile in = with(with(with(plain(), "mask", mask), "bias", bias), "key_lengths", lengths);
  in = with(in, "dout", sample({1, 2, 5, 4}, -1, 1, 4));
  const TensorFile out = attend_file(in, {.mechanism = "scaled_dot"});
  const Attended want =
      attend(in["q"], in["k"], in["v"], {.mask = mask, .bias = bias.detach(), .key_lengths = lengths});
  EXPECT_TRUE(close(out["out"].values(), want.out.values(), 0));
  EXPECT_EQ(out["dbias"].shape(), bias.shape());
}

// Rows that sum to 1, but for one that has none.
Tensor alignment_of(const Shape& shape) {
  Tensor rows = sample(shape, 0, 1, 6);
  rows = rows / sum(rows, -1, true);
  rows.slice(2, 1, 2).fill(0);
  return rows;
}

// −Σ A log a, or Σ (a − A)², the mean over the rows that have an alignment.
double loss_by_formula(const Tensor& alignment, const Tensor& weights, Guide guide) {
  const Tensor a = alignment.expand(weights.shape());
  const Tensor each = guide == Guide::cross_entropy ? a * log(weights) * -1 : square(weights - a);
  const Tensor rows = greater(sum(a, -1), 0).to(a.dtype());
  return sum(sum(each, -1) * rows).item() / sum(rows).item();
}

TEST(Attend, AnAlignmentGivesItsLossAndGradients) {
  const Tensor alignment = alignment_of({1, 1, 5, 5});
  for (const auto& guide : {std::optional<Guide>{}, {Guide::cross_entropy}, {Guide::squared_error}}) {
    const TensorFile in = with(plain(), "alignment", alignment);
    const TensorFile out = attend_file(in, {.mechanism = "scaled_dot", .weights = true, .guide = guide});
    const double want = loss_by_formula(alignment, out["weights"], guide.value_or(Guide::cross_entropy));
    EXPECT_NEAR(out["guided_loss"].item(), want, 1e-12);
    EXPECT_EQ(out["guided_loss"].rank(), 0);
    EXPECT_FALSE(out.contains("dv"));
    Tensor k = in["k"].clone();
    const double step = 1e-5;
    const auto at = [&](double away) {
      k.at<double>({0, 1, 2, 3}) = in["k"].value({0, 1, 2, 3}) + away;
      return attend_file(with(in, "k", k), {.mechanism = "scaled_dot", .guide = guide})["guided_loss"].item();
    };
    EXPECT_NEAR(out["dk"].value({0, 1, 2, 3}), (at(step) - at(-step)) / (2 * step), 1e-8);
  }
}

TEST(Attend, GradientsOfAnAlignmentAndOfOutAddUp) {
  const auto& row = attention::mechanism("additive");
  const TensorFile with_dout = with(file_for(row), "dout", sample({1, 2, 5, 4}, -1, 1, 4));
  const TensorFile with_alignment = with(file_for(row), "alignment", alignment_of({1, 1, 5, 5}));
  const TensorFile both = with(with_dout, "alignment", with_alignment["alignment"]);
  const auto out = [&](const TensorFile& in) { return attend_file(in, {.mechanism = "additive"}); };
  const TensorFile first = out(with_dout), second = out(with_alignment), all = out(both);
  for (const char* name : {"dq", "dk", "d_w", "d_u", "d_vec", "d_b"})
    EXPECT_TRUE(close(all[name].values(), (first[name] + second[name]).values(), 1e-12)) << name;
  EXPECT_TRUE(close(all["dv"].values(), first["dv"].values(), 1e-12));
  EXPECT_NE(second["d_w"].value({0, 0}), 0);
}

TEST(Attend, TheSeedSaysWhatIsDrawn) {
  const auto drawn = [](uint64_t seed) {
    const TensorFile out = attend_file(plain(), {.mechanism = "sampled", .weights = true, .seed = seed});
    for (const char* name : {"drawn", "log_probability", "entropy"})
      EXPECT_EQ(out[name].shape(), (Shape{1, 2, 5})) << name;
    return out["drawn"].values();
  };
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
}

TEST(Attend, ComputesInTheDtypeThatIsAskedFor) {
  EXPECT_EQ(attend_file(plain(), {.mechanism = "dot"})["out"].dtype(), Dtype::f64);
  EXPECT_EQ(attend_file(plain(), {.mechanism = "dot", .dtype = Dtype::f32})["out"].dtype(), Dtype::f32);
  const TensorFile in =
      with(with(plain(), "dout", sample({1, 2, 5, 4}, -1, 1, 4)), "alignment", alignment_of({1, 1, 5, 5}));
  const TensorFile want = attend_file(in, {.mechanism = "dot"});
  const TensorFile got = attend_file(in, {.mechanism = "dot", .dtype = Dtype::bf16});
  for (const char* name : {"out", "dq", "dv"}) {
    EXPECT_EQ(got[name].dtype(), Dtype::bf16) << name;
    EXPECT_TRUE(close(got[name].to(Dtype::f64).values(), want[name].values(), 0.05)) << name;
  }
  EXPECT_NEAR(got["guided_loss"].item(), want["guided_loss"].item(), 0.05);
}

TEST(Attend, SaysWhatDoesNotFit) {
  const auto call = [](AttendCall call) {
    if (call.mechanism.empty()) call.mechanism = "scaled_dot";
    return call;
  };
  const auto says = [&](const std::vector<std::string>& parts, const TensorFile& in, const AttendCall& given = {}) {
    return refused(ErrorKind::usage, parts, [&] { attend_file(in, call(given)); });
  };
  EXPECT_TRUE(says({"scaled_dto", "scaled_dot"}, plain(), {.mechanism = "scaled_dto"}));
  EXPECT_TRUE(says({"'k'", "lacks"}, without(plain(), "k")));
  EXPECT_TRUE(says({"'scale'", "q, k, v, mask"}, with(plain(), "scale", tensor({1}, Dtype::f64))));
  EXPECT_TRUE(says({"\\u{1b}"}, with(plain(), "\x1b[31m", tensor({1}, Dtype::f64))));
  EXPECT_TRUE(says({"q is 3 wide", "k is 4"}, with(plain(), "q", sample({1, 2, 5, 3}, -1, 1, 1))));
  EXPECT_TRUE(says({"(4)", "2 to 4 dimensions"}, with(plain(), "q", sample({4}, -1, 1, 1))));
  EXPECT_TRUE(says({"3 heads", "q's 2"},
                   with(with(plain(), "k", sample({1, 3, 5, 4}, -1, 1, 1)), "v", sample({1, 3, 5, 4}, -1, 1, 1))));
  EXPECT_TRUE(says({"mask", "(7)"}, with(plain(), "mask", Tensor::zeros({7}, Dtype::boolean))));
  EXPECT_TRUE(says({"key_lengths[0] is 9", "0 to 5"}, with(plain(), "key_lengths", tensor({9}, Dtype::i64))));
  EXPECT_TRUE(says({"dout", "(3)", "(1, 2, 5, 4)"}, with(plain(), "dout", sample({3}, -1, 1, 1))));
  EXPECT_TRUE(says({"f32", "f64"}, with(plain(), "q", plain()["q"].to(Dtype::f32))));
  EXPECT_TRUE(says({"--guide", "'alignment'"}, plain(), {.guide = Guide::squared_error}));
  EXPECT_TRUE(says({"alignment", "(7, 5)"}, with(plain(), "alignment", sample({7, 5}))));
  EXPECT_TRUE(says({"guided loss", "sigmoid"}, with(plain(), "alignment", sample({5, 5})), {.normalizer = "sigmoid"}));
  EXPECT_TRUE(says({"--position", "sigmoid"}, plain(), {.position = "sigmoid"}));
  EXPECT_TRUE(says({"--normalizer", "alibi"}, plain(), {.normalizer = "alibi"}));
  EXPECT_TRUE(says({"--scale", "dot"}, plain(), {.mechanism = "dot", .scale = 2}));
  EXPECT_TRUE(says({"scale of 0"}, plain(), {.scale = 0}));
  EXPECT_TRUE(says({"window of -1"}, plain(), {.window = {{-1, 0}}}));
  EXPECT_TRUE(says({"dropout of 1"}, plain(), {.dropout = 1}));
  EXPECT_TRUE(says({"soft cap of -1"}, plain(), {.soft_cap = -1}));
}

}  // namespace
}  // namespace heed::cli
