#include "kernels/channel_norm.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "kernels/scratch.h"
#include "kernels/segments.h"
#include "kernels/streaming.h"

namespace heed::kernels {
namespace {

int64_t grain(int64_t elements) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elements)); }

// [batch][channels] without inner: channels go by strips of a few cache lines, their values side by side in each row.
constexpr int64_t kStrip = 64;

// sums[c] += term(row, c) over all rows, rows in order: a strip stays in the first cache.
template <class T, class Term>
void add_rows(int64_t batch, int64_t count, T* sums, const Term& term) {
  std::fill_n(sums, count, T{0});
  for (int64_t row = 0; row < batch; ++row)
    for (int64_t c = 0; c < count; ++c) sums[c] += term(row, c);
}

template <class Body>
void for_strips(int64_t batch, int64_t channels, const Body& body) {
  const int64_t strips = (channels + kStrip - 1) / kStrip;
  parallel(strips, grain(batch * kStrip), [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) body(s * kStrip, std::min(kStrip, channels - s * kStrip));
  });
}

template <class T>
T weight_of(const T* weight, int64_t channel) {
  return weight ? weight[channel] : T{1};
}

// Means and mean squared deviations of all channels: mean, and the variance in the place of rstd.
template <class T>
void channel_statistics(const ChannelNorm<T>& of) {
  const T count = static_cast<T>(of.batch * of.inner);
  if (of.inner == 1) {
    for_strips(of.batch, of.channels, [&](int64_t first, int64_t strip) {
      const T* x = of.x + first;
      T *mean = of.mean + first, *variance = of.rstd + first;
      add_rows(of.batch, strip, mean, [&](int64_t row, int64_t c) { return x[row * of.channels + c]; });
      for (int64_t c = 0; c < strip; ++c) mean[c] /= count;
      add_rows(of.batch, strip, variance, [&](int64_t row, int64_t c) {
        const T d = x[row * of.channels + c] - mean[c];
        return d * d;
      });
      for (int64_t c = 0; c < strip; ++c) variance[c] /= count;
    });
    return;
  }
  parallel(of.channels, grain(of.batch * of.inner), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      T sum = 0, squares = 0;
      const auto segment = [&](int64_t b) { return of.x + (b * of.channels + c) * of.inner; };
      for (int64_t b = 0; b < of.batch; ++b) sum += segment_sum(segment(b), of.inner);
      of.mean[c] = sum / count;
      for (int64_t b = 0; b < of.batch; ++b) squares += segment_squares(segment(b), of.inner, of.mean[c]);
      of.rstd[c] = squares / count;
    }
  });
}

template <class T>
void follow(const RunningStatistics<T>& running, const ChannelNorm<T>& of) {
  const double count = static_cast<double>(of.batch * of.inner);
  const double correction = running.unbiased && count > 1 ? count / (count - 1) : 1;
  const T momentum = static_cast<T>(running.momentum);
  for (int64_t c = 0; c < of.channels; ++c) {
    if (running.mean) running.mean[c] += momentum * (of.mean[c] - running.mean[c]);
    if (running.variance)
      running.variance[c] += momentum * (static_cast<T>(of.rstd[c] * correction) - running.variance[c]);
  }
}

// dx = from_dy dy + from_x (x - mean) + constant of one channel, from its sums over `count` elements.
template <class T>
SegmentGradient<T> gradient_factors(T mean, T rstd, T weight, T mean_g, T mean_gh) {
  return {mean, rstd * weight, -rstd * rstd * mean_gh, -rstd * mean_g};
}

struct BatchSums;

// sums[c] = sum dy, sums[channels + c] = sum dy (x - mean) of all channels.
template <class T>
T* channel_gradient_sums(const ChannelNormBackward<T>& of) {
  T* sums = scratch<BatchSums, T>(2 * of.channels);
  T *dy_sums = sums, *dy_x_sums = sums + of.channels;
  if (of.inner == 1) {
    for_strips(of.batch, of.channels, [&](int64_t first, int64_t strip) {
      const T *x = of.x + first, *dy = of.out_gradient + first, *mean = of.mean + first;
      add_rows(of.batch, strip, dy_sums + first, [&](int64_t row, int64_t c) { return dy[row * of.channels + c]; });
      add_rows(of.batch, strip, dy_x_sums + first, [&](int64_t row, int64_t c) {
        return dy[row * of.channels + c] * (x[row * of.channels + c] - mean[c]);
      });
    });
    return sums;
  }
  parallel(of.channels, grain(of.batch * of.inner), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      SegmentSums<T> total;
      for (int64_t b = 0; b < of.batch; ++b) {
        const int64_t at = (b * of.channels + c) * of.inner;
        const SegmentSums<T> part = segment_gradient_sums(of.x + at, of.out_gradient + at, of.inner, of.mean[c]);
        total.dy += part.dy;
        total.dy_x += part.dy_x;
      }
      dy_sums[c] = total.dy;
      dy_x_sums[c] = total.dy_x;
    }
  });
  return sums;
}

template <class T>
void write_weight_gradients(const ChannelNormBackward<T>& of, const T* sums) {
  for (int64_t c = 0; c < of.channels; ++c) {
    if (of.weight_gradient) of.weight_gradient[c] = sums[of.channels + c] * of.rstd[c];
    if (of.bias_gradient) of.bias_gradient[c] = sums[c];
  }
}

// factors(c) for every channel, then dx of every segment.
template <class T, class Factors>
void write_input_gradient(const ChannelNormBackward<T>& of, const Factors& factors) {
  const bool stream = streams(of.x_gradient, of.batch * of.channels * of.inner, of.x_gradient == of.out_gradient);
  if (of.inner == 1) {
    parallel(of.batch, grain(of.channels), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t c = 0; c < of.channels; ++c) {
          const SegmentGradient<T> f = factors(c);
          const int64_t i = row * of.channels + c;
          of.x_gradient[i] = of.out_gradient[i] * f.from_dy + (of.x[i] - f.mean) * f.from_x + f.constant;
        }
    });
    return;
  }
  parallel(of.channels, grain(of.batch * of.inner), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      for (int64_t b = 0; b < of.batch; ++b) {
        const int64_t at = (b * of.channels + c) * of.inner;
        segment_gradient(of.x + at, of.out_gradient + at, of.x_gradient + at, of.inner, factors(c), stream);
      }
    finish_streaming(stream);
  });
}

struct GroupSums;

}  // namespace

template <class T>
void batch_norm_inference(const ChannelNorm<T>& of) {
  const auto scale = [&](int64_t c) { return of.rstd[c] * weight_of(of.weight, c); };
  const auto shift = [&](int64_t c) { return of.bias ? of.bias[c] : T{0}; };
  if (of.inner == 1) {
    parallel(of.batch, grain(of.channels), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t c = 0; c < of.channels; ++c)
          of.out[row * of.channels + c] = (of.x[row * of.channels + c] - of.mean[c]) * scale(c) + shift(c);
    });
    return;
  }
  const bool stream = streams(of.out, of.batch * of.channels * of.inner, of.out == of.x);
  parallel(of.channels, grain(of.batch * of.inner), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      for (int64_t b = 0; b < of.batch; ++b) {
        const int64_t at = (b * of.channels + c) * of.inner;
        segment_scale(of.x + at, of.out + at, of.inner, of.mean[c], scale(c), shift(c), stream);
      }
    finish_streaming(stream);
  });
}

template <class T>
void batch_norm(const ChannelNorm<T>& of, const RunningStatistics<T>& running) {
  if (of.batch * of.inner == 0) return;
  channel_statistics(of);
  follow(running, of);
  for (int64_t c = 0; c < of.channels; ++c)
    of.rstd[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(of.rstd[c]) + of.epsilon));
  batch_norm_inference(of);
}

template <class T>
void batch_norm_backward(const ChannelNormBackward<T>& of) {
  const T* sums = channel_gradient_sums(of);
  write_weight_gradients(of, sums);
  const T count = static_cast<T>(of.batch * of.inner);
  write_input_gradient(of, [&](int64_t c) {
    const T weight = weight_of(of.weight, c), mean_gh = weight * sums[of.channels + c] * of.rstd[c] / count;
    return gradient_factors(of.mean[c], of.rstd[c], weight, weight * sums[c] / count, mean_gh);
  });
}

template <class T>
void batch_norm_inference_backward(const ChannelNormBackward<T>& of) {
  if (of.weight_gradient || of.bias_gradient) write_weight_gradients(of, channel_gradient_sums(of));
  write_input_gradient(
      of, [&](int64_t c) { return gradient_factors(of.mean[c], of.rstd[c], weight_of(of.weight, c), T{0}, T{0}); });
}

template <class T>
void group_norm(const ChannelNorm<T>& of, int64_t groups) {
  const int64_t members = of.channels / groups, n = members * of.inner;
  const bool stream = streams(of.out, of.batch * of.channels * of.inner, of.out == of.x);
  if (n == 0) return;
  parallel(of.batch * groups, grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* x = of.x + row * n;
      const T mean = of.mean[row] = segment_sum(x, n) / static_cast<T>(n);
      const double variance = static_cast<double>(segment_squares(x, n, mean)) / static_cast<double>(n);
      const T rstd = of.rstd[row] = static_cast<T>(1 / std::sqrt(variance + of.epsilon));
      for (int64_t k = 0; k < members; ++k) {
        const int64_t c = row % groups * members + k, at = row * n + k * of.inner;
        segment_scale(of.x + at, of.out + at, of.inner, mean, rstd * weight_of(of.weight, c),
                      of.bias ? of.bias[c] : T{0}, stream);
      }
    }
    finish_streaming(stream);
  });
}

template <class T>
void group_norm_backward(const ChannelNormBackward<T>& of, int64_t groups) {
  const int64_t members = of.channels / groups, n = members * of.inner, all = of.batch * of.channels;
  const bool stream = streams(of.x_gradient, all * of.inner, of.x_gradient == of.out_gradient);
  // Sums of dy and of dy h of every channel of every element of the batch.
  T *dy_sums = scratch<GroupSums, T>(2 * all), *dy_h_sums = dy_sums + all;
  parallel(of.batch * groups, grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T mean = of.mean[row], rstd = of.rstd[row];
      T mean_g = 0, mean_gh = 0;
      for (int64_t k = 0; k < members; ++k) {
        const int64_t segment = row * members + k, at = segment * of.inner;
        const T weight = weight_of(of.weight, segment % of.channels);
        const SegmentSums<T> sums = segment_gradient_sums(of.x + at, of.out_gradient + at, of.inner, mean);
        dy_sums[segment] = sums.dy;
        dy_h_sums[segment] = sums.dy_x * rstd;
        mean_g += weight * sums.dy / static_cast<T>(n);
        mean_gh += weight * dy_h_sums[segment] / static_cast<T>(n);
      }
      for (int64_t k = 0; k < members; ++k) {
        const int64_t segment = row * members + k, at = segment * of.inner;
        const T weight = weight_of(of.weight, segment % of.channels);
        segment_gradient(of.x + at, of.out_gradient + at, of.x_gradient + at, of.inner,
                         gradient_factors(mean, rstd, weight, mean_g, mean_gh), stream);
      }
    }
    finish_streaming(stream);
  });
  const auto over_batch = [&](const T* sums, int64_t c) {
    T sum = 0;
    for (int64_t b = 0; b < of.batch; ++b) sum += sums[b * of.channels + c];
    return sum;
  };
  for (int64_t c = 0; c < of.channels; ++c) {
    if (of.weight_gradient) of.weight_gradient[c] = over_batch(dy_h_sums, c);
    if (of.bias_gradient) of.bias_gradient[c] = over_batch(dy_sums, c);
  }
}

template void batch_norm(const ChannelNorm<float>&, const RunningStatistics<float>&);
template void batch_norm(const ChannelNorm<double>&, const RunningStatistics<double>&);
template void batch_norm_inference(const ChannelNorm<float>&);
template void batch_norm_inference(const ChannelNorm<double>&);
template void batch_norm_backward(const ChannelNormBackward<float>&);
template void batch_norm_backward(const ChannelNormBackward<double>&);
template void batch_norm_inference_backward(const ChannelNormBackward<float>&);
template void batch_norm_inference_backward(const ChannelNormBackward<double>&);
template void group_norm(const ChannelNorm<float>&, int64_t);
template void group_norm(const ChannelNorm<double>&, int64_t);
template void group_norm_backward(const ChannelNormBackward<float>&, int64_t);
template void group_norm_backward(const ChannelNormBackward<double>&, int64_t);

}  // namespace heed::kernels
