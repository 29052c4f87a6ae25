// What the rows' tests do not say: how spans combine, what they rule out, what they complain about.
#include <heed/attention.h>
#include <heed/base.h>

#include "attention/engine/bands.h"
#include "attention/reference.h"
#include "attention/slots.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

struct Given {
  Tensor q, k, v;
};
Given given(const Sizes& n) {
  return {sample({n.batch, n.heads, n.queries, n.width}, -2, 2, 1),
          sample({n.batch, n.groups, n.keys, n.width}, -2, 2, 2),
          sample({n.batch, n.groups, n.keys, n.value_width}, -2, 2, 3)};
}

::testing::AssertionResult agrees(const Given& x, const AttendOptions& options) {
  AttendOptions all = options;
  all.return_weights = true;
  const Attended got = attend(x.q, x.k, x.v, all);
  const Reference want = reference(x.q, x.k, x.v, all);
  const auto out = close(got.out.values(), want.out.values(), 1e-9);
  return out ? close(got.weights.values(), want.weights.values(), 1e-9) : out;
}

const Sizes kSizes{2, 2, 1, 34, 100, 5, 4};

TEST(Spans, AnyTwoCombine) {
  const Given x = given(kSizes);
  const Tensor lengths_of = tensor_from<int64_t>({99, 66}, {2}), prefixes = tensor_from<int64_t>({3, 90}, {2});
  const Tensor z = tensor_from<double>({3.5, 20}, {2}), w = sample({3, 5}, -1, 1, 5), v = sample({3}, -1, 1, 6);
  Tensor ids({2, 100}, Dtype::i64);
  for (int64_t j = 0; j < 100; ++j) ids.at<int64_t>({0, j}) = j / 40, ids.at<int64_t>({1, j}) = j / 70;
  const std::vector<Span> spans = {causal(),
                                   window(20, 3),
                                   lengths(lengths_of),
                                   prefix(80),
                                   prefix(prefixes),
                                   starts({2, 71}),
                                   documents(ids),
                                   local_m(30, 50),
                                   local_p(w, v, 20),
                                   dilated(9, 7),
                                   strided(9),
                                   strided_fixed(30, 4),
                                   adaptive(z, 10),
                                   block_sparse({{0, 2}, {}}, 32)};
  for (size_t a = 0; a < spans.size(); ++a)
    for (size_t b = 0; b < spans.size(); ++b)
      if (a != b) {
        EXPECT_TRUE(agrees(x, {.span = spans[a] & spans[b]})) << (spans[a] & spans[b]).room->name();
      }
}

TEST(Spans, TwoCentresDoNotCombine) {
  const Given x = given({1, 1, 1, 3, 4, 5, 4});
  const Tensor w = sample({3, 5}, -1, 1, 5), v = sample({3}, -1, 1, 6);
  EXPECT_TRUE(complains([&] { attend(x.q, x.k, x.v, {.span = local_p(w, v, 3) & local_p(w, v, 7)}); },
                        {"local_p(3)", "local_p(7)", "do not combine"}));
  EXPECT_TRUE(complains(
      [&] {
        guided_loss(x.q, x.k, sample({3, 4}), {.span = local_p(w, v, 3)});
      },
      {"local_p(3)", "guided loss", "do not combine"}));
}

TEST(Spans, AdaptiveWantsASoftmax) {
  const Given x = given({1, 1, 1, 3, 4, 5, 4});
  const Span span = adaptive(tensor_from<double>({2}, {1}), 4);
  EXPECT_TRUE(complains([&] { attend(x.q, x.k, x.v, {.span = span, .normalizer = sigmoid()}); },
                        {"adaptive", "sigmoid", "do not combine"}));
  EXPECT_TRUE(complains([&] { attend(x.q, x.k, x.v, {.span = span, .soft_cap = 5}); },
                        {"adaptive", "soft cap of 5", "do not combine"}));
}

TEST(Spans, DocumentsAreTheSameOneByOne) {
  const Given x = given({1, 2, 2, 150, 150, 5, 4});
  const Tensor packed = attend(x.q, x.k, x.v, {.span = documents({0, 37, 37, 129, 150}) & causal()}).out;
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 37}, {37, 129}, {129, 150}}) {
    const auto part = [&, begin = begin, end = end](const Tensor& t) { return t.slice(2, begin, end); };
    EXPECT_TRUE(
        close(part(packed).values(), attend(part(x.q), part(x.k), part(x.v), {.span = causal()}).out.values(), 1e-12));
  }
}

// Luong's S is the length of the sentence, not of the batch that it is padded to.
TEST(Spans, PaddingDoesNotMoveACentre) {
  const Given x = given({1, 2, 2, 9, 70, 5, 4});
  const Tensor w = sample({3, 5}, -1, 1, 5), v = sample({3}, -1, 1, 6);
  const auto part = [&](const Tensor& t) { return t.slice(2, 0, 40); };
  EXPECT_TRUE(
      close(attend(x.q, x.k, x.v, {.span = local_p(w, v), .key_lengths = tensor_from<int64_t>({40}, {1})}).out.values(),
            attend(x.q, part(x.k), part(x.v), {.span = local_p(w, v)}).out.values(), 1e-12));
}

// However the lengths are said: padding that holds NaN reaches neither a result nor a gradient.
TEST(Spans, LengthsHidePaddingFromEveryProduct) {
  const Given x = given({2, 2, 2, 9, 70, 5, 4});
  const Tensor lengths_of = tensor_from<int64_t>({40, 1}, {2});
  for (const Span& span : {lengths(lengths_of), lengths(lengths_of) & causal(), causal() & lengths(lengths_of)}) {
    Tensor k = x.k.clone();
    for (int64_t b = 0; b < 2; ++b) k[b].slice(1, lengths_of[b].item(), 70).fill(NAN);
    const Tensor w = sample({6, 5}, -1, 1, 5), u = sample({6, 5}, -1, 1, 6), v = sample({6}, -1, 1, 7);
    for (const Tensor& leaf : {w, u, v}) Tensor(leaf).requires_grad(true);
    backward(sum(attend(x.q, k, x.v, {.scores = additive(w, u, v), .span = span}).out));
    for (const Tensor& leaf : {w, u, v})
      for (const double gradient : leaf.grad().values()) ASSERT_TRUE(std::isfinite(gradient));
  }
}

// Distances as large as there are numbers: as far as the keys go.
TEST(Spans, HugeDistancesReachEverything) {
  const Given x = given({1, 2, 2, 70, 70, 5, 4});
  const auto same = [&](const Span& huge, const Span& plain) {
    return close(attend(x.q, x.k, x.v, {.span = huge}).out.values(),
                 attend(x.q, x.k, x.v, {.span = plain}).out.values(), 1e-12);
  };
  constexpr int64_t kHuge = INT64_MAX;
  EXPECT_TRUE(same(window(kHuge, kHuge), {}));
  EXPECT_TRUE(same(local_m(kHuge), {}));
  EXPECT_TRUE(same(dilated(kHuge, 1), {}));
  EXPECT_TRUE(same(dilated(1, kHuge), local_m(0)));
  EXPECT_TRUE(same(strided(kHuge), causal()));
  EXPECT_TRUE(same(strided_fixed(kHuge, kHuge), causal()));
  EXPECT_TRUE(same(block_sparse({{0}}, kHuge), {}));
}

// The Gaussian with everything else that multiplies weights: a gradient of the weights themselves, dropout, a cap.
TEST(Spans, CentresHaveTheirGradientBesideEverythingElse) {
  const Given x = given({2, 2, 1, 3, 7, 5, 4});
  const heed::testing::Inputs inputs = {x.q, x.k, x.v, sample({2, 3, 5}, -1, 1, 5), sample({2, 3}, -1, 1, 6)};
  for (const float dropout : {0.0f, 0.4f})
    EXPECT_TRUE(gradcheck(
        [&](const heed::testing::Inputs& in) {
          Random from{3, 0, 0};
          const Attended y = attend(in[0], in[1], in[2],
                                    {.span = local_p(in[3], in[4], 4),
                                     .soft_cap = 3,
                                     .dropout = dropout,
                                     .random = &from,
                                     .return_weights = true});
          return sum(y.out * y.out) + sum(y.weights * y.weights) + sum(y.log_sum_exp);
        },
        inputs));
}

TEST(Spans, GradientsOfCentresHaveTheSameBitsWithAnyThreads) {
  const Sizes n{1, 2, 1, 200, 300, 8, 8};
  const Given x = given(n);
  const auto run = [&](int count) {
    set_threads(count);
    Tensor w = sample({3, 8}, -1, 1, 5), v = sample({3}, -1, 1, 6), b = sample({1, 1, 200, 300}, -1, 1, 7);
    for (Tensor* t : {&w, &v, &b}) t->requires_grad(true);
    const auto all =
        gradients(sum(square(attend(x.q, x.k, x.v, {.span = local_p(w, v, 40), .bias = b}).out)), {w, v, b});
    return std::vector{all[0].values(), all[1].values(), all[2].values()};
  };
  const int before = threads();
  EXPECT_EQ(run(1), run(2));
  set_threads(before);
}

TEST(Spans, TheWidthOfAnAdaptiveSpanIsLearned) {
  Tensor z = tensor_from<double>({3, 9}, {2});
  z.requires_grad(true);
  EXPECT_EQ(gradients(adaptive_loss(z, 0.5), {z})[0].values(), (std::vector<double>{0.25, 0.25}));
  z.copy_from(tensor_from<double>({-1, 99}, {2}));
  adaptive_clamp(z, 32);
  EXPECT_EQ(z.values(), (std::vector<double>{0, 32}));
}

// The share of the tiles that the engine computes.
double share(const Span& span, int64_t queries, int64_t keys) {
  Pipeline p;
  p.n = {1, 1, 1, queries, keys, 4, 4};
  p.q = p.query = Tensor::zeros({1, 1, queries, 4});
  p.visible = Visible(queries, keys);
  span.room->prepare(p);
  return computed_share(p.visible, 1, 1);
}

TEST(Spans, TilesThatAreRuledOutAreNotComputed) {
  EXPECT_EQ(share(window(5000, 5000), 4096, 4096), 1);
  EXPECT_LE(share(causal(), 4096, 4096), .506);
  EXPECT_LE(share(window(256, 0), 4096, 4096), .075);
  EXPECT_LE(share(documents({0, 1024, 2048, 3072, 4096}), 4096, 4096), .251);
  EXPECT_LE(share(prefix(1024) & causal(), 4096, 4096), .506);
  EXPECT_LE(share(local_m(64), 4096, 4096), .05);
  EXPECT_LE(share(adaptive(tensor({100.f}), 28) & causal(), 4096, 4096), .045);
  EXPECT_LE(share(strided(512), 4096, 4096), .18);
  EXPECT_LE(share(strided_fixed(512, 32), 4096, 4096), .11);
  std::vector<std::vector<int64_t>> diagonal;
  for (int64_t i = 0; i < 64; ++i) diagonal.push_back({i});
  EXPECT_EQ(share(block_sparse(diagonal, 64), 4096, 4096), 1. / 64);
}

TEST(Spans, SayWhatIsWrong) {
  const Given x = given({2, 1, 1, 3, 4, 5, 4});
  const auto attending = [&](const Span& span) { attend(x.q, x.k, x.v, {.span = span}); };
  const auto i64 = [](const std::vector<int64_t>& values) {
    return tensor_from<int64_t>(values, {static_cast<int64_t>(values.size())});
  };
  EXPECT_TRUE(complains([&] { window(-1, 2); }, {"window", "-1", "negative"}));
  EXPECT_TRUE(complains([&] { prefix(-3); }, {"prefix", "-3"}));
  EXPECT_TRUE(complains([&] { attending(prefix(9)); }, {"prefix of 9", "there are 4"}));
  EXPECT_TRUE(complains([&] { attending(prefix(i64({1, 2, 3}))); }, {"3 lengths", "batch is 2"}));
  EXPECT_TRUE(complains([&] { starts({0, -1}); }, {"starts", "-1"}));
  EXPECT_TRUE(complains([&] { attending(starts({0})); }, {"1 texts", "batch has 2"}));
  EXPECT_TRUE(complains([&] { attending(starts({0, 5})); }, {"key 5", "there are 4"}));
  EXPECT_TRUE(complains([&] { attending(lengths(i64({1, 9}))); }, {"key_lengths[1] is 9", "0 to 4"}));
  EXPECT_TRUE(complains([&] { attending(lengths(tensor({1.f, 2.f}))); }, {"f32", "i64"}));
  EXPECT_TRUE(complains([&] { documents({0, 5, 3}); }, {"offset 2 is 3", "5"}));
  EXPECT_TRUE(complains([&] { documents(i64({0, 1, 0})); }, {"document 0", "again at key 2"}));
  EXPECT_TRUE(complains([&] { attending(documents({0, 3})); }, {"cover 3 keys", "there are 4"}));
  EXPECT_TRUE(complains([&] { local_m(-1); }, {"reach of -1"}));
  EXPECT_TRUE(complains([&] { local_p(sample({3, 5}), sample({4})); }, {"3 features", "takes 4"}));
  EXPECT_TRUE(complains([&] { attending(local_p(sample({3, 6}), sample({3}))); }, {"vectors of 6", "5 wide"}));
  EXPECT_TRUE(complains([&] { dilated(3, 0); }, {"step of 0"}));
  EXPECT_TRUE(complains([&] { strided(0); }, {"step of 0"}));
  EXPECT_TRUE(complains([&] { strided_fixed(4, 5); }, {"summary of 5", "block of 4"}));
  EXPECT_TRUE(complains([&] { attending(block_sparse({{0}, {7}}, 2)); }, {"block 7 of 2"}));
  EXPECT_TRUE(complains([&] { attending(block_sparse({{0}}, 2)); }, {"lists 1 blocks", "3 queries have 2"}));
  EXPECT_TRUE(complains([&] { adaptive(tensor({1.f}), 0); }, {"ramp of 0"}));
  EXPECT_TRUE(complains([&] { attending(adaptive(sample({3}), 2)); }, {"(3)", "1 heads"}));
  EXPECT_TRUE(complains([&] { attending(adaptive(tensor({1.f}), 2)); }, {"f32", "f64"}));
}

}  // namespace
}  // namespace heed::attention
