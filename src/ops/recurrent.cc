#include "kernels/recurrent.h"

#include <heed/ops.h>

#include <utility>

#include "base/check.h"
#include "ops/pointer.h"
#include "ops/recurrent_cell.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

const char* op_name(Cell cell) {
  if (cell == Cell::lstm) return "lstm";
  return cell == Cell::gru || cell == Cell::gru_reset_before ? "gru" : "rnn";
}

// One direction, off the tape: the inputs packed, in the order in which the op records them.
struct Run {
  enum Input { x, h0, c0, weight_input, weight_hidden, bias_input, bias_hidden, count };
  kernels::RecurrentShape shape;
  std::vector<Tensor> inputs;  // undefined where not given
  Tensor lengths;
  Tensor workspace;  // what forward leaves for backward

  template <class T>
  const T* pointer(int input) const {
    return heed::pointer<T>(inputs[static_cast<size_t>(input)]);
  }
  template <class T>
  kernels::RecurrentInputs<T> pointers() const {
    return {.x = pointer<T>(x),
            .lengths = lengths.defined() ? lengths.data<int64_t>() : nullptr,
            .h0 = pointer<T>(h0),
            .c0 = pointer<T>(c0),
            .weight_ih = pointer<T>(weight_input),
            .weight_hh = pointer<T>(weight_hidden),
            .bias_ih = pointer<T>(bias_input),
            .bias_hh = pointer<T>(bias_hidden)};
  }
};

void expect(const char* op, const char* what, const Tensor& got, const Shape& wanted, Dtype dtype) {
  if (!got.defined()) return;
  check(got.shape() == wanted, op, "{} has shape {}, wanted {}", what, got.shape(), wanted);
  check(got.dtype() == dtype, op, "{} is {}, x is {}", what, name(got.dtype()), name(dtype));
}

void check_lengths(const char* op, const Tensor& lengths, int64_t T, int64_t B) {
  if (!lengths.defined()) return;
  expect(op, "lengths", lengths, {B}, Dtype::i64);
  for (int64_t b = 0; b < B; ++b) {
    const int64_t length = lengths.data<int64_t>()[b];
    check(length >= 0 && length <= T, op, "length {} of sentence {} is outside of 0 to {}", length, b, T);
  }
}

kernels::RecurrentShape checked_shape(Cell cell, const Tensor& x, const RecurrentWeights& weights, bool reverse) {
  const char* op = op_name(cell);
  check(x.rank() == 3, op, "x has shape {}, wanted (T, B, D)", x.shape());
  check(weights.input.defined() && weights.hidden.defined() && weights.hidden.rank() == 2, op,
        "wanted weights of shapes (gates·H, D) and (gates·H, H)");
  const int64_t T = x.dim(0), B = x.dim(1), D = x.dim(2), H = weights.hidden.dim(1), strips = gates(cell);
  expect(op, "the input weight", weights.input, {strips * H, D}, x.dtype());
  expect(op, "the hidden weight", weights.hidden, {strips * H, H}, x.dtype());
  expect(op, "the input bias", weights.input_bias, {strips * H}, x.dtype());
  expect(op, "the hidden bias", weights.hidden_bias, {strips * H}, x.dtype());
  return {.cell = kernel_cell(cell), .reverse = reverse, .T = T, .B = B, .D = D, .H = H};
}

template <class T>
std::vector<Tensor> forward(Run& run) {
  const auto [cell, reverse, steps, B, D, H] = run.shape;
  const Dtype dtype = dtype_of<T>();
  std::vector<Tensor> outputs{Tensor({steps, B, H}, dtype), Tensor({B, H}, dtype)};
  if (cell == kernels::Cell::lstm) outputs.push_back(Tensor({B, H}, dtype));
  run.workspace = Tensor({kernels::recurrent_workspace<T>(run.shape)}, dtype);
  kernels::recurrent_forward<T>(
      run.shape, run.pointers<T>(),
      {.y = outputs[0].data<T>(), .h = outputs[1].data<T>(), .c = outputs.size() > 2 ? outputs[2].data<T>() : nullptr},
      run.workspace.data<T>());
  return outputs;
}

template <class T>
void backward(Run& run, std::span<const Tensor> dys, Gradients& d) {
  std::vector<Tensor> packed, found(Run::count);
  for (const Tensor& dy : dys) packed.push_back(dy.packed());
  const auto wanted = [&](int input) -> T* {
    const Tensor& of = run.inputs[static_cast<size_t>(input)];
    if (!of.defined() || !d.needs(input)) return nullptr;
    found[static_cast<size_t>(input)] = Tensor(of.shape(), of.dtype());
    return found[static_cast<size_t>(input)].template data<T>();
  };
  const kernels::RecurrentGradients<T> gradients{.dy = std::as_const(packed[0]).data<T>(),
                                                 .dh = std::as_const(packed[1]).data<T>(),
                                                 .dc = packed.size() > 2 ? std::as_const(packed[2]).data<T>() : nullptr,
                                                 .dx = wanted(Run::x),
                                                 .dh0 = wanted(Run::h0),
                                                 .dc0 = wanted(Run::c0),
                                                 .dweight_ih = wanted(Run::weight_input),
                                                 .dweight_hh = wanted(Run::weight_hidden),
                                                 .dbias_ih = wanted(Run::bias_input),
                                                 .dbias_hh = wanted(Run::bias_hidden)};
  // The kernel uses the workspace up.
  Tensor workspace = d.last() ? std::exchange(run.workspace, {}) : run.workspace.clone();
  kernels::recurrent_backward<T>(run.shape, run.pointers<T>(), gradients, workspace.data<T>());
  for (int input = 0; input < Run::count; ++input)
    if (found[static_cast<size_t>(input)].defined()) d.add(input, found[static_cast<size_t>(input)]);
}

// y (T, B, H), h and c (B, H) of one direction.
std::vector<Tensor> one_direction(Cell cell, const Tensor& x, const RecurrentWeights& weights, bool reverse,
                                  const Tensor& h0, const Tensor& c0, const Tensor& lengths) {
  const char* op = op_name(cell);
  Run run{.shape = checked_shape(cell, x, weights, reverse), .inputs = {}, .lengths = {}, .workspace = {}};
  const Shape state{run.shape.B, run.shape.H};
  expect(op, "h0", h0, state, x.dtype());
  expect(op, "c0", c0, state, x.dtype());
  check(!c0.defined() || cell == Cell::lstm, op, "a c0 was given, which only the LSTM has");
  check_lengths(op, lengths, run.shape.T, run.shape.B);
  const std::vector<Tensor> inputs{x, h0, c0, weights.input, weights.hidden, weights.input_bias, weights.hidden_bias};
  for (const Tensor& input : inputs) run.inputs.push_back(input.defined() ? input.packed().detach() : Tensor());
  run.lengths = lengths.defined() ? lengths.packed() : lengths;
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    std::vector<Tensor> outputs = forward<T>(run);
    return record_all(
        op, std::move(outputs), inputs,
        [run = std::move(run)](std::span<const Tensor> dys, Gradients& d) mutable { backward<T>(run, dys, d); });
  });
}

}  // namespace

kernels::Cell kernel_cell(Cell cell) {
  switch (cell) {
    case Cell::lstm: return kernels::Cell::lstm;
    case Cell::gru: return kernels::Cell::gru_reset_after;
    case Cell::gru_reset_before: return kernels::Cell::gru_reset_before;
    case Cell::tanh: return kernels::Cell::tanh;
    case Cell::relu: return kernels::Cell::relu;
  }
  fail(ErrorKind::usage, "recurrent", "unknown cell {}", static_cast<int>(cell));
}

int64_t gates(Cell cell) { return kernels::gate_count(kernel_cell(cell)); }

RecurrentOutput recurrent(Cell cell, const Tensor& x, const std::vector<RecurrentWeights>& directions,
                          const RecurrentOptions& options) {
  const char* op = op_name(cell);
  check(directions.size() == 1 || directions.size() == 2, op, "{} directions, wanted 1 or 2", directions.size());
  check(!options.reverse || directions.size() == 1, op, "reverse is for one direction, two are given");
  const auto state = [&](const Tensor& all, size_t i, const char* what) {
    if (!all.defined()) return Tensor();
    check(all.rank() == 3 && all.dim(0) == static_cast<int64_t>(directions.size()), op,
          "{} has shape {}, wanted ({}, B, H)", what, all.shape(), directions.size());
    return select(all, 0, static_cast<int64_t>(i));
  };
  std::vector<Tensor> y, h, c;
  for (size_t i = 0; i < directions.size(); ++i) {
    const std::vector<Tensor> outputs =
        one_direction(cell, x, directions[i], options.reverse || i == 1, state(options.h0, i, "h0"),
                      state(options.c0, i, "c0"), options.lengths);
    y.push_back(outputs[0]);
    h.push_back(outputs[1]);
    if (outputs.size() > 2) c.push_back(outputs[2]);
  }
  return {y.size() == 1 ? y[0] : concat(y, 2), stack(h, 0), c.empty() ? Tensor() : stack(c, 0)};
}

RecurrentOutput lstm(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return recurrent(Cell::lstm, x, {weights}, options);
}
RecurrentOutput gru(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return recurrent(Cell::gru, x, {weights}, options);
}

}  // namespace heed
