// The three products of linear + cross-entropy on a chunk of rows and a block of classes. Logits are transposed,
// [class] [row], so that the largest logit and the sum of exponentials of a row stay in its lane.
#pragma once

#include <cstdint>

namespace heed::kernels {

struct LogitBlock {
  int64_t classes, columns, width;  // columns: rows of x in the chunk, a multiple of 64
  const float* weight;              // (classes, width)
  const float* bias;                // (classes) or null
  const float* x_panels;            // xᵀ in panels (kernels/panels.h)
  const float* reference;           // (columns)
  bool more = false;                // another such block follows this one: it is fetched meanwhile
  float* exponentials = nullptr;    // (classes, columns) or null
  float* largest = nullptr;         // (columns)
  float* sum = nullptr;             // (columns)
};
// z = weight·xᵀ + bias;  exponentials = e^(z - reference);  largest = max(largest, z);  sum += exponentials
void logit_block(const LogitBlock& block);

// part = or += exponentialsᵀ · weight: (columns, width) from (classes, columns) and (classes, width).
struct InputGradientBlock {
  int64_t classes, columns, width;
  const float* exponentials;
  const float* weight;
  float* part;
  bool add;
};
void input_gradient_block(const InputGradientBlock& block);

struct WeightGradientBlock {
  int64_t classes, columns, width;
  const float* exponentials;  // (classes, columns)
  bool more;                  // another such block follows this one: it is fetched meanwhile
  const float* x_panels;      // each row times its factor, (columns, width) in panels
  const float* factor;        // (columns)
  float* dweight;             // (classes, width) or null
  float* dbias;               // (classes) or null
  bool add;
};
// dweight = or += exponentials · (factor ∘ x),   dbias += exponentials · factor
void weight_gradient_block(const WeightGradientBlock& block);

}  // namespace heed::kernels
