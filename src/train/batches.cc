#include "train/batches.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace heed {
namespace {

constexpr uint64_t kOrderStream = 1 << 20;  // of random numbers, away from those of dropout

std::vector<int64_t> shuffled(int64_t n, Random& from) {
  const Tensor order = permutation(n, from);
  return {order.span<int64_t>().begin(), order.span<int64_t>().end()};
}

// Cuts off a batch after another; examples come sorted by length.
void cut(std::span<const int64_t> examples, std::span<const int64_t> lengths, const BatchOptions& options,
         Batches& batches) {
  std::vector<int64_t> batch;
  int64_t longest = 0, all = 0;
  for (const int64_t example : examples) {
    const int64_t length = lengths[static_cast<size_t>(example)], next = static_cast<int64_t>(batch.size()) + 1;
    const int64_t tokens = options.packed ? all + length : next * std::max(longest, length);
    const bool full = options.tokens > 0 ? tokens > options.tokens : next > options.examples;
    if (full && !batch.empty()) batches.push_back(std::move(batch)), batch = {}, longest = all = 0;
    batch.push_back(example), longest = std::max(longest, length), all += length;
  }
  if (!batch.empty()) batches.push_back(std::move(batch));
}

void sort_by_length(std::span<int64_t> examples, std::span<const int64_t> lengths) {
  std::stable_sort(examples.begin(), examples.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] < lengths[static_cast<size_t>(b)];
  });
}

// Examples of a bucket, all of them at most.
int64_t bucket_size(std::span<const int64_t> lengths, const BatchOptions& options) {
  const auto examples = static_cast<int64_t>(lengths.size());
  const int64_t all = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  const int64_t average = std::max<int64_t>(1, all / std::max<int64_t>(1, examples));
  const int64_t batch = options.tokens > 0 ? std::max<int64_t>(1, options.tokens / average) : options.examples;
  int64_t size = 0;
  return multiply_overflows(options.bucket, batch, &size) ? examples : std::min(size, examples);
}

}  // namespace

Batches batches_of_epoch(std::span<const int64_t> lengths, const BatchOptions& options, int64_t epoch) {
  Random from{options.seed, kOrderStream + static_cast<uint64_t>(epoch), 0};
  std::vector<int64_t> order = shuffled(static_cast<int64_t>(lengths.size()), from);
  const auto bucket = static_cast<size_t>(bucket_size(lengths, options));
  Batches sorted, batches;
  for (size_t begin = 0; begin < order.size(); begin += bucket) {
    const std::span<int64_t> part = std::span(order).subspan(begin, std::min(bucket, order.size() - begin));
    if (!options.packed) sort_by_length(part, lengths);
    cut(part, lengths, options, sorted);
  }
  for (const int64_t n : shuffled(static_cast<int64_t>(sorted.size()), from))
    batches.push_back(std::move(sorted[static_cast<size_t>(n)]));
  return batches;
}

Batches batches_by_length(std::span<const int64_t> lengths, const BatchOptions& options) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  sort_by_length(order, lengths);
  Batches batches;
  cut(order, lengths, options, batches);
  return batches;
}

}  // namespace heed
