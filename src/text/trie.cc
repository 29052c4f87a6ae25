#include "text/trie.h"

namespace heed::tokenize {

// Level by level, so that the children of a node stand side by side.
Trie::Trie(std::vector<std::pair<std::string_view, int32_t>> entries) : Trie() {
  std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
  struct Range {
    size_t begin, end, depth;  // entries that share their first `depth` bytes
  };
  std::vector<Range> ranges;
  const auto add_children = [&](Range range) {
    while (range.begin < range.end && entries[range.begin].first.size() == range.depth) ++range.begin;
    for (size_t i = range.begin; i < range.end;) {
      const auto byte = static_cast<uint8_t>(entries[i].first[range.depth]);
      const size_t begin = i;
      while (i < range.end && static_cast<uint8_t>(entries[i].first[range.depth]) == byte) ++i;
      const bool ends = entries[begin].first.size() == range.depth + 1;
      nodes_.push_back({ends ? entries[begin].second : -1, 0, 0});
      labels_.push_back(byte);
      ranges.push_back({begin, i, range.depth + 1});
    }
  };
  add_children({0, entries.size(), 0});
  for (size_t i = 0; i < nodes_.size(); ++i) first_[labels_[i]] = static_cast<int32_t>(i);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto begin = static_cast<int32_t>(nodes_.size());
    add_children(ranges[i]);
    nodes_[i].begin = begin, nodes_[i].end = static_cast<int32_t>(nodes_.size());
  }
}

}  // namespace heed::tokenize
