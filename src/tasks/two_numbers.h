// Two whole numbers with a character between them: 3-4, 2/5.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace heed {

// Nothing where the text is anything else.
template <class Number>
std::optional<std::pair<Number, Number>> two_numbers(std::string_view text, char between) {
  const char* const end = text.data() + text.size();
  Number first = 0, second = 0;
  const auto before = std::from_chars(text.data(), end, first);
  if (before.ec != std::errc() || before.ptr == end || *before.ptr != between) return {};
  const auto after = std::from_chars(before.ptr + 1, end, second);
  if (after.ec != std::errc() || after.ptr != end) return {};
  return std::pair(first, second);
}

}  // namespace heed
