#include "ops/recurrent_cell.h"

#include <utility>

#include "base/check.h"
#include "kernels/recurrent_cell.h"
#include "ops/pointer.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// What backward reads, off the tape.
struct SavedCell {
  kernels::CellShape shape;
  Tensor h, c, kept;
};

enum Input { a, u, h, c };

template <class T>
void backward(const SavedCell& saved, std::span<const Tensor> dys, Gradients& d) {
  const auto [cell, rows, H] = saved.shape;
  const bool gru = cell == kernels::Cell::gru_reset_after, lstm = cell == kernels::Cell::lstm;
  const Dtype dtype = dtype_of<T>();
  const Shape gates{rows, kernels::gate_count(cell) * H}, state{rows, H};
  const Tensor dh = dys[0].packed(), dc = lstm ? dys[1].packed() : Tensor();
  Tensor da(gates, dtype), du = gru ? Tensor(gates, dtype) : Tensor();
  Tensor dh_before = gru ? Tensor(state, dtype) : Tensor(), dc_before = lstm ? Tensor(state, dtype) : Tensor();
  kernels::cell_backward<T>(saved.shape, {.h = pointer<T>(saved.h),
                                          .c = pointer<T>(saved.c),
                                          .kept = pointer<T>(saved.kept),
                                          .dh_next = pointer<T>(dh),
                                          .dc_next = pointer<T>(dc),
                                          .da = pointer<T>(da),
                                          .du = pointer<T>(du),
                                          .dh = pointer<T>(dh_before),
                                          .dc = pointer<T>(dc_before)});
  if (d.needs(Input::a)) d.add(Input::a, da);
  if (d.needs(Input::u)) d.add(Input::u, gru ? du : da);
  if (gru && d.needs(Input::h)) d.add(Input::h, dh_before);
  if (lstm && d.needs(Input::c)) d.add(Input::c, dc_before);
}

void expect(const char* what, const Tensor& got, const Shape& wanted, Dtype dtype) {
  check(got.defined() && got.shape() == wanted && got.dtype() == dtype, "recurrent", "{} is {} {}, wanted {} {}", what,
        got.defined() ? name(got.dtype()) : "undefined", got.defined() ? got.shape() : Shape(), name(dtype), wanted);
}

}  // namespace

CellState recurrent_cell(Cell cell, const Tensor& a, const Tensor& u, const CellState& before) {
  check(cell != Cell::gru_reset_before, "recurrent", "a GRU that resets before its product has no step from products");
  const kernels::Cell kind = kernel_cell(cell);
  const bool gru = cell == Cell::gru, lstm = cell == Cell::lstm;
  check(a.rank() == 2 && a.dim(1) % gates(cell) == 0, "recurrent", "a has shape {}, wanted (B, {}·H)", a.shape(),
        gates(cell));
  const int64_t rows = a.dim(0), H = a.dim(1) / gates(cell);
  expect("u", u, a.shape(), a.dtype());
  if (gru) expect("h", before.h, {rows, H}, a.dtype());
  if (lstm) expect("c", before.c, {rows, H}, a.dtype());
  return dispatch_floating(a.dtype(), "recurrent", [&](auto zero) {
    using T = decltype(zero);
    const Tensor of_input = a.packed(), of_state = u.packed();
    SavedCell saved{{kind, rows, H},
                    gru ? before.h.packed().detach() : Tensor(),
                    lstm ? before.c.packed().detach() : Tensor(),
                    Tensor({rows, kernels::kept_count(kind) * H}, a.dtype())};
    std::vector<Tensor> after{Tensor({rows, H}, a.dtype())};
    if (lstm) after.push_back(Tensor({rows, H}, a.dtype()));
    kernels::cell_forward<T>(saved.shape, {.a = pointer<T>(of_input),
                                           .u = pointer<T>(of_state),
                                           .h = pointer<T>(saved.h),
                                           .c = pointer<T>(saved.c),
                                           .h_next = pointer<T>(after[0]),
                                           .c_next = lstm ? pointer<T>(after[1]) : nullptr,
                                           .kept = pointer<T>(saved.kept)});
    const std::vector<Tensor> inputs{a, u, gru ? before.h : Tensor(), lstm ? before.c : Tensor()};
    const auto out = record_all("recurrent", std::move(after), inputs,
                                [saved](std::span<const Tensor> dys, Gradients& d) { backward<T>(saved, dys, d); });
    return CellState{out[0], lstm ? out[1] : Tensor()};
  });
}

}  // namespace heed
