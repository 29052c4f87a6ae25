// Which words of two texts belong together, as a translator sees them; and how far that is from what people say.
#pragma once

#include <heed/explain.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tasks/translate.h"

namespace heed {

// How two directions become one: of each word of the target its source, and of each word of the source its target.
enum class Symmetrize { none, intersection, either, grow_diag };
constexpr std::array<std::pair<const char*, Symmetrize>, 4> names_of(Symmetrize) {
  return {{{"none", Symmetrize::none},
           {"intersection", Symmetrize::intersection},
           {"union", Symmetrize::either},
           {"grow-diag", Symmetrize::grow_diag}}};
}

struct AlignOptions : PairOptions {
  std::string layer, reverse, gold;
  int64_t head = -1, gold_begin = 0;
  Symmetrize symmetrize = Symmetrize::none;

  void visit(auto&& field) {
    PairOptions::visit(field);
    field("layer", layer, "whose attention is read: decoder.1.cross, or its number from 0; the last where not said");
    field("head", head, "of the layer, from 0; -1: the mean of all");
    field("symmetrize", symmetrize,
          "none: of each word of the target its source; with the other direction: intersection, union or grow-diag");
    field("reverse", reverse, "a run that translates back, for the other direction; else the same weights give both");
    field(
        "gold", gold,
        "links that people made, whose error rate is printed: a line a pair, 0-1 sure, 0?1 or 0p1 possible; or a line "
        "a link as NAACL 2003 has them, PAIR SOURCE TARGET S|P");
    field("gold_begin", gold_begin, "what the first word of a line a pair is counted as: 0, or 1");
  }
};

struct Alignments {
  std::vector<std::vector<Link>> links;   // of each pair, between words
  std::optional<double> error_rate = {};  // where there is a gold file
};
// Error where the run or the one back is no translator or has no attention to its source, or the gold file is not of
// these pairs.
Alignments align(const std::string& run, const AlignOptions& options);

}  // namespace heed
