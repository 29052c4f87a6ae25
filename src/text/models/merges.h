// The merges of byte pair encoding: which two tokens become which one, and which pair comes first.
#pragma once

#include <vector>

#include "text/models/model.h"

namespace heed::tokenize {

class Merges {
 public:
  Merges() = default;
  // "merges" of the model's JSON: pairs, or texts with a space between the two. Error(format) for a pair whose tokens
  // or whose whole is no token.
  Merges(const Object& object, const Vocabulary& vocabulary, const std::string& prefix);

  // Joins tokens[first …]; with `random` each merge is passed over with the probability `dropout`.
  void apply(std::vector<Symbol>& tokens, size_t first, double dropout, Random* random) const;
  std::string json(const Vocabulary& vocabulary) const;

 private:
  struct Merge {
    int32_t left = -1, right = -1;
    int32_t rank = 0, whole = 0;
  };
  const Merge* find(int32_t left, int32_t right) const;
  void build_table();
  struct Work;

  std::vector<Merge> list_;   // by rank
  std::vector<Merge> table_;  // by a hash of the pair: open addressing, at most half full, a power of two
};

}  // namespace heed::tokenize
