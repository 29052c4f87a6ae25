#include "kernels/channel_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "kernels/streaming.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;
using Doubles = std::vector<double>;

enum class Mode { batch, inference, group };

struct Problem {
  Mode mode;
  int64_t batch, channels, inner, groups;
  bool affine;
  Doubles x, w, b, dy, given_mean, given_rstd;

  Problem(Mode mode, int64_t batch, int64_t channels, int64_t inner, int64_t groups, bool affine)
      : mode(mode), batch(batch), channels(channels), inner(inner), groups(groups), affine(affine) {
    std::mt19937 random(31);
    std::normal_distribution<float> normal;
    const auto fill = [&](Doubles& values, int64_t n, double shift) {
      for (int64_t i = 0; i < n; ++i) values.push_back(shift + static_cast<double>(normal(random)));
    };
    fill(x, batch * channels * inner, 2);
    fill(dy, batch * channels * inner, 0);
    fill(w, channels, 1);
    fill(b, channels, 0);
    fill(given_mean, channels, 2);
    for (int64_t c = 0; c < channels; ++c) given_rstd.push_back(0.5 + 0.1 * static_cast<double>(c));
  }

  int64_t channel(int64_t i) const { return i / inner % channels; }
  // Elements with the same number are normalised together.
  int64_t together(int64_t i) const {
    if (mode != Mode::group) return channel(i);
    return i / (inner * channels) * groups + channel(i) / (channels / groups);
  }
  int64_t statistics() const { return mode == Mode::group ? batch * groups : channels; }

  Doubles forward() const {
    Doubles count(statistics()), mean(statistics()), variance(statistics()), y;
    const int64_t n = std::ssize(x);
    for (int64_t i = 0; i < n; ++i) ++count[together(i)];
    for (int64_t i = 0; i < n; ++i) mean[together(i)] += x[i] / count[together(i)];
    for (int64_t i = 0; i < n; ++i) variance[together(i)] += std::pow(x[i] - mean[together(i)], 2) / count[together(i)];
    for (int64_t i = 0; i < n; ++i) {
      const bool given = mode == Mode::inference;
      const int64_t t = together(i), c = channel(i);
      const double h =
          given ? (x[i] - given_mean[c]) * given_rstd[c] : (x[i] - mean[t]) / std::sqrt(variance[t] + 1e-5);
      y.push_back(affine ? h * w[c] + b[c] : h);
    }
    return y;
  }
  Doubles differences(Doubles Problem::*input) const {
    Problem moved = *this;
    Doubles result;
    const auto loss = [&] {
      const Doubles y = moved.forward();
      double sum = 0;
      for (size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
      return sum;
    };
    for (double& value : moved.*input) {
      const double kept = value, h = 1e-5;
      value = kept + h;
      const double above = loss();
      value = kept - h;
      result.push_back((above - loss()) / (2 * h));
      value = kept;
    }
    return result;
  }
};

template <class T>
struct Result {
  std::vector<T> out, mean, rstd, dx, dw, db, running_mean, running_variance;

  explicit Result(const Problem& p) {
    const auto narrow = [](const Doubles& v) { return std::vector<T>(v.begin(), v.end()); };
    const std::vector<T> x = narrow(p.x), w = narrow(p.w), b = narrow(p.b), dy = narrow(p.dy);
    for (auto* v : {&out, &dx}) v->resize(x.size());
    mean.resize(p.statistics());
    rstd.resize(p.statistics());
    dw.resize(w.size());
    db.resize(w.size());
    running_mean.assign(w.size(), T{1});
    running_variance.assign(w.size(), T{1});
    const ChannelNorm<T> forward{x.data(),
                                 p.affine ? w.data() : nullptr,
                                 p.affine ? b.data() : nullptr,
                                 out.data(),
                                 mean.data(),
                                 rstd.data(),
                                 p.batch,
                                 p.channels,
                                 p.inner,
                                 1e-5};
    const ChannelNormBackward<T> backward{x.data(),    p.affine ? w.data() : nullptr,
                                          mean.data(), rstd.data(),
                                          dy.data(),   dx.data(),
                                          dw.data(),   db.data(),
                                          p.batch,     p.channels,
                                          p.inner};
    if (p.mode == Mode::batch) {
      batch_norm(forward, RunningStatistics<T>{running_mean.data(), running_variance.data(), 0.25, true});
      batch_norm_backward(backward);
    } else if (p.mode == Mode::inference) {
      mean = narrow(p.given_mean);
      rstd = narrow(p.given_rstd);
      ChannelNorm<T> given = forward;
      ChannelNormBackward<T> given_backward = backward;
      given.mean = mean.data(), given.rstd = rstd.data();
      given_backward.mean = mean.data(), given_backward.rstd = rstd.data();
      batch_norm_inference(given);
      batch_norm_inference_backward(given_backward);
    } else {
      group_norm(forward, p.groups);
      group_norm_backward(backward, p.groups);
    }
  }
};

std::vector<Problem> problems(int64_t batch, std::initializer_list<int64_t> inners) {
  std::vector<Problem> all;
  for (const Mode mode : {Mode::batch, Mode::inference, Mode::group})
    for (const int64_t inner : inners)
      for (const bool affine : {false, true})
        for (const int64_t groups : {1, 3, 6}) {
          if (mode != Mode::group && groups > 1) continue;
          if (mode == Mode::group && 6 / groups * inner == 1) continue;  // alone, a value is its own mean
          all.emplace_back(mode, batch, 6, inner, groups, affine);
        }
  return all;
}

TEST(ChannelNorm, Forward) {
  for (const Problem& p : problems(4, {1, 3, 16, 37, 130})) {
    EXPECT_TRUE(close(Result<double>(p).out, p.forward(), 1e-9)) << p.inner;
    EXPECT_TRUE(close(Result<float>(p).out, p.forward(), p.inner == 1 ? 1e-3 : 1e-5)) << p.inner;
  }
}

TEST(ChannelNorm, BackwardByFiniteDifferences) {
  for (const Problem& p : problems(3, {1, 2, 5})) {
    const Result<double> got(p);
    const bool close_values = p.mode == Mode::group && 6 / p.groups * p.inner == 2;
    EXPECT_TRUE(close(got.dx, p.differences(&Problem::x), close_values ? 1e-2 : 1e-5)) << p.inner;
    if (!p.affine) continue;
    EXPECT_TRUE(close(got.dw, p.differences(&Problem::w), 1e-6));
    EXPECT_TRUE(close(got.db, p.differences(&Problem::b), 1e-6));
  }
}

TEST(ChannelNorm, FloatBackwardMeetsDouble) {
  for (const Problem& p : problems(9, {16, 50, 129})) {
    const Result<double> want(p);
    const Result<float> got(p);
    EXPECT_TRUE(close(got.dx, want.dx, 2e-5));
    EXPECT_TRUE(close(got.dw, want.dw, 2e-5));
    EXPECT_TRUE(close(got.db, want.db, 2e-5));
  }
}

TEST(ChannelNorm, ManyChannelsWithoutInner) {
  const Problem p(Mode::batch, 300, 131, 1, 1, true);
  const Result<double> want(p);
  const Result<float> got(p);
  EXPECT_TRUE(close(want.out, p.forward(), 1e-11));
  EXPECT_TRUE(close(got.out, want.out, 1e-5));
  EXPECT_TRUE(close(got.dx, want.dx, 1e-5));
  EXPECT_TRUE(close(got.dw, want.dw, 1e-4));
}

TEST(ChannelNorm, RunningStatistics) {
  const Problem p(Mode::batch, 4, 2, 3, 1, false);
  const Result<double> got(p);
  for (int64_t c = 0; c < 2; ++c) {
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < 24; ++i) mean += p.channel(i) == c ? p.x[i] / 12 : 0;
    for (int64_t i = 0; i < 24; ++i) squares += p.channel(i) == c ? std::pow(p.x[i] - mean, 2) : 0;
    EXPECT_NEAR(got.running_mean[c], 0.75 + 0.25 * mean, 1e-12);
    EXPECT_NEAR(got.running_variance[c], 0.75 + 0.25 * squares / 11, 1e-12);
    EXPECT_NEAR(got.rstd[c], 1 / std::sqrt(squares / 12 + 1e-5), 1e-12);
  }
}

TEST(ChannelNorm, StreamedSameBitsForAnyThreads) {
  for (const Mode mode : {Mode::batch, Mode::inference, Mode::group}) {
    const Problem p(mode, 5, 64, kStreamingBytes / 4 / 320 + 3, 8, true);
    set_threads(1);
    const Result<float> one(p);
    set_threads(2);
    const Result<float> two(p);
    EXPECT_EQ(one.out, two.out);
    EXPECT_EQ(one.dx, two.dx);
    EXPECT_EQ(one.dw, two.dw);
    EXPECT_TRUE(close(two.out, p.forward(), 1e-5));
  }
}

}  // namespace
}  // namespace heed::kernels
