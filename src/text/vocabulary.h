// Tokens and their ids, both ways. Ids may have gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heed::tokenize {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

class Vocabulary {
 public:
  static constexpr int32_t kMostIds = 1 << 22;

  // Error(format) for an id beyond kMostIds or one that has a token.
  void add(const std::string& token, int64_t id, const std::string& where);
  std::optional<int32_t> id_of(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  bool has(int32_t id) const { return id >= 0 && id < size() && tokens_[static_cast<size_t>(id)]; }
  const std::string& token_of(int32_t id) const { return *tokens_[static_cast<size_t>(id)]; }  // of an id that it has
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }                        // ids are below it

 private:
  TextMap<int32_t> ids_;
  std::vector<const std::string*> tokens_;  // keys of ids_, null where an id has none
};

}  // namespace heed::tokenize
