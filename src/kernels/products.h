// Products of matrices on plain arrays: any transposition, strides, batches; a bias and an activation on the way out.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class Activation { none, relu, gelu, gelu_tanh, silu, tanh, sigmoid };

// F(i,k) = data[i·stride + k], or data[k·stride + i] when transposed; the next of a batch lies batch_stride further.
template <class T>
struct Factor {
  const T* data;
  int64_t stride;
  bool transposed = false;
  int64_t batch_stride = 0;  // 0: all of the batch share it

  // The part from F(i,k) on.
  Factor from(int64_t i, int64_t k) const {
    return {data + (transposed ? k * stride + i : i * stride + k), stride, transposed, batch_stride};
  }
};

// C = activation(A·B + bias), or activation(C + A·B + bias) when accumulating. A is rows × depth, B depth × columns,
// C rows × columns in rows of c_stride, bias one number a column or null. C overlaps nothing that is read.
template <class T>
struct Product {
  int64_t rows, columns, depth;
  Factor<T> a, b;
  T* c;
  int64_t c_stride;
  bool accumulate = false;
  const T* bias = nullptr;
  Activation activation = Activation::none;
  int64_t batch = 1, c_batch_stride = 0;
};

// The bits do not depend on the number of threads.
void multiply(const Product<float>& product);
void multiply(const Product<double>& product);

// x = activation(x + bias), rows × columns in rows of `stride`; bias may be null.
void add_bias_activate(int64_t rows, int64_t columns, float* x, int64_t stride, const float* bias,
                       Activation activation);
void add_bias_activate(int64_t rows, int64_t columns, double* x, int64_t stride, const double* bias,
                       Activation activation);

}  // namespace heed::kernels
