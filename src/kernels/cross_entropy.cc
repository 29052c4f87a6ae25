#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "kernels/streaming.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/softmax-inl.h"

#ifndef HEED_KERNELS_CROSS_ENTROPY_ONCE
#define HEED_KERNELS_CROSS_ENTROPY_ONCE
namespace heed::kernels {

// The constants of a row: loss = on_target (L - x_y) + each sum_c w_c (L - x_c).
struct RowTerms {
  double on_target, each, weight_sum;
};

template <class T>
double weight_sum(const CrossEntropy<T>& of) {
  if (of.class_weights == nullptr) return static_cast<double>(of.classes);
  double sum = 0;
  for (int64_t c = 0; c < of.classes; ++c) sum += static_cast<double>(of.class_weights[c]);
  return sum;
}

template <class T>
RowTerms row_terms(const CrossEntropy<T>& of, int64_t row, double weight_sum) {
  return {(1 - of.smoothing) * target_weight(of, row), of.smoothing / static_cast<double>(of.classes), weight_sum};
}

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// sum_c w_c (L - x_c), which is 0 where w_c is, whatever x_c.
float smoothed_row(const float* x, const float* weights, int64_t n, float log_sum_exp) {
  const FloatVector lse = hn::Set(kFloats, log_sum_exp), one = hn::Set(kFloats, 1.0f);
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector w = weights ? lanes.load(weights + i) : one;
    const FloatVector term = hn::Mul(w, hn::Sub(lse, lanes.load(x + i)));
    sum.part[part] = hn::Add(sum.part[part], lanes.or_zero(term));
  });
  return sum.total();
}

void cross_entropy_rows(const CrossEntropy<float>& of, int64_t begin, int64_t end, float* loss, float* log_sum_exp) {
  for (int64_t row = begin; row < end; ++row) {
    const float* x = of.logits + row * of.classes;
    const float lse = log_sum_exp_row(x, of.classes);
    log_sum_exp[row] = lse;
    loss[row] = 0;
    if (of.targets[row] == of.ignored) continue;
    const RowTerms terms = row_terms(of, row, 0);
    double value = terms.on_target * (static_cast<double>(lse) - static_cast<double>(x[of.targets[row]]));
    if (of.smoothing != 0) value += terms.each * smoothed_row(x, of.class_weights, of.classes, lse);
    loss[row] = static_cast<float>(value);
  }
}

void cross_entropy_backward_rows(const CrossEntropy<float>& of, int64_t begin, int64_t end, const float* log_sum_exp,
                                 const float* row_scale, float* d_logits, bool stream) {
  const int64_t n = of.classes;
  const double all_weights = weight_sum(of);
  const float* weights = of.smoothing != 0 ? of.class_weights : nullptr;
  for (int64_t row = begin; row < end; ++row) {
    const float* x = of.logits + row * n;
    float* dx = d_logits + row * n;
    if (of.targets[row] == of.ignored) {
      std::fill_n(dx, n, 0.0f);
      continue;
    }
    const RowTerms terms = row_terms(of, row, all_weights);
    const auto scale = static_cast<double>(row_scale[row]);
    const FloatVector lse = hn::Set(kFloats, log_sum_exp[row]);
    const FloatVector probability =
        hn::Set(kFloats, static_cast<float>(scale * (terms.on_target + terms.each * terms.weight_sum)));
    const FloatVector each = hn::Set(kFloats, static_cast<float>(-scale * terms.each));
    const auto gradient = [&](int64_t i, auto lanes) HWY_ATTR {
      const FloatVector rest = weights ? hn::Mul(each, lanes.load(weights + i)) : each;
      const FloatVector log_p = hn::Min(hn::Sub(lanes.load(x + i), lse), hn::Zero(kFloats));
      return hn::MulAdd(exp_at_most_88(kFloats, log_p), probability, rest);
    };
    const int64_t target = of.targets[row];
    const auto on_target = static_cast<float>(scale * terms.on_target);
    write_row(stream, dx, n, gradient);
    dx[target] -= on_target;
  }
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(cross_entropy_rows);
HWY_EXPORT(cross_entropy_backward_rows);

namespace {

template <class T, class Body>
void for_rows(const CrossEntropy<T>& of, const Body& body) {
  if (of.classes > 0) parallel(of.rows, std::max<int64_t>(1, 8192 / of.classes), body);
}

}  // namespace

void cross_entropy(const CrossEntropy<float>& of, float* loss, float* log_sum_exp) {
  for_rows(of, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_rows)(of, begin, end, loss, log_sum_exp);
  });
}

void cross_entropy_backward(const CrossEntropy<float>& of, const float* log_sum_exp, const float* row_scale,
                            float* d_logits) {
  const bool stream = streams(d_logits, of.rows * of.classes, d_logits == of.logits);
  for_rows(of, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_backward_rows)(of, begin, end, log_sum_exp, row_scale, d_logits, stream);
  });
}

void cross_entropy(const CrossEntropy<double>& of, double* loss, double* log_sum_exp) {
  for_rows(of, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const double* x = of.logits + row * of.classes;
      const double m = *std::max_element(x, x + of.classes);
      double sum = 0;
      for (int64_t c = 0; c < of.classes && m != -INFINITY; ++c) sum += std::exp(x[c] - m);
      const double lse = log_sum_exp[row] = m == -INFINITY ? m : m + std::log(sum);
      loss[row] = 0;
      if (of.targets[row] == of.ignored) continue;
      const RowTerms terms = row_terms(of, row, 0);
      loss[row] = terms.on_target * (lse - x[of.targets[row]]);
      for (int64_t c = 0; c < of.classes && terms.each != 0; ++c)
        loss[row] += terms.each * (of.class_weights ? of.class_weights[c] : 1) * (lse - x[c]);
    }
  });
}

void cross_entropy_backward(const CrossEntropy<double>& of, const double* log_sum_exp, const double* row_scale,
                            double* d_logits) {
  const double all_weights = weight_sum(of);
  for_rows(of, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const RowTerms terms = row_terms(of, row, all_weights);
      const int64_t target = of.targets[row];
      for (int64_t c = 0; c < of.classes; ++c) {
        const int64_t i = row * of.classes + c;
        const double p = std::exp(of.logits[i] - log_sum_exp[row]), w = of.class_weights ? of.class_weights[c] : 1;
        const double gradient = (terms.on_target + terms.each * terms.weight_sum) * p -
                                (c == target ? terms.on_target : 0) - terms.each * w;
        d_logits[i] = target == of.ignored ? 0 : row_scale[row] * gradient;
      }
    }
  });
}

}  // namespace heed::kernels
#endif
