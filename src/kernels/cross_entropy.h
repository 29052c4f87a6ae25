// Softmax and cross-entropy in one, logits x [rows][classes], target y per row; label smoothing and class weights as
// PyTorch defines them. p = softmax(x), L = log sum exp x, e = smoothing, w = class weights (1 without), C = classes:
//   loss = (1 - e) w_y (L - x_y) + e/C sum_c w_c (L - x_c)
//   dloss/dx_c = ((1 - e) w_y + e/C sum w) p_c - (1 - e) w_y [c = y] - e/C w_c
// Rows whose target is `ignored` have loss 0 and gradient 0. Sums and means over rows are the caller's: PyTorch's mean
// divides by the sum of target_weight over the rows. Other targets are in [0, classes) (first_out_of_range checks).
#pragma once

#include <cstdint>

namespace heed::kernels {

template <class T>
struct CrossEntropy {
  const T* logits = nullptr;         // [rows][classes]
  const int64_t* targets = nullptr;  // [rows]
  const T* class_weights = nullptr;  // [classes], or none
  double smoothing = 0;
  int64_t ignored = -100;
  int64_t rows = 0, classes = 0;
};

// Writes loss [rows] and log_sum_exp [rows], all that backward needs. Reads the logits once.
void cross_entropy(const CrossEntropy<float>& of, float* loss, float* log_sum_exp);
void cross_entropy(const CrossEntropy<double>& of, double* loss, double* log_sum_exp);

// d_logits = row_scale[row] * dloss/dx; row_scale is the gradient of each row's loss. d_logits may be the logits.
void cross_entropy_backward(const CrossEntropy<float>& of, const float* log_sum_exp, const float* row_scale,
                            float* d_logits);
void cross_entropy_backward(const CrossEntropy<double>& of, const double* log_sum_exp, const double* row_scale,
                            double* d_logits);

// What a row counts in PyTorch's mean: the weight of its target's class, 0 where ignored.
template <class T>
double target_weight(const CrossEntropy<T>& of, int64_t row) {
  if (of.targets[row] == of.ignored) return 0;
  return of.class_weights ? static_cast<double>(of.class_weights[of.targets[row]]) : 1;
}

}  // namespace heed::kernels
