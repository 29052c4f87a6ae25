// Few queries, as a decoder asks: keys and values are read as they are, each block once for all heads of its group.
#include "attention/engine/query_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/decode.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/query_block-inl.h"

#ifndef HEED_ATTENTION_ENGINE_DECODE_ONCE
#define HEED_ATTENTION_ENGINE_DECODE_ONCE
#include "base/threads.h"
#include "kernels/scratch.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

template <class T>
using FewQueries = QueryBlock<T, Keys::as_they_are>;

// One block of keys: the heads of a group, whose states lie `size` apart, are the rows of one product with the keys
// and, where all is seen, of one with the values.
template <class T>
void decode_together(const Problem<T>& p, int64_t b, int64_t g, int64_t key, int64_t size,
                     std::vector<FewQueries<T>>& blocks) {
  struct Use;
  const Sizes& n = p.n;
  const int64_t heads = n.heads_per_group(), count = std::min(kKeyBlock, n.keys - key);
  const BlockState<T>& first = blocks[0].state();
  T* scores = kernels::scratch<Use, T>(heads * n.queries * kKeyBlock);
  for (int64_t r = 0; r < n.queries; ++r)
    inner_products(heads, first.queries + r * n.width, size, p.k.at(b, g, key), p.k.row, n.width, count,
                   scores + r * kKeyBlock, n.queries * kKeyBlock);
  bool whole = true;
  std::vector<FewQueries<T>*> seeing;
  for (int64_t i = 0; i < heads; ++i) {
    FewQueries<T>& block = blocks[static_cast<size_t>(i)];
    if (!(block.seen() & Interval{key, key + kKeyBlock}).empty() &&
        block.weigh_block(key, scores + i * n.queries * kKeyBlock)) {
      seeing.push_back(&block);
      whole &= block.whole();
    } else {
      whole = false;
    }
  }
  if (!whole)
    for (auto* block : seeing) block->add_block(key);
  for (int64_t r = 0; whole && r < n.queries; ++r)
    add_product(heads, n.value_width, count, kn::by_rows(first.weights + r * BlockState<T>::kStride, size),
                RowStrips<T>{p.v.at(b, g, key), p.v.row}, first.out + r * n.value_width, size);
}

// Few queries of all heads of a group against the keys [begin, end): each block of keys comes from memory once.
template <class T>
void decode_keys(const Problem<T>& p, const Outputs<T>& outputs, int64_t b, int64_t g, const Interval& keys) {
  struct Use;
  const int64_t heads = p.n.heads_per_group(), size = (BlockState<T>::size(p.n, p.n.queries) + 15) / 16 * 16;
  T* memory = kernels::scratch<Use, T>(heads * size);
  std::vector<Head<T>> of;
  for (int64_t i = 0; i < heads; ++i) of.push_back({&p, &outputs, b, g * heads + i, nullptr, nullptr, nullptr});
  std::vector<FewQueries<T>> blocks;
  for (int64_t i = 0; i < heads; ++i)
    blocks.emplace_back(of[static_cast<size_t>(i)], 0, p.n.queries, memory + i * size);
  const bool together = heads > 1 && !p.features;
  for (int64_t key = (keys.end - 1) / kKeyBlock * kKeyBlock; key >= keys.begin; key -= kKeyBlock)
    if (together)
      decode_together(p, b, g, key, size, blocks);
    else
      for (auto& block : blocks)
        if (!(block.seen() & Interval{key, key + kKeyBlock}).empty()) block.key_block(key);
  for (auto& block : blocks) block.finish();
}
void decode_keys_f32(const Problem<float>& p, const Outputs<float>& o, int64_t b, int64_t g, const Interval& keys) {
  decode_keys(p, o, b, g, keys);
}
void decode_keys_f64(const Problem<double>& p, const Outputs<double>& o, int64_t b, int64_t g, const Interval& keys) {
  decode_keys(p, o, b, g, keys);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(decode_keys_f32);
HWY_EXPORT(decode_keys_f64);
void decode_keys(const Problem<float>& p, const Outputs<float>& o, int64_t b, int64_t g, const Interval& keys) {
  HWY_DYNAMIC_DISPATCH(decode_keys_f32)(p, o, b, g, keys);
}
void decode_keys(const Problem<double>& p, const Outputs<double>& o, int64_t b, int64_t g, const Interval& keys) {
  HWY_DYNAMIC_DISPATCH(decode_keys_f64)(p, o, b, g, keys);
}

// Few heads: the keys are cut into chunks, a function of the shape alone.
int64_t decode_chunks(const Sizes& n) {
  const int64_t wanted = (16 + n.batch * n.groups - 1) / std::max<int64_t>(1, n.batch * n.groups);
  return std::clamp<int64_t>(n.keys / 1024, 1, wanted);
}

// The parts of one row: out = Σ e^{λ_c − λ} out_c, λ = log Σ e^{λ_c}; weights that stand alone are only added.
template <class T>
void merge_row(const Sizes& n, Streaming normalizer, const std::vector<Outputs<T>>& parts, int64_t row, T* out,
               T& log_sum_exp) {
  T largest = static_cast<T>(-INFINITY), sum = 0;
  for (const auto& part : parts) largest = std::max(largest, part.log_sum_exp[row]);
  for (const auto& part : parts) {
    const T weight = normalizer != Streaming::softmax ? T{1}
                     : largest == -INFINITY           ? T{0}
                                                      : std::exp(part.log_sum_exp[row] - largest);
    sum += weight;
    for (int64_t c = 0; c < n.value_width; ++c) out[c] += weight * part.out.data[row * n.value_width + c];
  }
  if (normalizer != Streaming::softmax) return;
  log_sum_exp = sum == 0 ? largest : largest + std::log(sum);
  for (int64_t c = 0; c < n.value_width && sum != 0; ++c) out[c] /= sum;
}

}  // namespace

template <class T>
void decode(const Problem<T>& p, const Outputs<T>& outputs) {
  struct Use;
  const int64_t chunks = decode_chunks(p.n), groups = p.n.batch * p.n.groups, rows = p.n.rows();
  const int64_t blocks = (p.n.keys + kKeyBlock - 1) / kKeyBlock;
  std::vector<Outputs<T>> parts(static_cast<size_t>(chunks), outputs);
  if (chunks > 1) {
    T* memory = kernels::scratch<Use, T>(chunks * rows * (p.n.value_width + 1));
    for (auto& part : parts) {
      part.out = {memory, p.n.heads * p.n.queries * p.n.value_width, p.n.queries * p.n.value_width, p.n.value_width};
      part.log_sum_exp = memory + rows * p.n.value_width, memory += rows * (p.n.value_width + 1);
    }
  }
  const auto run = [&](int64_t item) {
    const int64_t c = item / groups, i = item % groups;
    const Interval keys{c * blocks / chunks * kKeyBlock, std::min(p.n.keys, (c + 1) * blocks / chunks * kKeyBlock)};
    decode_keys(p, parts[static_cast<size_t>(c)], i / p.n.groups, i % p.n.groups, keys);
  };
  parallel_items(chunks * groups, worth_threads(p.n), run);
  for (int64_t row = 0; row < rows && chunks > 1; ++row) {
    T* out = outputs.out.at(row / (p.n.heads * p.n.queries), row / p.n.queries % p.n.heads, row % p.n.queries);
    std::fill_n(out, p.n.value_width, T{0});
    merge_row(p.n, p.normalizer, parts, row, out, outputs.log_sum_exp[row]);
  }
}

template void decode(const Problem<float>&, const Outputs<float>&);
template void decode(const Problem<double>&, const Outputs<double>&);

}  // namespace heed::attention
#endif
