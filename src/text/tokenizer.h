// What stands behind a Tokenizer: the steps of a tokenizer.json, or a model of the SentencePiece library.
#pragma once

#include <heed/text.h>

#include <functional>

namespace heed {

struct Tokenizer::Impl {
  virtual ~Impl() = default;
  // `second` is null for a single text.
  virtual std::vector<Token> encode(std::string_view text, const std::string_view* second,
                                    const EncodeOptions& options) const = 0;
  virtual std::vector<int32_t> ids(std::string_view text, const EncodeOptions& options) const {
    std::vector<int32_t> ids;
    for (const Token& token : encode(text, nullptr, options)) ids.push_back(token.id);
    return ids;
  }
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special) const = 0;  // may be no UTF-8
  virtual int64_t size() const = 0;
  virtual std::optional<int32_t> id_of(std::string_view token) const = 0;
  virtual std::string token_of(int32_t id) const = 0;
  virtual bool is_special(int32_t id) const = 0;
  virtual std::string to_bytes() const = 0;  // as a file holds it
};

namespace tokenize {

std::shared_ptr<const Tokenizer::Impl> sentence_piece_of(std::string_view model, const std::string& where);

}  // namespace tokenize
}  // namespace heed
