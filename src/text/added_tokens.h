// Added tokens: texts that are tokens wherever they stand, before the model sees anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/section.h"
#include "text/steps.h"
#include "text/trie.h"
#include "text/vocabulary.h"

namespace heed::tokenize {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;          // not within a word
  bool left = false, right = false;  // takes the white space on that side
  bool normalized = true;            // looked for in the normalised text, itself normalised
  bool special = false;
};

AddedToken read_added_token(const Object& object);
Json json_of(const AddedToken& token);

class AddedTokens {
 public:
  AddedTokens() = default;
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer);

  const std::vector<AddedToken>& list() const { return tokens_; }
  const AddedToken* find(int32_t id) const;
  const AddedToken* find(std::string_view content) const;
  // As it is decoded: normalised where it is looked for in normalised text.
  const std::string& shown(const AddedToken& token) const {
    return shown_[static_cast<size_t>(&token - tokens_.data())];
  }

  // Cuts a text at the tokens of one kind and normalises what is between them: the whole way from text to sections.
  std::vector<Section> sections(Aligned text, const Normalizer* normalizer) const;

 private:
  std::vector<Section> cut(const Aligned& text, bool normalized) const;

  std::vector<AddedToken> tokens_;
  std::vector<std::string> shown_;
  TextMap<size_t> by_content_;
  std::unordered_map<int32_t, size_t> by_id_;
  Trie as_written_, normalized_;
};

}  // namespace heed::tokenize
