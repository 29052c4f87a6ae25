#include "nn/source_attention.h"

#include "attention/slots.h"
#include "base/check.h"
#include "nn/mechanism_weights.h"

namespace heed {
namespace {

attention::Sizes sizes_of(int64_t width, int64_t longest) {
  return {.batch = 1, .heads = 1, .groups = 1, .queries = 1, .keys = longest, .width = width, .value_width = width};
}

AttendOptions row_options(const SourceAttention& layer, int64_t width) {
  return attention::mechanism(layer.options.mechanism).options(layer.learned, sizes_of(width, layer.options.longest));
}

void check_mechanism(const std::string& name, const AttendOptions& options) {
  const bool drawn = options.normalizer.room && std::string(options.normalizer.room->name()) == "sampled";
  check(!options.position.room, "attention",
        "{} places queries among the keys, but the words of a target have no place in the source", name);
  check(!options.span.room, "attention", "{} says who may look where by places that a source and a target do not share",
        name);
  check(!drawn, "attention", "{} draws where to look, which brings no gradient to a translation's loss", name);
}

// What attend refuses, it refuses here: a look at one word.
void check_combination(const SourceAttention& layer, int64_t width) {
  const NoGrad scope;
  const Tensor one = zeros({1, 1, width});
  try {
    layer(one, layer.read(one, tensor({1}, Dtype::i64)), 0);
  } catch (const Error& error) {
    fail(ErrorKind::usage, "attention", "{} does not go here: {}", layer.options.mechanism, error.what());
  }
}

}  // namespace

SourceAttention::SourceAttention(int64_t width, const SourceAttentionOptions& options)
    : options(options),
      width(width),
      learned(initial_tensors(attention::mechanism(options.mechanism), sizes_of(width, options.longest), width)) {
  // Of one head, which rows of a sentence share.
  for (auto& [name, tensor] : learned)
    if (tensor.rank() == 2 && tensor.dim(0) == 1) tensor = tensor.detach().squeeze(0).requires_grad(true);
  check_mechanism(options.mechanism, row_options(*this, width));
  if (options.span == Around::local_p) {
    place = weight({width, width}), place_vector = weight({width});
    initialize::glorot_uniform(place);
    initialize::normal(place_vector, 0, 0.01);
  }
  check_combination(*this, width);
}

bool SourceAttention::uses_queries() const {
  const Scores scores = row_options(*this, width).scores;
  return !scores.room || scores.room->uses_queries();
}

Memory SourceAttention::read(const Tensor& keys, const Tensor& values, const Tensor& lengths) const {
  AttendOptions how = row_options(*this, keys.dim(-1));
  const ReadAhead ahead = read_ahead(how.scores, unsqueeze(keys, 1));
  how.scores = ahead.scores;
  if (options.span == Around::local_p) how.span = local_p(place, place_vector, options.reach);
  return {ahead.keys, unsqueeze(values, 1), lengths, how};
}

Attended SourceAttention::operator()(const Tensor& q, const Memory& memory, int64_t first, bool weights,
                                     const Watch& watch) const {
  AttendOptions how = memory.how;
  how.key_lengths = memory.lengths, how.return_weights = weights, how.watch = watch;
  if (options.span == Around::local_m) how.span = local_m(options.reach, first);
  // The rows of a sentence look at the same keys, as grouped heads do.
  const int64_t sentences = memory.keys.dim(0), rows = q.dim(0), steps = q.dim(1), width = q.dim(2);
  Attended seen = attend(reshape(q, {sentences, rows / sentences, steps, width}), memory.keys, memory.values, how);
  seen.out = reshape(seen.out, {rows, steps, width});
  if (weights) seen.weights = reshape(seen.weights, {rows, steps, memory.keys.dim(2)});
  return seen;
}

}  // namespace heed
