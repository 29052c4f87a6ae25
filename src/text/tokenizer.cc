#include "text/tokenizer.h"

#include <algorithm>

#include "base/check.h"
#include "base/threads.h"
#include "tensor/file.h"
#include "text/characters.h"
#include "text/pipeline.h"

namespace heed {
namespace {

constexpr int64_t kLongest = int64_t{1} << 30;  // bytes of a text: places within it take 32 bits

void check_length(std::string_view text) {
  if (static_cast<int64_t>(text.size()) > kLongest)
    throw Error(ErrorKind::usage, "encode",
                fmt::format("a text of {} bytes, at most {} are taken", text.size(), kLongest),
                "hand it over in parts");
}

}  // namespace

// A SentencePiece model is a list of pieces: each begins with the tag 0x0a and has a score behind the tag 0x15, which
// no JSON may contain.
Tokenizer Tokenizer::from_bytes(std::string_view content, const std::string& where) {
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  check_format(!content.empty(), where, "is empty, wanted a tokenizer.json or a SentencePiece model");
  if (content[0] == '\n' && content.find('\x15') != std::string_view::npos)
    return Tokenizer(tokenize::sentence_piece_of(content, where));
  return Tokenizer(std::make_shared<tokenize::Pipeline>(tokenize::parse_json(content, where), where));
}

Tokenizer Tokenizer::load(const std::string& path) {
  const Bytes file = read_file(path);
  return from_bytes({reinterpret_cast<const char*>(file.data), static_cast<size_t>(file.size)}, path);
}

std::string Tokenizer::to_bytes() const { return impl_->to_bytes(); }

void Tokenizer::save(const std::string& path) const {
  const std::string content = to_bytes();
  AtomicFile file(path);
  file.write(content.data(), static_cast<int64_t>(content.size()));
  file.commit();
}

std::vector<Token> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  check_length(text);
  return impl_->encode(text, nullptr, options);
}

std::vector<Token> Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                          const EncodeOptions& options) const {
  check_length(first), check_length(second);
  return impl_->encode(first, &second, options);
}

std::vector<std::vector<Token>> Tokenizer::encode_all(std::span<const std::string> texts,
                                                      const EncodeOptions& options) const {
  std::vector<std::vector<Token>> all(texts.size());
  const Random first = options.random ? options.random->take(texts.size()) : Random{};
  parallel(static_cast<int64_t>(texts.size()), 64, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      // Far from each other in the sequence: a text takes fewer numbers than 2^32.
      Random own = {first.seed, first.stream, (first.position + i) << 32};
      EncodeOptions of_text = options;
      of_text.random = options.random ? &own : nullptr;
      all[i] = encode(texts[i], of_text);
    }
  });
  return all;
}

std::vector<int32_t> Tokenizer::ids(std::string_view text, const EncodeOptions& options) const {
  check_length(text);
  return impl_->ids(text, options);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, const DecodeOptions& options) const {
  for (const int32_t id : ids) check(id >= 0 && id < size(), "decode", "the id {} is none of 0 to {}", id, size() - 1);
  std::string text = impl_->decode(ids, options.skip_special);
  return options.valid_utf8 && !valid_utf8(text) ? tokenize::valid_text(text) : text;
}

int64_t Tokenizer::size() const { return impl_->size(); }
std::optional<int32_t> Tokenizer::id_of(std::string_view token) const { return impl_->id_of(token); }
bool Tokenizer::is_special(int32_t id) const { return id >= 0 && id < size() && impl_->is_special(id); }
std::string Tokenizer::token_of(int32_t id) const {
  check(id >= 0 && id < size(), "token_of", "the id {} is none of 0 to {}", id, size() - 1);
  return impl_->token_of(id);
}

}  // namespace heed
