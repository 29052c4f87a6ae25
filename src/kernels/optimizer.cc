#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/threads.h"
#include "kernels/segments.h"

namespace heed::kernels {
namespace {

// Steps are bound by memory, and plain loops that the compiler vectorises keep up with it, for f32 and f64 alike.
constexpr int64_t kElements = 8192;  // elements of one weight tensor that one call of a loop serves

int64_t block_count(int64_t n) { return (n + kElements - 1) / kElements; }

template <class T>
int64_t block_count(WeightStates<T> weights) {
  int64_t count = 0;
  for (const WeightState<T>& w : weights) count += block_count(w.n);
  return count;
}

// Calls body(weight, begin, end, block) for every block of every weight, all weights together split over the threads.
template <class T, class Body>
void for_blocks(WeightStates<T> weights, const Body& body) {
  parallel(block_count(weights), 2, [&](int64_t first, int64_t last) {
    int64_t before = 0;  // blocks of the weights passed so far
    for (const WeightState<T>& w : weights) {
      const int64_t count = block_count(w.n);
      for (int64_t b = std::max<int64_t>(first - before, 0); b < std::min(count, last - before); ++b)
        body(w, b * kElements, std::min(w.n, (b + 1) * kElements), before + b);
      before += count;
    }
  });
}

// Weight decay of either kind: g = scale * gradient + l2 * w, then w = keep * w.
template <class T>
struct Decay {
  T scale, l2, keep;

  Decay(double rate, double weight_decay, bool decoupled, double gradient_scale)
      : scale(static_cast<T>(gradient_scale)),
        l2(static_cast<T>(decoupled ? 0 : weight_decay)),
        keep(static_cast<T>(decoupled ? 1 - rate * weight_decay : 1)) {}

  T gradient(T g, T w) const { return l2 * w + scale * g; }
};

// Every kind of SGD: m = keep m + take g, then w += from_momentum m + from_gradient g.
template <class T>
struct SgdFactors {
  T keep, take, from_momentum, from_gradient;
};

template <class T>
SgdFactors<T> sgd_factors(const SgdOptions& o, int64_t step) {
  const T rate = static_cast<T>(o.learning_rate), momentum = static_cast<T>(o.momentum);
  if (o.convention == Convention::keras)
    return o.nesterov ? SgdFactors<T>{momentum, -rate, momentum, -rate} : SgdFactors<T>{momentum, -rate, 1, 0};
  const T keep = step == 1 ? T{0} : momentum, take = step == 1 ? T{1} : static_cast<T>(1 - o.dampening);
  return o.nesterov ? SgdFactors<T>{keep, take, -rate * momentum, -rate} : SgdFactors<T>{keep, take, -rate, 0};
}

template <class T>
void sgd_plain(T* __restrict w, const T* __restrict gradient, int64_t n, Decay<T> decay, T rate) {
  for (int64_t i = 0; i < n; ++i) w[i] = w[i] * decay.keep - rate * decay.gradient(gradient[i], w[i]);
}

template <class T>
void sgd_momentum(T* __restrict w, const T* __restrict gradient, T* __restrict m, int64_t n, Decay<T> decay,
                  SgdFactors<T> f) {
  for (int64_t i = 0; i < n; ++i) {
    const T g = decay.gradient(gradient[i], w[i]);
    m[i] = f.keep * m[i] + f.take * g;
    w[i] = w[i] * decay.keep + (f.from_momentum * m[i] + f.from_gradient * g);
  }
}

// v = decay v + (1 - decay) g^2; a = decay a + (1 - decay) g; u = g / (sqrt(v - a^2 + inside) + outside);
// m = momentum m + into u, w -= rate m (without momentum m is u).
template <class T>
struct RmspropFactors {
  T decay, rest, inside, outside, momentum, into, rate;
};

template <class T, bool kCentered, bool kMomentum>
void rmsprop_loop(const WeightState<T>& s, int64_t begin, int64_t end, Decay<T> decay, RmspropFactors<T> f) {
  T* __restrict w = s.weight, * __restrict v = s.state[0], * __restrict a = s.state[1], * __restrict m = s.state[2];
  const T* __restrict gradient = s.gradient;
  for (int64_t i = begin; i < end; ++i) {
    const T g = decay.gradient(gradient[i], w[i]);
    T variance = f.decay * v[i] + f.rest * (g * g);
    v[i] = variance;
    if constexpr (kCentered) {
      a[i] = f.decay * a[i] + f.rest * g;
      variance = variance - a[i] * a[i];
      variance = variance < 0 ? T{0} : variance;  // rounding must not make a NaN of it
    }
    T update = g / (std::sqrt(variance + f.inside) + f.outside);
    if constexpr (kMomentum) update = m[i] = f.momentum * m[i] + f.into * update;
    w[i] = w[i] * decay.keep - f.rate * update;
  }
}

template <class T>
auto rmsprop_loop_of(bool centered, bool momentum) {
  if (centered) return momentum ? rmsprop_loop<T, true, true> : rmsprop_loop<T, true, false>;
  return momentum ? rmsprop_loop<T, false, true> : rmsprop_loop<T, false, false>;
}

// m += (1 - beta1)(g - m); v = beta2 v + (1 - beta2) g^2; w -= step m / (root sqrt(v) + epsilon).
template <class T>
struct AdamFactors {
  T rest1, beta2, rest2, step, root, epsilon;
};

// Bias corrections c1 = 1 - beta1^t, c2 = 1 - beta2^t. PyTorch: step = rate / c1, root = 1 / sqrt(c2);
// Keras: step = rate sqrt(c2) / c1, root = 1: the same but for epsilon.
template <class T>
AdamFactors<T> adam_factors(const AdamOptions& o, int64_t step) {
  const double c1 = 1 - std::pow(o.beta1, static_cast<double>(step));
  const double root2 = std::sqrt(1 - std::pow(o.beta2, static_cast<double>(step)));
  const bool keras = o.convention == Convention::keras;
  const double rate = keras ? o.learning_rate * root2 / c1 : o.learning_rate / c1;
  const double root = keras ? 1 : 1 / root2;
  return {.rest1 = static_cast<T>(1 - o.beta1),
          .beta2 = static_cast<T>(o.beta2),
          .rest2 = static_cast<T>(1 - o.beta2),
          .step = static_cast<T>(rate),
          .root = static_cast<T>(root),
          .epsilon = static_cast<T>(o.epsilon)};
}

template <class T, bool kAmsgrad>
void adam_loop(const WeightState<T>& s, int64_t begin, int64_t end, Decay<T> decay, AdamFactors<T> f) {
  T* __restrict w = s.weight, * __restrict m = s.state[0], * __restrict v = s.state[1], * __restrict largest = s.state[2];
  const T* __restrict gradient = s.gradient;
  for (int64_t i = begin; i < end; ++i) {
    const T g = decay.gradient(gradient[i], w[i]);
    m[i] = m[i] + f.rest1 * (g - m[i]);
    v[i] = f.beta2 * v[i] + f.rest2 * (g * g);
    T second = v[i];
    if constexpr (kAmsgrad) second = largest[i] = largest[i] > second ? largest[i] : second;
    w[i] = w[i] * decay.keep - f.step * m[i] / (f.root * std::sqrt(second) + f.epsilon);
  }
}

}  // namespace

template <class T>
void sgd_step(WeightStates<T> weights, const SgdOptions& o, int64_t step, double gradient_scale) {
  const Decay<T> decay(o.learning_rate, o.weight_decay, o.convention == Convention::keras, gradient_scale);
  const SgdFactors<T> factors = sgd_factors<T>(o, step);
  const T rate = static_cast<T>(o.learning_rate);
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t) {
    T* w = s.weight + begin;
    if (o.momentum == 0) return sgd_plain(w, s.gradient + begin, end - begin, decay, rate);
    sgd_momentum(w, s.gradient + begin, s.state[0] + begin, end - begin, decay, factors);
  });
}

template <class T>
void rmsprop_step(WeightStates<T> weights, const RmspropOptions& o, double gradient_scale) {
  const bool keras = o.convention == Convention::keras, momentum = o.momentum != 0;
  const Decay<T> decay(o.learning_rate, o.weight_decay, keras, gradient_scale);
  const bool rate_inside = keras && momentum;
  const RmspropFactors<T> factors{static_cast<T>(o.decay),
                                  static_cast<T>(1 - o.decay),
                                  static_cast<T>(keras ? o.epsilon : 0),
                                  static_cast<T>(keras ? 0 : o.epsilon),
                                  static_cast<T>(o.momentum),
                                  static_cast<T>(rate_inside ? o.learning_rate : 1),
                                  static_cast<T>(rate_inside ? 1 : o.learning_rate)};
  const auto loop = rmsprop_loop_of<T>(o.centered, momentum);
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t) {
    loop(s, begin, end, decay, factors);
  });
}

template <class T>
void adagrad_step(WeightStates<T> weights, const AdagradOptions& o, double gradient_scale) {
  const bool keras = o.convention == Convention::keras;
  const Decay<T> decay(o.learning_rate, o.weight_decay, keras, gradient_scale);
  // s += g^2, w -= rate g / (sqrt(s + inside) + outside): RMSprop that forgets nothing.
  const RmspropFactors<T> factors{1, 1, static_cast<T>(keras ? o.epsilon : 0), static_cast<T>(keras ? 0 : o.epsilon),
                                  0, 1, static_cast<T>(o.learning_rate)};
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t) {
    rmsprop_loop<T, false, false>(s, begin, end, decay, factors);
  });
}

template <class T>
void adam_step(WeightStates<T> weights, const AdamOptions& o, int64_t step, double gradient_scale) {
  const bool decoupled = o.decoupled || o.convention == Convention::keras;
  const Decay<T> decay(o.learning_rate, o.weight_decay, decoupled, gradient_scale);
  const AdamFactors<T> factors = adam_factors<T>(o, step);
  const auto loop = o.amsgrad ? adam_loop<T, true> : adam_loop<T, false>;
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t) {
    loop(s, begin, end, decay, factors);
  });
}

template <class T>
double gradient_norm(WeightStates<T> weights) {
  std::vector<double> sums(static_cast<size_t>(block_count(weights)));
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t block) {
    sums[static_cast<size_t>(block)] = segment_sum_of_squares(s.gradient + begin, end - begin);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

double clip_scale(double norm, double max_norm, Convention convention) {
  if (convention == Convention::pytorch) return std::min(1.0, max_norm / (norm + 1e-6));
  return std::isfinite(norm) ? max_norm / std::max(norm, max_norm) : std::nan("");
}

template <class T>
void scale_gradients(WeightStates<T> weights, double scale) {
  const T factor = static_cast<T>(scale);
  for_blocks(weights, [&](const WeightState<T>& s, int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) s.gradient[i] *= factor;
  });
}

template void sgd_step(WeightStates<float>, const SgdOptions&, int64_t, double);
template void sgd_step(WeightStates<double>, const SgdOptions&, int64_t, double);
template void rmsprop_step(WeightStates<float>, const RmspropOptions&, double);
template void rmsprop_step(WeightStates<double>, const RmspropOptions&, double);
template void adagrad_step(WeightStates<float>, const AdagradOptions&, double);
template void adagrad_step(WeightStates<double>, const AdagradOptions&, double);
template void adam_step(WeightStates<float>, const AdamOptions&, int64_t, double);
template void adam_step(WeightStates<double>, const AdamOptions&, int64_t, double);
template double gradient_norm(WeightStates<float>);
template double gradient_norm(WeightStates<double>);
template void scale_gradients(WeightStates<float>, double);
template void scale_gradients(WeightStates<double>, double);

}  // namespace heed::kernels
