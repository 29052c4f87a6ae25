// A linear layer and the cross-entropy of its result in one pass, forward and backward together, never holding all
// logits. With z = weight · x + bias, p = softmax(z), class weights c, smoothing ε, V classes, a row with target t has
//
//   loss = (1 - ε) c[t] (-log p[t]) + (ε / V) Σ_v c[v] (-log p[v])
//
// (PyTorch's cross_entropy without its reduction) and the result is Σ_i row_weights[i] · loss[i].
//
//   dz[v] = row weight · (a p[v] - (1 - ε) c[t] [v = t] - (ε / V) c[v]),   a = (1 - ε) c[t] + (ε / V) Σ_v c[v]
//   dx = dz · weight,   dweight = dzᵀ · x,   dbias = Σ over rows of dz
#pragma once

#include <cstdint>

namespace heed::kernels {

template <class T>
struct LinearCrossEntropy {
  int64_t rows = 0, width = 0, classes = 0;
  const T* x = nullptr;              // (rows, width)
  const T* weight = nullptr;         // (classes, width)
  const T* bias = nullptr;           // (classes) or null
  const int64_t* targets = nullptr;  // (rows), each below classes or `ignored`
  const T* class_weights = nullptr;  // (classes) or null: 1
  const T* row_weights = nullptr;    // (rows) or null: 1
  int64_t ignored = -100;            // rows with this target count nothing
  double smoothing = 0;
};

// Each is written (not added to); null: not wanted.
template <class T>
struct LinearCrossEntropyGradient {
  T* dx = nullptr;       // (rows, width)
  T* dweight = nullptr;  // (classes, width)
  T* dbias = nullptr;    // (classes)
};

double linear_cross_entropy(const LinearCrossEntropy<float>& problem,
                            const LinearCrossEntropyGradient<float>& gradient = {});
double linear_cross_entropy(const LinearCrossEntropy<double>& problem,
                            const LinearCrossEntropyGradient<double>& gradient = {});

// Bytes that the f32 version holds besides its arguments while it computes gradients.
int64_t linear_cross_entropy_memory(int64_t rows, int64_t width, int64_t classes);

}  // namespace heed::kernels
