// Vocabularies by count, and the tokenisers made of them.
#include <heed/text.h>

#include <algorithm>

#include "base/check.h"
#include "base/threads.h"
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/pipeline.h"
#include "text/stop_words.h"

namespace heed {
namespace tokenize {
namespace {

using Counts = TextMap<int64_t>;

Json form_json(Form form) { return {{"type", form == Form::nfc ? "NFC" : "NFKC"}}; }

Json normalizer_json(const TokenizerOptions& options) {
  Json list = Json::array();
  if (options.form != Form::none) list.push_back(form_json(options.form));
  if (options.lower) list.push_back({{"type", "Lowercase"}});
  if (list.empty()) return nullptr;
  return {{"type", "Sequence"}, {"normalizers", list}};
}

bool is_classification(const TokenizerOptions& options) { return !options.stop_words.empty() || !options.stem.empty(); }
bool keeps_spaces(const TokenizerOptions& options) { return options.keep_spaces && !is_classification(options); }

Json pre_tokenizer_json(const TokenizerOptions& options) {
  switch (options.cut) {
    case Cut::characters: return nullptr;  // byte pair encoding without merges cuts at characters
    case Cut::whitespace: return {{"type", "WhitespaceSplit"}};
    case Cut::bytes:
      return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
    case Cut::words: break;
  }
  Json list = Json::array({{{"type", "HeedWords"}, {"keep_spaces", keeps_spaces(options)}}});
  if (!options.stop_words.empty())
    list.push_back({{"type", "HeedStopWords"}, {"words", stop_words_of(options.stop_words)}});
  if (!options.stem.empty()) list.push_back({{"type", "HeedStem"}, {"language", options.stem}});
  return {{"type", "Sequence"}, {"pretokenizers", list}};
}

Json decoder_json(const TokenizerOptions& options) {
  switch (options.cut) {
    case Cut::characters: return {{"type", "Fuse"}};
    case Cut::bytes:
      return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
    case Cut::whitespace: return nullptr;
    case Cut::words: break;
  }
  if (!keeps_spaces(options)) return nullptr;
  return {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}};
}

Json model_json(const TokenizerOptions& options, const Json& vocabulary) {
  const std::string& unknown = options.vocabulary.unknown;
  const bool by_word = options.cut == Cut::words || options.cut == Cut::whitespace;
  if (by_word) return {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", unknown}};
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", options.cut == Cut::bytes ? Json(nullptr) : Json(unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", vocabulary},
          {"merges", Json::array()}};
}

Json tokenizer_json(const TokenizerOptions& options, const std::vector<std::string>& words) {
  Json vocabulary = Json::object(), added = Json::array();
  for (const std::string& word : words) vocabulary[word] = vocabulary.size();
  for (const std::string& token : options.vocabulary.special)
    added.push_back(
        json_of({.id = vocabulary[token].get<int32_t>(), .content = token, .normalized = false, .special = true}));
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"normalizer", normalizer_json(options)},
          {"pre_tokenizer", pre_tokenizer_json(options)},
          {"decoder", decoder_json(options)},
          {"model", model_json(options, vocabulary)}};
}

void count_text(const Pipeline& cutter, std::string_view text, bool by_character, Counts& counts) {
  const auto add = [&](std::string_view word) {
    const auto found = counts.find(word);
    if (found != counts.end())
      ++found->second;
    else
      counts.emplace(word, 1);
  };
  cutter.each_piece(text, [&](std::string_view piece) {
    if (!by_character) return add(piece);
    each_character(piece, [&](uint32_t, size_t begin, size_t end) { add(piece.substr(begin, end - begin)); });
  });
}

// A part of the texts a thread; the sums do not depend on the parts.
Counts count_texts(const Pipeline& cutter, std::span<const std::string> texts, bool by_character) {
  const int64_t parts = std::min<int64_t>(threads(), static_cast<int64_t>(texts.size()));
  std::vector<Counts> counts(static_cast<size_t>(std::max<int64_t>(parts, 1)));
  parallel_items(parts, [&](int64_t part) {
    const auto n = static_cast<int64_t>(texts.size());
    for (int64_t i = n * part / parts; i < n * (part + 1) / parts; ++i)
      count_text(cutter, texts[static_cast<size_t>(i)], by_character, counts[static_cast<size_t>(part)]);
  });
  for (size_t i = 1; i < counts.size(); ++i)
    for (const auto& [word, count] : counts[i]) counts[0][word] += count;
  return std::move(counts[0]);
}

// Special tokens, then words by count, those that are seen equally often by their bytes.
std::vector<std::string> chosen(const Counts& counts, const VocabularyOptions& options) {
  std::vector<std::pair<std::string_view, int64_t>> sorted;
  const auto& special = options.special;
  for (const auto& [word, count] : counts)
    if (count >= options.least && std::find(special.begin(), special.end(), word) == special.end())
      sorted.emplace_back(word, count);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> words = special;
  for (const auto& [word, count] : sorted) {
    if (options.size > 0 && static_cast<int64_t>(words.size()) >= options.size) break;
    words.emplace_back(word);
  }
  return words;
}

void check_options(const TokenizerOptions& options) {
  constexpr const char* kWhere = "train_tokenizer";
  const VocabularyOptions& vocabulary = options.vocabulary;
  check(!is_classification(options) || options.cut == Cut::words, kWhere,
        "stop words and stems are for words, not for another cut");
  check(options.cut != Cut::bytes || (options.form == Form::none && !options.lower), kWhere,
        "bytes stay as they are: form must be none and lower false");
  check(vocabulary.size >= 0 && vocabulary.size <= Vocabulary::kMostIds, kWhere,
        "a vocabulary of {} tokens, at most {}", vocabulary.size, Vocabulary::kMostIds);
  const auto& special = vocabulary.special;
  for (size_t i = 0; i < special.size(); ++i) {
    check(!special[i].empty() && valid_utf8(special[i]), kWhere, "special token {} is empty or no UTF-8", i);
    check(std::count(special.begin(), special.end(), special[i]) == 1, kWhere, "the special token '{}' is there twice",
          printable(special[i]));
  }
  check(options.cut == Cut::bytes || std::count(special.begin(), special.end(), vocabulary.unknown) == 1, kWhere,
        "'{}' for unknown words is not among the special tokens", printable(vocabulary.unknown));
}

std::vector<std::string> all_bytes(const VocabularyOptions& options) {
  std::vector<std::string> words = options.special;
  for (int byte = 0; byte < 256; ++byte) words.push_back(character_of_byte(static_cast<uint8_t>(byte)));
  return words;
}

}  // namespace
}  // namespace tokenize

Tokenizer train_tokenizer(std::span<const std::string> texts, const TokenizerOptions& options) {
  using namespace tokenize;
  check_options(options);
  const auto made = [&](const std::vector<std::string>& words) {
    return std::make_shared<Pipeline>(tokenizer_json(options, words), "train_tokenizer");
  };
  if (options.cut == Cut::bytes) return Tokenizer(made(all_bytes(options.vocabulary)));
  const auto cutter = made(options.vocabulary.special);
  return Tokenizer(made(chosen(count_texts(*cutter, texts, options.cut == Cut::characters), options.vocabulary)));
}

}  // namespace heed
