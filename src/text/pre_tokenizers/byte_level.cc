// GPT-2's cutting (Radford et al. 2019), without a regular expression engine:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// and after it each byte stands for its character.
#include "text/byte_level.h"

#include "text/characters.h"
#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

size_t contraction(std::string_view text, size_t at) {
  if (text[at] != '\'') return 0;
  for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"})
    if (text.substr(at + 1).starts_with(ending)) return at + 1 + ending.size();
  return 0;
}

enum class ByteClass { letter, number, space, other };
ByteClass byte_class_of(uint32_t code) {
  if (is_letter(code)) return ByteClass::letter;
  if (is_space(code)) return ByteClass::space;
  return is_number(code) ? ByteClass::number : ByteClass::other;
}
ByteClass byte_class_at(std::string_view text, size_t at) { return byte_class_of(character_at(text, at).code); }

size_t run_end(std::string_view text, size_t at, ByteClass of) {
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (byte_class_of(next.code) != of) break;
    at += next.bytes;
  }
  return at;
}

// All white space but the last one where something follows, which takes a space to itself.
size_t space_end(std::string_view text, size_t at) {
  const size_t end = run_end(text, at, ByteClass::space);
  if (end == text.size()) return end;
  const size_t last = character_before(text, end);
  return last > at ? last : end;
}

size_t piece_end(std::string_view text, size_t at) {
  if (const size_t end = contraction(text, at)) return end;
  const size_t begin = text[at] == ' ' && at + 1 < text.size() ? at + 1 : at;
  const ByteClass of = byte_class_at(text, begin);
  return of == ByteClass::space ? space_end(text, at) : run_end(text, begin, of);
}

struct ByteLevel : PreTokenizer {
  bool prefix_space = true, cut_words = true;

  void apply(Section& section) const override {
    write_mapped_bytes(section);
    if (prefix_space) add_spaces(section);
    if (cut_words)
      split_pieces(section, [&](Span piece, const auto& cut) {
        const std::string_view text = section.piece(piece);
        for (size_t at = 0, end = 0; at < text.size(); at = end)
          end = piece_end(text, at), cut(piece.begin + at, piece.begin + end);
      });
    section.bytes_mapped = true;
  }

 private:
  static void add_spaces(Section& section) {
    const std::string_view text = section.text.text();
    bool all = true;
    for (const Span piece : section.pieces) all = all && text[piece.begin] == ' ';
    if (all) return;
    rewrite_pieces(section, [&](Span piece, Rewrite& rewrite) {
      if (text[piece.begin] != ' ') rewrite.insert(" ", piece.begin);
      rewrite.keep(piece.begin, piece.end);
    });
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const Object& object) {
  auto split = std::make_unique<ByteLevel>();
  split->prefix_space = object.flag("add_prefix_space", true), split->cut_words = object.flag("use_regex", true);
  return split;
}

}  // namespace heed::tokenize
