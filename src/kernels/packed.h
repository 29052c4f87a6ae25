// Products with constant weights: packed once into the tile's panels, then read at the speed of the memory by few rows.
//
//   std::vector<float> room(panels_size(in, out));                              // aligned to 64 bytes at best
//   PackedWeights<float> weights({w, in, /*transposed=*/true}, in, out, room.data());
//   multiply(PackedProduct<float>{.rows = 4, .a = x, .a_stride = in, .weights = &weights, .c = y, .c_stride = out});
#pragma once

#include <cstdint>

#include "kernels/panels.h"
#include "kernels/products.h"

namespace heed::kernels {

template <class T>
class PackedWeights {
 public:
  PackedWeights() = default;  // nothing packed: panels() is null
  // A copy of B, depth × columns, in panels_size(depth, columns) numbers that the caller keeps alive.
  PackedWeights(const Factor<T>& b, int64_t depth, int64_t columns, T* panels);

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  const T* panels() const { return panels_; }

 private:
  const T* panels_ = nullptr;
  int64_t depth_ = 0, columns_ = 0;
};

// C = activation(A·B + bias), or activation(C + A·B + bias) when accumulating. A is rows × depth in rows of a_stride, C
// rows × columns in rows of c_stride; C overlaps neither A nor the bias.
template <class T>
struct PackedProduct {
  int64_t rows;
  const T* a;
  int64_t a_stride;
  const PackedWeights<T>* weights;
  T* c;
  int64_t c_stride;
  bool accumulate = false;
  const T* bias = nullptr;
  Activation activation = Activation::none;
  // Weights that the next product will read: from eight rows on their first lines are asked for at the end of this one.
  const PackedWeights<T>* next = nullptr;
};

// The bits do not depend on the number of threads.
void multiply(const PackedProduct<float>& product);
void multiply(const PackedProduct<double>& product);

extern template class PackedWeights<float>;
extern template class PackedWeights<double>;

}  // namespace heed::kernels
