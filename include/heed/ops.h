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

#include <limits>
#include <optional>
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
// -------------------------------
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
// ----------------------------------------
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
// -----------------------------------------------------
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

// ---- Indexing; indices are i64 (or i32), negative ones count from the end
// ---------------------------------------------
Tensor index_select(const Tensor& x, int dim, const Tensor& indices);  // indices (n): x's slices at those places
Tensor gather(const Tensor& x, int dim, const Tensor& indices);        // y[i][j] = x[i][indices[i][j]] for dim 1
Tensor scatter_add(const Tensor& x, int dim, const Tensor& indices, const Tensor& source);  // adds where gather takes
Tensor take(const Tensor& x, const Tensor& indices);        // elements of x as one row; shape of indices
Tensor masked_select(const Tensor& x, const Tensor& mask);  // the elements where the mask is true, as one row
Tensor one_hot(const Tensor& indices, int64_t classes, Dtype dtype = Dtype::f32);

// ---- Conversion -----------------------------------------------------------------------------------------------------
Tensor to(const Tensor& x, Dtype dtype);  // gradients pass between f32 and f64

// ---- Products -------------------------------------------------------------------------------------------------------

// ---- Norms ----------------------------------------------------------------------------------------------------------

// ---- Softmax --------------------------------------------------------------------------------------------------------

// ---- Dropout and embedding ------------------------------------------------------------------------------------------

// ---- Recurrent ------------------------------------------------------------------------------------------------------

// ---- Convolution ----------------------------------------------------------------------------------------------------

// ---- Losses ---------------------------------------------------------------------------------------------------------

}  // namespace heed
