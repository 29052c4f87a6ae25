// Which tokens a text is cut into, and the tokeniser made of a task's own texts.
#pragma once

#include <heed/generate.h>
#include <heed/text.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/configuration.h"

namespace heed {

enum class TokenKind { unigram, bpe, words, characters, whitespace, bytes };
constexpr std::array<std::pair<const char*, TokenKind>, 6> names_of(TokenKind) {
  return {{{"unigram", TokenKind::unigram},
           {"bpe", TokenKind::bpe},
           {"words", TokenKind::words},
           {"characters", TokenKind::characters},
           {"whitespace", TokenKind::whitespace},
           {"bytes", TokenKind::bytes}}};
}

struct TokenOptions {
  TokenKind tokens = TokenKind::unigram;
  Count vocabulary = 8000;
  bool lower = false;

  void visit(auto&& field) {
    field("tokens", tokens, "unigram or bpe (subwords), words, characters, whitespace or bytes");
    field("vocabulary", vocabulary, "tokens at most");
    field("lower", lower, "small letters only");
  }
};
// Of tasks that never say a text, but say something of it.
struct ReadingTokenOptions : TokenOptions {
  std::string stop_words, stem;
  Count least = 1;

  ReadingTokenOptions() { tokens = TokenKind::words, vocabulary = 30'000, lower = true; }
  void visit(auto&& field) {
    TokenOptions::visit(field);
    field("least", least, "times that a word must be seen; else it is unknown");
    field("stop_words", stop_words, "words that are left out: en, zh, or a file with one a line");
    field("stem", stem, "words are cut to their stems: a language, as english");
  }
};
Tokenizer make_tokenizer(std::span<const std::string> texts, const ReadingTokenOptions& options);
Tokenizer make_tokenizer(std::span<const std::string> texts, const TokenOptions& options);

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::span<const int32_t> ids);

// What might have been said at a place, with its log-probability.
using Might = std::pair<std::string, float>;
std::vector<Might> might_be(const Tokenizer& tokenizer, std::span<const Alternative> alternatives);
std::vector<std::vector<Might>> might_be(const Tokenizer& tokenizer, const Hypothesis& hypothesis);

// The tokens around a text, which every tokeniser of heed's own has.
struct Ends {
  int32_t begin, end;
};
Ends ends_of(const Tokenizer& tokenizer);  // Error(data) where there are none
// Of a run: what its heed.json says, or those of its tokeniser.
Ends ends_in(const std::string& folder, const Tokenizer& tokenizer);

// A tokeniser in a folder: NAME.json or NAME.model, as its kind is written.
bool is_json(const Tokenizer& tokenizer);
void save_tokenizer(const Tokenizer& tokenizer, const std::string& folder, const std::string& name);
Tokenizer load_tokenizer(const std::string& folder, const std::string& name);
bool has_tokenizer(const std::string& folder, const std::string& name);

}  // namespace heed
