#include "text/vocabulary.h"

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed::tokenize {

void Vocabulary::add(const std::string& token, int64_t id, const std::string& where) {
  check_format(id >= 0 && id < kMostIds, where, "'{}' has the id {}, wanted 0 to {}", shortened(printable(token), 40),
               id, kMostIds - 1);
  const auto at = static_cast<size_t>(id);
  if (at >= tokens_.size()) tokens_.resize(at + 1, nullptr);
  check_format(tokens_[at] == nullptr, where, "'{}' and '{}' have the same id, {}", shortened(printable(token), 40),
               shortened(printable(tokens_[at] ? *tokens_[at] : ""), 40), id);
  const auto [entry, is_new] = ids_.emplace(token, static_cast<int32_t>(id));
  check_format(is_new, where, "'{}' is there twice", shortened(printable(token), 40));
  tokens_[at] = &entry->first;
}

}  // namespace heed::tokenize
