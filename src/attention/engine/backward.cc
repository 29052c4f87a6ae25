// The backward pass of the streaming engine: who works on which keys, and whose gradients are added to whose.
#include "attention/engine/key_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/backward.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/key_blocks-inl.h"

#ifndef HEED_ATTENTION_ENGINE_BACKWARD_ONCE
#define HEED_ATTENTION_ENGINE_BACKWARD_ONCE
#include "base/threads.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

void run_item_f32(const BackwardItem<float>& item) { KeyBlocks<float>(item).run(); }
void run_item_f64(const BackwardItem<double>& item) { KeyBlocks<double>(item).run(); }
void run_item_bf16([[maybe_unused]] const BackwardItem<bf16>& item) {
#if HEED_HAS_PAIRS
  KeyBlocks<bf16>(item).run();
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(run_item_f32);
HWY_EXPORT(run_item_f64);
HWY_EXPORT(run_item_bf16);

void run_item(const BackwardItem<float>& item) { HWY_DYNAMIC_DISPATCH(run_item_f32)(item); }
void run_item(const BackwardItem<double>& item) { HWY_DYNAMIC_DISPATCH(run_item_f64)(item); }
void run_item(const BackwardItem<bf16>& item) { HWY_DYNAMIC_DISPATCH(run_item_bf16)(item); }

// Few heads: their keys are cut into so many chunks, each with a dQ of its own. A function of the shape alone, so that
// the bits do not depend on the number of threads.
template <class T>
int64_t chunk_count(const Sizes& n, const Outgoing<T>& outgoing) {
  if (outgoing.drelative_queries || outgoing.drelative_keys || outgoing.drelative_values) return 1;
  for (const auto& bias : outgoing.dbiases)
    if (bias && bias.row == -1) return 1;  // chunks share distances
  const int64_t wanted = outgoing.shared_biases ? kMostChunks
                         : !worth_threads(n)    ? 1
                                                : kMostChunks / std::max<int64_t>(1, n.batch * n.groups);
  const int64_t blocks = (n.keys + kBackwardKeys - 1) / kBackwardKeys;
  const int64_t copy = n.rows() * n.width * static_cast<int64_t>(sizeof(T));
  return std::clamp<int64_t>(std::min(wanted, (int64_t{64} << 20) / std::max<int64_t>(1, copy)), 1,
                             std::max<int64_t>(1, std::min<int64_t>(blocks, kMostChunks)));
}

// The keys in chunks of whole blocks; dQ of each chunk apart, then added in order.
template <class T>
void backward_in_chunks(const Problem<T>& p, const Incoming<T>& incoming, const Outgoing<Number<T>>& outgoing,
                        int64_t chunks) {
  const int64_t rows = p.n.rows(), size = rows * p.n.width, groups = p.n.batch * p.n.groups;
  struct Use;
  using C = Number<T>;
  C* parts = kernels::scratch<Use, C>(chunks * (size + rows));
  C* dcentres = parts + chunks * size;
  const Rows<C> part{nullptr, p.n.heads * p.n.queries * p.n.width, p.n.queries * p.n.width, p.n.width};
  const int64_t blocks = (p.n.keys + kBackwardKeys - 1) / kBackwardKeys;
  std::fill_n(parts, chunks * (size + rows), C{0});
  const auto run = [&](int64_t c, int64_t i) {
    Rows<C> dq = part;
    dq.data = parts + c * size;
    const Interval keys{c * blocks / chunks * kBackwardKeys,
                        std::min(p.n.keys, (c + 1) * blocks / chunks * kBackwardKeys)};
    run_item(
        {&p, &incoming, &outgoing, i / p.n.groups, i % p.n.groups, keys, dq, outgoing.dbiases, c, dcentres + c * rows});
  };
  if (outgoing.shared_biases)
    parallel_items(chunks, [&](int64_t c) {
      for (int64_t i = 0; i < groups; ++i) run(c, i);
    });
  else
    parallel_items(chunks * groups, [&](int64_t item) { run(item % chunks, item / chunks); });
  parallel(rows, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (outgoing.dcentres)
        for (int64_t c = 0; c < chunks; ++c) outgoing.dcentres[i] += dcentres[c * rows + i];
      C* to = outgoing.dq.at(i / (p.n.heads * p.n.queries), i / p.n.queries % p.n.heads, i % p.n.queries);
      for (int64_t c = 0; c < chunks; ++c)
        for (int64_t x = 0; x < p.n.width; ++x) to[x] += parts[c * size + i * p.n.width + x];
    }
  });
}

}  // namespace

template <class T>
void backward(const Problem<T>& p, const Incoming<T>& incoming, const Outgoing<Number<T>>& outgoing) {
  const int64_t chunks = chunk_count(p.n, outgoing);
  if (chunks > 1)
    backward_in_chunks(p, incoming, outgoing, chunks);
  else
    parallel_items(p.n.batch * p.n.groups, worth_threads(p.n) && !outgoing.shared_biases, [&](int64_t i) {
      run_item({&p,
                &incoming,
                &outgoing,
                i / p.n.groups,
                i % p.n.groups,
                {0, p.n.keys},
                outgoing.dq,
                outgoing.dbiases,
                0,
                outgoing.dcentres});
    });
}

template void backward(const Problem<float>&, const Incoming<float>&, const Outgoing<float>&);
template void backward(const Problem<double>&, const Incoming<double>&, const Outgoing<double>&);
template void backward(const Problem<bf16>&, const Incoming<bf16>&, const Outgoing<float>&);

}  // namespace heed::attention
#endif
