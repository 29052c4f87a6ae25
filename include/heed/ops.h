// Differentiable operations on tensors. Each records its gradient when an input requires one; all take f32 and f64 (and
// integers where it says so), any strides, empty and one-element tensors. Nothing is converted silently: operands of
// different dtypes are an Error that names the op, what it got and what it wanted.
//
//   heed::Tensor x = heed::tensor({{1, 2, 3}, {4, 5, 6}}).requires_grad(true);
//   heed::Tensor centred = x - heed::mean(x, 1, true);            // (2, 3) - (2, 1): shapes broadcast
//   heed::Tensor y = heed::where(heed::greater(centred, 0), centred, heed::exp(centred) - 1);
//   heed::backward(heed::sum(y * y));
//   std::cout << y << x.grad() << heed::topk(y, 2).indices << '\n';
#pragma once

#include <heed/autograd.h>
#include <heed/tensor.h>

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace heed {

// Dimensions to work over, negative ones counted from the end; none at all means every dimension.
struct Dims : Shape {
  Dims() = default;
  Dims(int64_t dim) : Shape({dim}) {}
  Dims(std::initializer_list<int64_t> dims) : Shape(dims) {}
  Dims(const Shape& dims) : Shape(dims) {}
};

// ---- Creation -------------------------------------------------------------------------------------------------------
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32);
Tensor ones(const Shape& shape, Dtype dtype = Dtype::f32);
Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::f32);
Tensor arange(int64_t n, Dtype dtype = Dtype::i64);                                       // 0, 1, … n-1
Tensor arange(double begin, double end, double step = 1, Dtype dtype = Dtype::f32);       // end is not reached
Tensor linspace(double begin, double end, int64_t count, Dtype dtype = Dtype::f32);       // both ends included
Tensor eye(int64_t rows, std::optional<int64_t> columns = {}, Dtype dtype = Dtype::f32);  // ones on the diagonal

// ---- Arithmetic; shapes broadcast by NumPy's rule -------------------------------------------------------------------
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);
Tensor operator-(const Tensor& x);
Tensor pow(const Tensor& base, const Tensor& exponent);
Tensor pow(const Tensor& base, double exponent);
Tensor pow(double base, const Tensor& exponent);
Tensor minimum(const Tensor& a, const Tensor& b);  // where both are equal, each gets half of the gradient
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor clamp(const Tensor& x, double low, double high = std::numeric_limits<double>::infinity());

// ---- Comparisons and choice: results are boolean, any dtype compares with its own kind
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
Tensor where(const Tensor& condition, const Tensor& yes, const Tensor& no);  // all three broadcast
Tensor where(const Tensor& condition, const Tensor& yes, double no);
Tensor where(const Tensor& condition, double yes, const Tensor& no);
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);  // value where the mask is true

// ---- Mathematics, element by element --------------------------------------------------------------------------------
Tensor exp(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);  // 1/√x
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor sign(const Tensor& x);  // this and the next three have the gradient 0
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  // halves to the even neighbour

// ---- Activations ----------------------------------------------------------------------------------------------------
Tensor relu(const Tensor& x);
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor silu(const Tensor& x);
Tensor softplus(const Tensor& x);
Tensor gelu(const Tensor& x);       // x Φ(x)
Tensor gelu_tanh(const Tensor& x);  // its approximation by a tanh

// ---- Reductions: over `dims` (by default all); `keep` leaves them with size 1
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keep = false);
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keep = false);
Tensor product(const Tensor& x, const Dims& dims = {}, bool keep = false);
Tensor max(const Tensor& x, const Dims& dims = {}, bool keep = false);  // equal ones share the gradient
Tensor min(const Tensor& x, const Dims& dims = {}, bool keep = false);
// Σ (x - mean)² / (count - correction)
Tensor variance(const Tensor& x, const Dims& dims = {}, bool keep = false, double correction = 1);
Tensor norm(const Tensor& x, double p = 2, const Dims& dims = {}, bool keep = false);  // (Σ |x|^p)^(1/p), p may be ∞
Tensor log_sum_exp(const Tensor& x, const Dims& dims = {}, bool keep = false);
Tensor cumulative_sum(const Tensor& x, int dim);
Tensor argmax(const Tensor& x, std::optional<int> dim = {}, bool keep = false);  // i64, the first of equal ones
Tensor argmin(const Tensor& x, std::optional<int> dim = {}, bool keep = false);

// ---- Order ----------------------------------------------------------------------------------------------------------
struct Ordered {
  Tensor values;   // differentiable
  Tensor indices;  // i64: where in `dim` each value stood
};
Ordered sort(const Tensor& x, int dim = -1, bool descending = false);  // stable; NaN is larger than all
Ordered topk(const Tensor& x, int64_t k, int dim = -1, bool largest = true);

// ---- Shape; results are views where strides allow it, every dtype
Tensor reshape(const Tensor& x, const Shape& shape);  // one size may be -1
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
Tensor permute(const Tensor& x, const Shape& order);
Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, int64_t step = 1);  // bounds as in Python
Tensor select(const Tensor& x, int dim, int64_t index);
Tensor squeeze(const Tensor& x, int dim);
Tensor unsqueeze(const Tensor& x, int dim);
Tensor expand(const Tensor& x, const Shape& shape);                 // broadcasts, without a copy
Tensor repeat(const Tensor& x, const std::vector<int64_t>& times);  // one number a dimension
Tensor concat(const std::vector<Tensor>& parts, int dim = 0);
Tensor stack(const std::vector<Tensor>& parts, int dim = 0);  // along a new dimension
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int dim = 0);
std::vector<Tensor> chunk(const Tensor& x, int64_t count, int dim = 0);  // equal parts, the last may be shorter
std::vector<Tensor> unstack(const Tensor& x, int dim = 0);               // its slices of one, without the dimension
struct Padding {
  int64_t before = 0, after = 0;
};
enum class PadMode { constant, reflect, replicate };
// One Padding a dimension, for the last dimensions: pad(x, {{0, 0}, {1, 2}}) pads the last one alone.
Tensor pad(const Tensor& x, const std::vector<Padding>& last, PadMode mode = PadMode::constant, double value = 0);
Tensor flip(const Tensor& x, const Dims& dims);
Tensor roll(const Tensor& x, int64_t shift, int dim);          // what leaves at the end enters at the beginning
Tensor lower_triangle(const Tensor& x, int64_t diagonal = 0);  // of the last two dimensions; zeros elsewhere
Tensor upper_triangle(const Tensor& x, int64_t diagonal = 0);
Tensor diagonal(const Tensor& x, int a = -2, int b = -1);  // where the indices of a and b are equal, in place of a

// ---- Indexing; indices are i64 (or i32), negative ones count from the end
Tensor index_select(const Tensor& x, int dim, const Tensor& indices);  // indices (n): x's slices at those places
Tensor gather(const Tensor& x, int dim, const Tensor& indices);        // y[i][j] = x[i][indices[i][j]] for dim 1
Tensor scatter_add(const Tensor& x, int dim, const Tensor& indices, const Tensor& source);  // adds where gather takes
Tensor take(const Tensor& x, const Tensor& indices);        // elements of x as one row; shape of indices
Tensor masked_select(const Tensor& x, const Tensor& mask);  // the elements where the mask is true, as one row
Tensor one_hot(const Tensor& indices, int64_t classes, Dtype dtype = Dtype::f32);

// ---- Conversion -----------------------------------------------------------------------------------------------------
Tensor to(const Tensor& x, Dtype dtype);  // gradients pass between f32 and f64

// ---- Products -------------------------------------------------------------------------------------------------------

enum class Activation { none, relu, gelu, gelu_tanh, silu, tanh, sigmoid };

// a (…, M, K) times b (…, K, N): the leading dimensions broadcast; a vector is a row on the left, a column on the
// right.
Tensor matmul(const Tensor& a, const Tensor& b);
// activation(x Wᵀ + bias): x (…, in), weight (out, in), bias (out) or undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Activation activation = Activation::none);
// Einstein's summation: einsum("bthd,bshd->bhts", {q, k}); without an arrow the result's letters are those that occur
// once.
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);

// ---- Norms ----------------------------------------------------------------------------------------------------------

// Over the last dimension: (x - mean) / sqrt(variance + epsilon) * weight + bias; weight and bias may be undefined.
Tensor layer_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double epsilon = 1e-5);
// x / sqrt(mean of squares + epsilon) * weight.
Tensor rms_norm(const Tensor& x, const Tensor& weight = {}, double epsilon = 1e-6);
// The norm of x + residual in one pass, and the sum itself, which the next residual goes on from.
struct NormAndSum {
  Tensor norm, sum;
};
NormAndSum layer_norm_residual(const Tensor& x, const Tensor& residual, const Tensor& weight = {},
                               const Tensor& bias = {}, double epsilon = 1e-5);
NormAndSum rms_norm_residual(const Tensor& x, const Tensor& residual, const Tensor& weight = {}, double epsilon = 1e-6);
// x (N, C, …), the channels in `groups` groups; weight and bias (C) or undefined.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double epsilon = 1e-5);
// x (N, C, …), each channel over all else. In training the running mean and variance (C) move by `momentum` towards the
// batch's (the variance corrected by n/(n-1)); otherwise they are used.
struct BatchNormOptions {
  bool training = true;
  double momentum = 0.1, epsilon = 1e-5;
};
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                  Tensor running_variance, const BatchNormOptions& options = {});

// ---- Softmax --------------------------------------------------------------------------------------------------------

// Along `dim`. A row of -inf gives zeros (log: -inf), never NaN.
Tensor softmax(const Tensor& x, int dim = -1);
Tensor log_softmax(const Tensor& x, int dim = -1);

// ---- Dropout and embedding ------------------------------------------------------------------------------------------

// Sets each element to 0 with probability p and divides the others by 1 - p. The pattern is a function of the place in
// the random sequence: it is never stored.
Tensor dropout(const Tensor& x, double p, Random& from = random());
// Rows of `table` (words, width) for ids of any shape: (…, width).
Tensor embedding(const Tensor& table, const Tensor& ids);

// ---- Recurrent layers -----------------------------------------------------------------------------------------------

enum class Cell { lstm, gru, gru_reset_before, tanh, relu };  // gru: PyTorch's, the reset after the product
int64_t gates(Cell cell);                                     // 4, 3 or 1

struct RecurrentWeights {
  Tensor input, hidden;            // (gates·H, D), (gates·H, H); gates in PyTorch's order: i, f, g, o or r, z, n
  Tensor input_bias, hidden_bias;  // (gates·H) or undefined
  void visit(auto&& field) {
    field("input", input), field("hidden", hidden);
    field("input_bias", input_bias), field("hidden_bias", hidden_bias);
  }
};
struct RecurrentOptions {
  Tensor lengths = {};      // i64 (B): steps beyond a sentence's length leave its state alone and give 0
  Tensor h0 = {}, c0 = {};  // (directions, B, H); undefined: 0
  bool reverse = false;     // with one direction: from the last step to the first
};
struct RecurrentOutput {
  Tensor y;     // (T, B, directions·H)
  Tensor h, c;  // (directions, B, H) after the last step; c of the LSTM alone
};
// x (T, B, D) over its whole sequence; two sets of weights are the two directions, their outputs side by side.
RecurrentOutput recurrent(Cell cell, const Tensor& x, const std::vector<RecurrentWeights>& directions,
                          const RecurrentOptions& options = {});
RecurrentOutput lstm(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options = {});
RecurrentOutput gru(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options = {});

// ---- Convolution and pooling ----------------------------------------------------------------------------------------

struct ConvolutionOptions {
  std::array<int64_t, 2> stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};  // height, width (conv1d: the first)
  int64_t groups = 1;
};
// x (N, in, L), weight (out, in/groups, kernel), bias (out) or undefined.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvolutionOptions& options = {});
// x (N, in, height, width), weight (out, in/groups, kernel height, kernel width).
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvolutionOptions& options = {});

struct PoolingOptions {
  std::array<int64_t, 2> kernel = {2, 2};
  std::array<int64_t, 2> stride = {0, 0};  // 0: the kernel's size
  std::array<int64_t, 2> padding = {0, 0};
  bool count_padding = true;  // average: padded places count in the divisor
};
Tensor max_pool1d(const Tensor& x, const PoolingOptions& options);
Tensor max_pool2d(const Tensor& x, const PoolingOptions& options);
Tensor average_pool1d(const Tensor& x, const PoolingOptions& options);
Tensor average_pool2d(const Tensor& x, const PoolingOptions& options);
Tensor global_max_pool(const Tensor& x);  // (N, C, …) -> (N, C)
Tensor global_average_pool(const Tensor& x);

// ---- Losses ---------------------------------------------------------------------------------------------------------

enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  double smoothing = 0;                   // of the labels, in [0, 1)
  Tensor class_weights = {};              // (classes)
  int64_t ignored = -100;                 // targets of this value count for nothing
  Reduction reduction = Reduction::mean;  // mean: over the weights of the targets' classes
};
// logits (…, classes), targets i64 (…).
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options = {});
// cross_entropy(linear(x, weight, bias), targets) that never holds all logits; the reduction is mean or sum.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& targets,
                            const CrossEntropyOptions& options = {});
// -(t log σ(x) + (1-t) log(1-σ(x))), from the logits x.
Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets, Reduction reduction = Reduction::mean);
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
// ½d² where |d| <= delta, else delta(|d| - ½delta).
Tensor huber_loss(const Tensor& x, const Tensor& target, double delta = 1, Reduction reduction = Reduction::mean);
// Σ p (log p - log q) over the last dimension, q given as logarithms (as log_softmax gives them), p as probabilities;
// mean: over the rows.
Tensor kl_divergence(const Tensor& log_q, const Tensor& p, Reduction reduction = Reduction::mean);
// 1 - cos(x, y) over the last dimension.
Tensor cosine_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);
Tensor cosine_similarity(const Tensor& x, const Tensor& y, double epsilon = 1e-8);

}  // namespace heed
