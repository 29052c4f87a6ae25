#include "nn/mechanism_heads.h"

#include "attention/slots.h"
#include "base/check.h"
#include "nn/mechanism_weights.h"

namespace heed {
namespace {

constexpr int64_t kReach = 16;  // of Shaw's relative positions, to each side

attention::Sizes sizes_of(const MechanismHeads& layer) {
  const int64_t width = layer.heads.query.weight.dim(0) / layer.heads.heads,
                value_width = layer.heads.value.weight.dim(0) / layer.heads.groups;
  return {.batch = 1,
          .heads = layer.heads.heads,
          .groups = layer.heads.groups,
          .queries = layer.longest,
          .keys = layer.longest,
          .width = width,
          .value_width = value_width};
}

const attention::Mechanism* row_of(const std::string& name) {
  return name.empty() ? nullptr : &attention::mechanism(name);
}

int64_t inner_of(const attention::Mechanism* row, const attention::Sizes& n) {
  return row && std::string(row->name) == "shaw" ? 2 * kReach + 1 : n.width;
}

attention::LearnedTensors tensors_of(const attention::Mechanism* row, const attention::Sizes& n) {
  return row ? initial_tensors(*row, n, inner_of(row, n)) : attention::LearnedTensors();
}

}  // namespace

MechanismHeads::MechanismHeads(int64_t width, const MultiHeadOptions& options, const std::string& mechanism,
                               const std::string& position, int64_t longest)
    : heads(width, options), mechanism(row_of(mechanism)), position(row_of(position)), longest(longest) {
  learned = tensors_of(this->mechanism, sizes_of(*this)), places = tensors_of(this->position, sizes_of(*this));
  const AttendOptions filled = this->options();
  const bool drawn = filled.normalizer.room && std::string(filled.normalizer.room->name()) == "sampled";
  check(!drawn, "attention", "{} draws where to look, which brings no gradient to a loss", mechanism);
}

AttendOptions MechanismHeads::options() const {
  AttendOptions options = mechanism ? mechanism->options(learned, sizes_of(*this)) : AttendOptions{};
  if (!position) return options;
  const AttendOptions of_position = position->options(places, sizes_of(*this));
  check(of_position.position.room != nullptr, "position", "{} is no position", position->name);
  check(!options.position.room, "position", "{} and {} are both positions: wanted one", mechanism->name,
        position->name);
  options.position = of_position.position;
  if (!options.scores.room) options.scores = of_position.scores;
  return options;
}

}  // namespace heed
