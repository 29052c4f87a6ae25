#include "text/normalizers/charsmap.h"

#include <cstring>

namespace heed::tokenize {
namespace {

// A unit of the trie. Inner: its label, where its children are, whether a value ends here. Value: the highest bit.
constexpr uint32_t kValue = 1u << 31;
bool is_value(uint32_t unit) { return unit & kValue; }
bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t label(uint32_t unit) { return unit & (kValue | 0xff); }
uint32_t value(uint32_t unit) { return unit & ~kValue; }
size_t offset(uint32_t unit) { return static_cast<size_t>(unit >> 10) << ((unit & (1u << 9)) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
  uint32_t size = 0;
  check_format(bytes.size() > sizeof size, where, "the charsmap has {} bytes, wanted more than four", bytes.size());
  std::memcpy(&size, bytes.data(), sizeof size);
  check_format(size % sizeof(uint32_t) == 0 && size > 0 && size < bytes.size() - sizeof size, where,
               "the charsmap says that its trie has {} bytes of {}", size, bytes.size());
  units_.resize(size / sizeof(uint32_t));
  std::memcpy(units_.data(), bytes.data() + sizeof size, size);
  texts_ = bytes.substr(sizeof size + size);
  check_format(texts_.back() == '\0', where, "the charsmap's last text has no end");
}

std::optional<std::string_view> Charsmap::replacement(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  size_t at = offset(units_[0]);
  for (const char byte : text) {
    if (byte == 0) return std::nullopt;
    at ^= static_cast<uint8_t>(byte);
    if (at >= units_.size() || label(units_[at]) != static_cast<uint8_t>(byte)) return std::nullopt;
    const uint32_t unit = units_[at];
    at ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (at >= units_.size() || value(units_[at]) >= texts_.size()) return std::nullopt;
    return std::string_view(texts_.c_str() + value(units_[at]));
  }
  return std::nullopt;
}

// Children lie at offset ^ byte: within the block of 256 units that the offset leads to.
bool Charsmap::safe_to_follow() const {
  if (units_.size() % 256 != 0) return false;
  for (size_t i = 0; i < units_.size(); ++i) {
    if (is_value(units_[i]) && i > 0) continue;  // the root is followed whatever it is
    const size_t next = i ^ offset(units_[i]);
    if (next >= units_.size()) return false;
    if (has_leaf(units_[i]) && value(units_[next]) >= texts_.size()) return false;
  }
  return true;
}

}  // namespace heed::tokenize
