// Multi-head attention by mechanisms of the table: one for the scores, the span or the normaliser, one for the
// position.
#pragma once

#include <heed/nn.h>

#include "attention/mechanisms.h"

namespace heed {

struct MechanismHeads {
  MultiHead heads;
  const attention::Mechanism *mechanism, *position;  // null: none
  attention::LearnedTensors learned, places;         // theirs
  int64_t longest;

  // Names of rows, empty for plain attention; longest: places that a text may have.
  MechanismHeads(int64_t width, const MultiHeadOptions& options, const std::string& mechanism,
                 const std::string& position, int64_t longest);
  // The slots that the rows fill.
  AttendOptions options() const;
  bool counts_from_first() const;  // whether it matters to any of them which key of a text is the first
  void visit(auto&& field) {
    field("heads", heads);
    for (auto& [name, tensor] : learned) field(name.c_str(), tensor);
    for (auto& [name, tensor] : places) field(name.c_str(), tensor);
  }
};

}  // namespace heed
