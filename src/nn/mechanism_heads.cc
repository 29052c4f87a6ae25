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

// Mechanisms whose meaning hangs on what one call holds. A text that is written step by step is many calls.
struct OfOneCall {
  const char *name, *why;
};
constexpr OfOneCall kOfOneCall[] = {
    {"log_length", "counts the keys of a call, which grow as a text is written"},
    {"lengths", "says how long each text of a batch is, which the model does by itself"},
    {"starts", "says where each text of a batch begins, which the model does by itself"},
    {"documents", "says which texts of a batch were packed together; batches of models are not packed"},
    {"prefix", "says how much of a text was given, which is not known of a model's weights"},
    {"local_m", "counts queries from the first of a call; window does so from the end"},
    {"local_p", "predicts a place among the keys of a call, which grow as a text is written"},
    {"block_sparse", "lists blocks of the queries of a call; window, dilated and strided go on with the text"},
    {"sampled", "draws where to look, which brings no gradient to a loss"},
};

void check_goes_on(const std::string& name) {
  for (const OfOneCall& each : kOfOneCall) check(name != each.name, "attention", "{} {}", name, each.why);
}

const attention::Mechanism* row_of(const std::string& name) {
  return name.empty() ? nullptr : &attention::mechanism(name);
}

int64_t inner_of(const attention::Mechanism* row, const attention::Sizes& n) {
  const std::string name = row ? row->name : "";
  return name == "shaw" ? 2 * kReach + 1 : name == "transformer_xl" ? n.heads * n.width : n.width;
}

attention::LearnedTensors tensors_of(const attention::Mechanism* row, const attention::Sizes& n) {
  return row ? initial_tensors(*row, n, inner_of(row, n)) : attention::LearnedTensors();
}

// Error where mechanism and position do not go together.
void check_combine(const MechanismHeads& layer) {
  const attention::Sizes n = sizes_of(layer);
  const Tensor k = zeros({1, n.groups, 2, n.width}), v = zeros({1, n.groups, 2, n.value_width});
  describe(zeros({1, n.heads, 2, n.width}), k, v, layer.options());
}

}  // namespace

MechanismHeads::MechanismHeads(int64_t width, const MultiHeadOptions& of_heads, const std::string& mechanism,
                               const std::string& position, int64_t longest)
    : heads(width, of_heads), mechanism(row_of(mechanism)), position(row_of(position)), longest(longest) {
  learned = tensors_of(this->mechanism, sizes_of(*this)), places = tensors_of(this->position, sizes_of(*this));
  check_goes_on(mechanism), check_combine(*this);
}

bool MechanismHeads::counts_from_first() const {
  const AttendOptions of = options();
  const auto counts = [](const auto& slot) { return slot.room && slot.room->counts_from_first(); };
  return counts(of.scores) || counts(of.position) || counts(of.span);
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
