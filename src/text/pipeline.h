// A tokeniser of tokenizer.json: added tokens, normaliser, pre-tokeniser, model, post-processor, decoder.
#pragma once

#include <mutex>

#include "text/added_tokens.h"
#include "text/models/model.h"
#include "text/tokenizer.h"

namespace heed::tokenize {

class Pipeline : public Tokenizer::Impl {
 public:
  // Error(format) naming the place in the file.
  explicit Pipeline(const Json& json, const std::string& where);

  std::vector<Token> encode(std::string_view text, const std::string_view* second,
                            const EncodeOptions& options) const override;
  std::string decode(std::span<const int32_t> ids, bool skip_special) const override;
  int64_t size() const override { return size_; }
  std::optional<int32_t> id_of(std::string_view token) const override;
  std::string token_of(int32_t id) const override;
  bool is_special(int32_t id) const override;
  std::string to_bytes() const override;

  // The pieces that the model would be given.
  void each_piece(std::string_view text, const std::function<void(std::string_view)>& body) const;

 private:
  std::vector<Section> sections(std::string_view text) const;
  void add_tokens(Section& section, Random* random, Scratch& scratch, std::vector<Token>& tokens) const;
  std::vector<Token> encode_one(std::string_view text, const EncodeOptions& options) const;
  void read_added_tokens(const Object& object);
  bool can_keep_bytes() const;

  Json head_;  // what is kept of the file as it is: version, truncation, padding
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<PostProcessor> post_processor_;
  std::unique_ptr<Decoder> decoder_;
  AddedTokens added_;
  int32_t size_ = 0;
  bool keeps_bytes_ = false;

  // What threads keep from text to text; one is taken for the time of a call.
  class Lent;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> scratch_;
};

}  // namespace heed::tokenize
