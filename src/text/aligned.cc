#include "text/aligned.h"

#include <algorithm>

namespace heed::tokenize {

Span Aligned::origin(size_t begin, size_t end) const {
  if (origins_.empty()) return {first_ + static_cast<uint32_t>(begin), first_ + static_cast<uint32_t>(end)};
  if (begin == end) {
    const uint32_t at = begin < origins_.size() ? origins_[begin].begin : origins_.back().end;
    return {at, at};
  }
  // Characters may have changed places (canonical order), so the first and last byte do not tell.
  Span span = origins_[begin];
  for (size_t i = begin + 1; i < end; ++i)
    span = {std::min(span.begin, origins_[i].begin), std::max(span.end, origins_[i].end)};
  return span;
}

Aligned Aligned::part(size_t begin, size_t end) const {
  std::string text = text_.substr(begin, end - begin);
  if (origins_.empty()) return {std::move(text), first_ + static_cast<uint32_t>(begin)};
  const auto at = origins_.begin();
  return {std::move(text),
          std::vector<Span>(at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end))};
}

void Rewrite::keep(size_t begin, size_t end) {
  text_.append(from_.text().substr(begin, end - begin));
  for (size_t i = begin; i < end; ++i) origins_.push_back(from_.origin(i, i + 1));
}

void Rewrite::put(std::string_view text, size_t begin, size_t end) {
  text_.append(text);
  origins_.insert(origins_.end(), text.size(), from_.origin(begin, end));
}

}  // namespace heed::tokenize
