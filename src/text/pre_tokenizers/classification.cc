// heed's own, for classification: pieces that say little go, words are cut to their stems (Porter's Snowball).
#include <libstemmer.h>

#include <map>
#include <unordered_set>

#include "text/byte_level.h"
#include "text/characters.h"
#include "text/normalizers/table.h"
#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

std::string lower(std::string_view piece) {
  Aligned text(std::string(piece), 0);
  lowercase(text);
  return std::string(text.text());
}

struct StopWords : PreTokenizer {
  std::unordered_set<std::string> words;  // in lower case
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_pieces(section, [&](Span piece, const auto& cut) {
      if (words.count(lower(section.piece(piece))) == 0) cut(piece.begin, piece.end);
    });
  }
};

using Stemmer = std::unique_ptr<sb_stemmer, decltype(&sb_stemmer_delete)>;
Stemmer open_stemmer(const std::string& language) {
  return {sb_stemmer_new(language.c_str(), "UTF_8"), &sb_stemmer_delete};
}

// A stemmer keeps its last word: each thread has its own.
sb_stemmer* stemmer_of(const std::string& language) {
  thread_local std::map<std::string, Stemmer> stemmers;
  auto found = stemmers.find(language);
  if (found == stemmers.end()) found = stemmers.emplace(language, open_stemmer(language)).first;
  return found->second.get();
}

struct Stem : PreTokenizer {
  std::string language;
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    sb_stemmer* stemmer = stemmer_of(language);
    rewrite_pieces(section, [&](Span piece, Rewrite& rewrite) {
      const std::string_view word = section.piece(piece);
      const sb_symbol* stem =
          sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
      if (stem == nullptr) fail(ErrorKind::system, "stem", "no memory for a word of {} bytes", word.size());
      const auto length = static_cast<size_t>(sb_stemmer_length(stemmer));
      rewrite.put({reinterpret_cast<const char*>(stem), length}, piece.begin, piece.end);
    });
  }
};

std::string languages() {
  std::string all;
  for (const char** name = sb_stemmer_list(); *name != nullptr; ++name)
    all += (all.empty() ? "" : ", ") + std::string(*name);
  return all;
}

}  // namespace

std::unique_ptr<PreTokenizer> make_stop_words(const Object& object) {
  auto stop = std::make_unique<StopWords>();
  for (const Json& word : object.list("words")) {
    object.require(word.is_string(), "words: holds {}, wanted texts", word.type_name());
    stop->words.insert(lower(word.get<std::string>()));
  }
  return stop;
}

std::unique_ptr<PreTokenizer> make_stem(const Object& object) {
  auto stem = std::make_unique<Stem>();
  stem->language = object.text("language");
  object.require(open_stemmer(stem->language) != nullptr, "no stems are known for '{}'; known are {}",
                 shortened(printable(stem->language), 40), languages());
  return stem;
}

}  // namespace heed::tokenize
