// Norms of rows: layer norm (Ba, Kiros & Hinton, 2016) and RMS norm (Zhang & Sennrich, 2019), x [rows][width].
//   layer: y = (x - mean) rstd w + b, rstd = 1 / sqrt(variance + epsilon)      RMS: y = x rstd w + b, rstd = 1 /
//   sqrt(mean x^2 + epsilon)
// With a residual the norm is of s = x + residual, which is written too, all in one pass over memory.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class RowNormKind { layer, rms };

template <class T>
struct RowNorm {
  const T* x = nullptr;
  const T* residual = nullptr;  // or none
  const T* weight = nullptr;    // [width], or none
  const T* bias = nullptr;      // [width], or none
  T* out = nullptr;
  T* sum = nullptr;   // s, written where there is a residual; may be x or residual
  T* mean = nullptr;  // [rows], layer norm only
  T* rstd = nullptr;  // [rows]
  int64_t rows = 0, width = 0;
  double epsilon = 1e-5;
};

template <class T>
struct RowNormBackward {
  const T* x = nullptr;  // what was normalised: s where there was a residual
  const T* weight = nullptr;
  const T* mean = nullptr;  // layer norm only
  const T* rstd = nullptr;
  const T* out_gradient = nullptr;
  const T* sum_gradient = nullptr;  // what arrives at s by other ways, added to dx; or none
  T* x_gradient = nullptr;          // also the gradient of the residual
  T* weight_gradient = nullptr;     // [width], or not wanted
  T* bias_gradient = nullptr;       // [width], or not wanted
  int64_t rows = 0, width = 0;
};

void row_norm(RowNormKind kind, const RowNorm<float>& of);
void row_norm(RowNormKind kind, const RowNorm<double>& of);

// With h = (x - mean) rstd and g = dy w: dx = rstd (g - mean(g) - h mean(g h)) + ds, dw = sum dy h, db = sum dy over
// rows (RMS norm: mean and mean(g) are 0). Writes its results; x_gradient may be out_gradient or sum_gradient. The same
// bits for any number of threads: sums over rows go by blocks whose number depends on the rows alone.
void row_norm_backward(RowNormKind kind, const RowNormBackward<float>& of);
void row_norm_backward(RowNormKind kind, const RowNormBackward<double>& of);

template <class T>
void layer_norm(const RowNorm<T>& of) {
  row_norm(RowNormKind::layer, of);
}
template <class T>
void rms_norm(const RowNorm<T>& of) {
  row_norm(RowNormKind::rms, of);
}
template <class T>
void layer_norm_backward(const RowNormBackward<T>& of) {
  row_norm_backward(RowNormKind::layer, of);
}
template <class T>
void rms_norm_backward(const RowNormBackward<T>& of) {
  row_norm_backward(RowNormKind::rms, of);
}

}  // namespace heed::kernels
