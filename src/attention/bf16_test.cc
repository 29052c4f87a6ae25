// bf16 in q, k, v and out against f64 on the same rounded numbers: every row of the table, every option, both passes.
#include <heed/autograd.h>

#include "attention/mechanisms.h"
#include "attention/reference.h"
#include "kernels/pairs.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::sample;

// Odd widths and lengths, groups, more than a block.
const std::vector<Sizes> kSizes = {{1, 2, 2, 5, 5, 4, 4},
                                   {2, 4, 2, 3, 7, 5, 3},
                                   {1, 1, 1, 131, 131, 16, 16},
                                   {1, 2, 2, 35, 200, 17, 9},
                                   {1, 2, 1, 150, 70, 80, 96}};

struct Given {
  Tensor q, k, v;
  explicit Given(const Sizes& n)
      : q(sample({n.batch, n.heads, n.queries, n.width}, -2, 2, 1).to(Dtype::bf16)),
        k(sample({n.batch, n.groups, n.keys, n.width}, -2, 2, 2).to(Dtype::bf16)),
        v(sample({n.batch, n.groups, n.keys, n.value_width}, -2, 2, 3).to(Dtype::bf16)) {}
};

// The largest difference, over the largest number that is wanted.
double error(const Tensor& got, const Tensor& want) {
  const auto a = got.values(), b = want.values();
  EXPECT_EQ(got.shape(), want.shape());
  double most = 0, size = 1e-30;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return INFINITY;
    if (std::isnan(b[i])) continue;
    most = std::max(most, std::abs(a[i] - b[i])), size = std::max(size, std::abs(b[i]));
  }
  return most / size;
}
constexpr double kRoundings = 0.012;  // some roundings to 8 bits

using MakeOptions = std::function<AttendOptions(Dtype)>;

std::vector<Tensor> all_of(const Given& x, const MakeOptions& make, Dtype dtype) {
  std::vector<Tensor> in = {x.q.to(dtype), x.k.to(dtype), x.v.to(dtype)};
  for (Tensor& t : in) t = t.detach().requires_grad(true);
  AttendOptions options = make(dtype == Dtype::bf16 ? Dtype::f32 : dtype);
  Random from{7, 0, 0};
  if (!options.random) options.random = &from;  // whatever draws begins at the same place
  const Tensor out = attend(in[0], in[1], in[2], options).out;
  EXPECT_EQ(out.dtype(), dtype);
  auto all = gradients(out, in, {.seed = sample(out.shape(), -1, 1, 5).to(Dtype::bf16).to(dtype)});
  for (const Tensor& d : all) EXPECT_EQ(d.dtype(), dtype);
  all.push_back(out);
  return all;
}

void expect_agreement(const Sizes& n, const MakeOptions& make, const std::string& what) {
  const Given x(n);
  const auto got = all_of(x, make, Dtype::bf16), want = all_of(x, make, Dtype::f64);
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_LT(error(got[i], want[i]), i < 3 ? 2 * kRoundings : kRoundings) << what << ", " << i << " of dq dk dv out";
}

class Rows : public ::testing::TestWithParam<size_t> {};

TEST_P(Rows, AgreesWithF64) {
  const Mechanism& row = mechanisms()[GetParam()];
  for (const Sizes& n : kSizes)
    expect_agreement(
        n, [&](Dtype dtype) { return row.options(example_tensors(row, n, dtype, 7), n); },
        fmt::format("{} of {} queries, {} keys", row.name, n.queries, n.keys));
}

INSTANTIATE_TEST_SUITE_P(Table, Rows, ::testing::Range<size_t>(0, mechanisms().size()),
                         [](const auto& at) { return std::string(mechanisms()[at.param].name); });

TEST(Bf16, TakesEveryOption) {
  for (const Sizes& n : kSizes) {
    const Tensor mask = greater(sample({n.queries, n.keys}, -1, 1, 8), -0.5);
    const std::pair<const char*, MakeOptions> options[] = {
        {"mask", [&](Dtype) { return AttendOptions{.mask = mask}; }},
        {"bias",
         [&](Dtype dtype) {
           return AttendOptions{.bias = sample({n.heads, 1, n.keys}, -1, 1, 9).to(dtype)};
         }},
        {"soft cap", [](Dtype) { return AttendOptions{.soft_cap = 2}; }},
        {"window", [](Dtype) { return AttendOptions{.span = causal() & window(6, 0)}; }},
        {"cap and sigmoid", [](Dtype) { return AttendOptions{.normalizer = sigmoid(), .soft_cap = 3}; }}};
    for (const auto& [name, make] : options) expect_agreement(n, make, name);
  }
}

TEST(Bf16, DropsTheSameWeightsAsF32) {
  const Sizes n{1, 2, 2, 131, 131, 16, 16};
  expect_agreement(
      n,
      [](Dtype) {
        static Random random;
        random = {3, 0, 0};
        return AttendOptions{.dropout = 0.3f, .random = &random};
      },
      "dropout");
}

TEST(Bf16, NaNReachesThoseWhoSeeItAndNoOthers) {
  Given x({1, 1, 1, 150, 150, 16, 16});
  x.v = x.v.to(Dtype::f32);
  x.v.at<float>({0, 0, 70, 3}) = NAN;
  x.v = x.v.to(Dtype::bf16);
  const Tensor out = attend(x.q, x.k, x.v, {.span = window(3, 0)}).out;
  for (int64_t i = 0; i < 150; ++i) EXPECT_EQ(std::isnan(out.value({0, 0, i, 3})), i >= 70 && i <= 73) << i;
}

TEST(Bf16, WeightsAreThoseOfF32) {
  const Given x({1, 2, 2, 35, 70, 8, 8});
  const Attended got = attend(x.q, x.k, x.v, {.return_weights = true});
  const Reference want = reference(x.q.to(Dtype::f64), x.k.to(Dtype::f64), x.v.to(Dtype::f64), {});
  EXPECT_EQ(got.weights.dtype(), Dtype::f32);
  EXPECT_LT(error(got.weights, want.weights), 1e-5);
  EXPECT_LT(error(got.out, want.out), kRoundings);
}

// One tensor three times: its gradient is a sum of three.
TEST(Bf16, GradientsAddUp) {
  const Tensor x = sample({1, 1, 9, 6}, -1, 1, 4).to(Dtype::bf16);
  const auto gradient = [&](Dtype dtype) {
    const Tensor y = x.to(dtype).detach().requires_grad(true);
    const Tensor out = attend(y, y, y).out;
    return gradients(out, {y}, {.seed = Tensor::full(out.shape(), 1, dtype)})[0];
  };
  EXPECT_LT(error(gradient(Dtype::bf16), gradient(Dtype::f64)), 2 * kRoundings);
}

TEST(Bf16, SaysWhenItGoesByWayOfF32) {
  const Given x({1, 2, 2, 35, 70, 8, 8});
  const auto text = [&](const AttendOptions& options) { return describe(x.q, x.k, x.v, options); };
  EXPECT_NE(text({.return_weights = true}).find("by way of f32"), std::string::npos);
  EXPECT_NE(text({.normalizer = sparsemax()}).find("by way of f32"), std::string::npos);
  EXPECT_EQ(text({.span = causal()}).find("by way of f32") == std::string::npos, kernels::multiplies_pairs());
}

TEST(Bf16, OneDtypeForAll) {
  const Given x({1, 2, 2, 5, 5, 4, 4});
  EXPECT_THROW(attend(x.q, x.k.to(Dtype::f32), x.v), Error);
  EXPECT_THROW(attend(x.q, x.k, x.v, {.bias = Tensor::zeros({5, 5}, Dtype::f64)}), Error);
}

}  // namespace
}  // namespace heed::attention
