// heed's own: words by ICU's rules and dictionaries (Unicode annex 29; Chinese, Japanese, Thai, Lao, Khmer and Burmese
// by dictionary). A space before a word either goes, or stays with it as ▁, so that decoding gives the text back; other
// white space is then a piece of its own.
#include <unicode/ubrk.h>

#include <optional>

#include "text/byte_level.h"
#include "text/characters.h"
#include "text/icu.h"
#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

using Breaks = std::unique_ptr<UBreakIterator, decltype(&ubrk_close)>;

Breaks word_breaks() {
  UErrorCode status = U_ZERO_ERROR;
  Breaks breaks(ubrk_open(UBRK_WORD, "", nullptr, 0, &status), &ubrk_close);
  check_icu(status, "words", "no rules for words");
  return breaks;
}

// A break iterator and its buffers are used by one thread at a time; each thread keeps its own.
struct Cutter {
  Breaks breaks = word_breaks();
  Utf16 units;
};

// Calls body(begin, end) for each word, sign and run of spaces.
template <class Body>
void each_word(std::string_view text, const Body& body) {
  thread_local Cutter cutter;
  UErrorCode status = U_ZERO_ERROR;
  cutter.units.assign(text);
  ubrk_setText(cutter.breaks.get(), cutter.units.text.data(), cutter.units.size(), &status);
  check_icu(status, "words", "cannot find words");
  size_t begin = 0;
  for (int32_t at = ubrk_next(cutter.breaks.get()); at != UBRK_DONE; at = ubrk_next(cutter.breaks.get())) {
    const size_t end = cutter.units.bytes[static_cast<size_t>(at)];
    body(begin, end), begin = end;
  }
}

struct Words : PreTokenizer {
  bool keep_spaces = false;

  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_pieces(section, [&](Span piece, const auto& cut) {
      each_word(section.piece(piece), [&](size_t begin, size_t end) {
        const bool white = is_space(character_at(section.piece(piece), begin).code);
        if (!white || keep_spaces) cut(piece.begin + begin, piece.begin + end);
      });
    });
    if (keep_spaces) join_spaces(section);
  }

 private:
  // "a  b" becomes "▁a", "▁", "▁b". The first piece gets a mark that stands for nothing, which decoding takes away.
  static void join_spaces(Section& section) {
    const Spaced spaced(section);
    std::vector<Span> pieces;
    Rewrite rewrite(section.text);
    const auto add = [&](std::optional<Span> mark, Span rest) {  // what a mark stands for
      const auto first = static_cast<uint32_t>(rewrite.size());
      if (mark) rewrite.put("\u2581", mark->begin, mark->end);
      rewrite.keep(rest.begin, rest.end);
      pieces.push_back({first, static_cast<uint32_t>(rewrite.size())});
    };
    for (size_t i = 0; i < section.pieces.size(); ++i) {
      const Span piece = section.pieces[i], nothing = {piece.begin, piece.begin};
      const bool white = spaced.is_white(i), lent = i > 0 && spaced.lends(i - 1);
      if (i == 0 && white) add(nothing, {});
      if (!white && lent) add(Span{piece.begin - 1, piece.begin}, piece);
      if (!white && !lent) add(i == 0 ? std::optional(nothing) : std::nullopt, piece);
      for (uint32_t at = piece.begin; white && at < piece.end - spaced.lends(i); at = spaced.character(at).end) {
        const Span character = spaced.character(at);
        spaced.text[at] == ' ' ? add(character, {}) : add(std::nullopt, character);
      }
    }
    section.text = rewrite.done(), section.pieces = std::move(pieces);
  }

  struct Spaced {
    explicit Spaced(const Section& section) : text(section.text.text()), pieces(section.pieces) {}
    bool is_white(size_t i) const { return is_space(character_at(text, pieces[i].begin).code); }
    Span character(uint32_t at) const { return {at, at + static_cast<uint32_t>(character_at(text, at).bytes)}; }
    // Does a run of white space give its last space to the word behind it?
    bool lends(size_t i) const {
      return i + 1 < pieces.size() && is_white(i) && !is_white(i + 1) && text[pieces[i].end - 1] == ' ';
    }
    std::string_view text;
    const std::vector<Span>& pieces;
  };
};

}  // namespace

std::unique_ptr<PreTokenizer> make_words(const Object& object) {
  auto words = std::make_unique<Words>();
  words->keep_spaces = object.flag("keep_spaces", false);
  return words;
}

}  // namespace heed::tokenize
