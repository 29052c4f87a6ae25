// The forward pass of the streaming engine: the keys of a group are packed, then its blocks of queries pass by.
#include "attention/engine/query_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/forward.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/query_block-inl.h"

#ifndef HEED_ATTENTION_ENGINE_FORWARD_ONCE
#define HEED_ATTENTION_ENGINE_FORWARD_ONCE
#include "base/threads.h"
#include "kernels/scratch.h"

namespace heed::attention {

// What is compiled for each instruction set.
template <class T>
struct ForwardKernels {
  // Keys [key, key + 64) of a group, and their values where those are packed. Whether the keys became exponentials.
  bool (*pack)(const Problem<T>&, int64_t b, int64_t g, int64_t key, Unit<T>* key_panels, Unit<T>* value_strips);
  void (*run_block)(const Head<T>&, int64_t row, int64_t rows);
};

}  // namespace heed::attention
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

template <class T>
bool pack_panel(const Problem<T>& p, int64_t b, int64_t g, int64_t key, Unit<T>* key_panels, Unit<T>* value_strips) {
  const int64_t count = std::min(kPanel, p.n.keys - key);
  Unit<T>* panel = key_panels + key * units<T>(p.n.width);
  pack_columns(p.k.at(b, g, key), p.k.row, p.n.width, count, panel);
  if (value_strips)
    pack_rows(p.v.at(b, g, key), p.v.row, p.n.value_width, count, value_strips + units<T>(key) * kStrip<Unit<T>>,
              packed_rows(value_strips, units<T>(p.n.keys)).strip);
  if constexpr (kEveryForm<T>)
    if (p.features) return to_exponentials(panel, p.n.width);
  return false;
}
template <class T>
void run_block(const Head<T>& head, int64_t row, int64_t rows) {
  struct Use;
  Number<T>* memory = kernels::scratch<Use, Number<T>>(BlockState<T>::size(head.problem->n, rows));
  QueryBlock<T, Keys::packed>(head, row, rows, memory).run();
}

template <class T>
ForwardKernels<T> forward_kernels() {
  return {pack_panel<T>, run_block<T>};
}
ForwardKernels<float> forward_kernels_f32() { return forward_kernels<float>(); }
ForwardKernels<double> forward_kernels_f64() { return forward_kernels<double>(); }
#if HEED_HAS_PAIRS
ForwardKernels<bf16> forward_kernels_bf16() { return forward_kernels<bf16>(); }
#else
ForwardKernels<bf16> forward_kernels_bf16() { return {}; }
#endif

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(forward_kernels_f32);
HWY_EXPORT(forward_kernels_f64);
HWY_EXPORT(forward_kernels_bf16);
ForwardKernels<float> kernels_for(float) { return HWY_DYNAMIC_DISPATCH(forward_kernels_f32)(); }
ForwardKernels<double> kernels_for(double) { return HWY_DYNAMIC_DISPATCH(forward_kernels_f64)(); }
ForwardKernels<bf16> kernels_for(bf16) { return HWY_DYNAMIC_DISPATCH(forward_kernels_bf16)(); }

// One group: its keys packed, then each block of queries of its heads, the last first: when causal it is the longest.
template <class T>
void run_group(const Problem<T>& p, const Outputs<T>& outputs, int64_t b, int64_t g) {
  struct Use;
  const ForwardKernels<T> kernel = kernels_for(T{});
  const int64_t panels = (p.n.keys + kPanel - 1) / kPanel, key_units = panels * kPanel * units<T>(p.n.width),
                value_units = packed_size<T>(p.n.value_width, p.n.keys);
  Unit<T>* keys = kernels::scratch<Use, Unit<T>>(key_units + value_units);
  Unit<T>* values = value_units > 0 ? keys + key_units : nullptr;
  uint8_t* exponentials = kernels::scratch<Use, uint8_t>(panels);
  parallel(panels, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) exponentials[i] = kernel.pack(p, b, g, i * kPanel, keys, values);
  });
  const int64_t blocks = (p.n.queries + kQueryBlock - 1) / kQueryBlock;
  const int64_t items = p.n.heads_per_group() * blocks;
  const auto run = [&](int64_t item) {
    const Head<T> head{&p,   &outputs, b,           g * p.n.heads_per_group() + item % p.n.heads_per_group(),
                       keys, values,   exponentials};
    const int64_t row = (blocks - 1 - item / p.n.heads_per_group()) * kQueryBlock;
    kernel.run_block(head, row, std::min(kQueryBlock, p.n.queries - row));
  };
  parallel_items(items, worth_threads(p.n), run);
}

}  // namespace

template <class T>
void forward(const Problem<T>& p, const Outputs<T>& outputs) {
  if constexpr (kEveryForm<T>)
    if (p.n.queries <= kFewQueries) return decode(p, outputs);
  const int64_t groups = p.n.batch * p.n.groups;
  const auto run = [&](int64_t i) { run_group(p, outputs, i / p.n.groups, i % p.n.groups); };
  parallel_items(groups, worth_threads(p.n) && groups >= 4 * threads(), run);
}

template void forward(const Problem<float>&, const Outputs<float>&);
template void forward(const Problem<double>&, const Outputs<double>&);
template void forward(const Problem<bf16>&, const Outputs<bf16>&);

}  // namespace heed::attention
#endif
