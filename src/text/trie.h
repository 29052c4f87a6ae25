// A trie of byte strings: which of them does a text begin with?
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace heed::tokenize {

class Trie {
 public:
  Trie() { first_.fill(-1); }
  // Strings with their values, in any order; empty ones are left out, of equal ones the first counts.
  explicit Trie(std::vector<std::pair<std::string_view, int32_t>> entries);

  // Calls body(length, value) for each string that `text` begins with, the shortest first.
  template <class Body>
  void each_prefix(std::string_view text, const Body& body) const {
    if (text.empty()) return;
    int32_t node = first_[static_cast<uint8_t>(text[0])];
    for (size_t length = 1; node >= 0; ++length) {
      const Node& at = nodes_[static_cast<size_t>(node)];
      if (at.value >= 0) body(length, at.value);
      if (length == text.size()) return;
      node = child(at, static_cast<uint8_t>(text[length]));
    }
  }

 private:
  struct Node {
    int32_t value = -1;
    int32_t begin = 0, end = 0;  // its children, sorted by their bytes
  };
  int32_t child(const Node& node, uint8_t byte) const {
    const auto begin = labels_.begin() + node.begin, end = labels_.begin() + node.end;
    const auto found = std::lower_bound(begin, end, byte);
    return found != end && *found == byte ? static_cast<int32_t>(found - labels_.begin()) : -1;
  }

  std::array<int32_t, 256> first_;
  std::vector<Node> nodes_;
  std::vector<uint8_t> labels_;  // of the nodes
};

}  // namespace heed::tokenize
