#include "kernels/softmax.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "kernels/scratch.h"
#include "kernels/streaming.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

void fill_row(float* out, int64_t n, float value) { std::fill_n(out, n, value); }

// e = exp(x - m), returns its sum. What comes after this row is fetched meanwhile.
HWY_INLINE float exponentials(const float* x, float* e, int64_t n, float maximum) {
  const FloatVector m = hn::Set(kFloats, maximum);
  const LookAhead look_ahead(n);
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    look_ahead(x + i);
    const FloatVector p = exp_at_most_88(kFloats, hn::Sub(lanes.load(x + i), m));
    if (e != nullptr) lanes.store(p, e + i);
    sum.part[part] = hn::Add(sum.part[part], lanes.or_zero(p));
  });
  return sum.total();
}

struct SoftmaxExponentials;

void softmax_rows(const float* x, float* out, int64_t rows, int64_t n, bool stream) {
  float* buffer = stream ? scratch<SoftmaxExponentials, float>(n) : nullptr;
  for (int64_t row = 0; row < rows; ++row, x += n, out += n) {
    const float m = row_max(x, n);
    if (m == -INFINITY) {
      fill_row(out, n, 0);
      continue;
    }
    float* e = stream ? buffer : out;
    const FloatVector scale = hn::Set(kFloats, 1 / exponentials(x, e, n, m));
    write_row(stream, out, n, [&](int64_t i, auto lanes) HWY_ATTR { return hn::Mul(lanes.load(e + i), scale); });
  }
  if (stream) hwy::FlushStream();
}

void log_softmax_rows(const float* x, float* out, int64_t rows, int64_t n, bool stream) {
  for (int64_t row = 0; row < rows; ++row, x += n, out += n) {
    const float maximum = row_max(x, n);
    if (maximum == -INFINITY) {
      fill_row(out, n, -INFINITY);
      continue;
    }
    const FloatVector m = hn::Set(kFloats, maximum);
    const FloatVector log_sum = hn::Set(kFloats, std::log(exponentials(x, nullptr, n, maximum)));
    write_row(stream, out, n,
              [&](int64_t i, auto lanes) HWY_ATTR { return hn::Sub(hn::Sub(lanes.load(x + i), m), log_sum); });
  }
  if (stream) hwy::FlushStream();
}

void softmax_backward_rows(const float* y, const float* dy, float* dx, int64_t rows, int64_t n, bool stream) {
  const LookAhead look_ahead(n);
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    RowSum sum;
    for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
      sum.part[part] = hn::MulAdd(lanes.load(y + i), lanes.load(dy + i), sum.part[part]);
    });
    const FloatVector dot = hn::Set(kFloats, sum.total());
    write_row(stream, dx, n, [&](int64_t i, auto lanes) HWY_ATTR {
      look_ahead(y + i);
      look_ahead(dy + i);
      return hn::Mul(lanes.load(y + i), hn::Sub(lanes.load(dy + i), dot));
    });
  }
  if (stream) hwy::FlushStream();
}

void log_softmax_backward_rows(const float* y, const float* dy, float* dx, int64_t rows, int64_t n, bool stream) {
  const LookAhead look_ahead(n);
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    RowSum sum;
    for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes)
                             HWY_ATTR { sum.part[part] = hn::Add(sum.part[part], lanes.load(dy + i)); });
    const FloatVector total = hn::Set(kFloats, sum.total());
    write_row(stream, dx, n, [&](int64_t i, auto lanes) HWY_ATTR {
      look_ahead(y + i);
      look_ahead(dy + i);
      return hn::NegMulAdd(exp_at_most_88(kFloats, lanes.load(y + i)), total, lanes.load(dy + i));
    });
  }
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(softmax_rows);
HWY_EXPORT(softmax_backward_rows);
HWY_EXPORT(log_softmax_rows);
HWY_EXPORT(log_softmax_backward_rows);

namespace {

constexpr int64_t kGrain = 8192;  // elements that are worth a thread

template <class Body>
void for_rows(int64_t rows, int64_t n, const Body& body) {
  if (n > 0) parallel(rows, std::max<int64_t>(1, kGrain / n), body);
}

template <class Forward>
void forward(const Forward& rows_of, const float* x, float* out, int64_t rows, int64_t n) {
  const bool stream = streams(out, rows * n, x == out);
  for_rows(rows, n,
           [&](int64_t begin, int64_t end) { rows_of(x + begin * n, out + begin * n, end - begin, n, stream); });
}

template <class Backward>
void backward(const Backward& rows_of, const float* y, const float* dy, float* dx, int64_t rows, int64_t n) {
  const bool stream = streams(dx, rows * n, dx == dy || dx == y);
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    rows_of(y + begin * n, dy + begin * n, dx + begin * n, end - begin, n, stream);
  });
}

}  // namespace

void softmax(const float* x, float* out, int64_t rows, int64_t n) {
  forward(HWY_DYNAMIC_DISPATCH(softmax_rows), x, out, rows, n);
}
void softmax_backward(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) {
  backward(HWY_DYNAMIC_DISPATCH(softmax_backward_rows), y, dy, dx, rows, n);
}
void log_softmax(const float* x, float* out, int64_t rows, int64_t n) {
  forward(HWY_DYNAMIC_DISPATCH(log_softmax_rows), x, out, rows, n);
}
void log_softmax_backward(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) {
  backward(HWY_DYNAMIC_DISPATCH(log_softmax_backward_rows), y, dy, dx, rows, n);
}

void softmax(const double* x, double* out, int64_t rows, int64_t n) {
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const double* from = x + row * n;
      double* to = out + row * n;
      const double m = *std::max_element(from, from + n);
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += to[i] = m == -INFINITY ? 0 : std::exp(from[i] - m);
      for (int64_t i = 0; i < n && sum != 0; ++i) to[i] /= sum;
    }
  });
}

void softmax_backward(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) {
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double dot = 0;
      for (int64_t i = row * n; i < (row + 1) * n; ++i) dot += y[i] * dy[i];
      for (int64_t i = row * n; i < (row + 1) * n; ++i) dx[i] = y[i] * (dy[i] - dot);
    }
  });
}

void log_softmax(const double* x, double* out, int64_t rows, int64_t n) {
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const double* from = x + row * n;
      const double m = *std::max_element(from, from + n);
      double sum = 0;
      for (int64_t i = 0; i < n && m != -INFINITY; ++i) sum += std::exp(from[i] - m);
      const double log_sum = std::log(sum);
      for (int64_t i = 0; i < n; ++i) out[row * n + i] = m == -INFINITY ? m : from[i] - m - log_sum;
    }
  });
}

void log_softmax_backward(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) {
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double sum = 0;
      for (int64_t i = row * n; i < (row + 1) * n; ++i) sum += dy[i];
      for (int64_t i = row * n; i < (row + 1) * n; ++i) dx[i] = dy[i] - std::exp(y[i]) * sum;
    }
  });
}

}  // namespace heed::kernels
#endif
