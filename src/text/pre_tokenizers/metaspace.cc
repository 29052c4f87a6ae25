// SentencePiece's way (Kudo & Richardson 2018): a space is a character of its own, ▁, that begins a piece.
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

struct Metaspace : PreTokenizer {
  enum class Prepend { always, first, never } prepend = Prepend::always;
  std::string mark = "\u2581";
  bool cut_words = true;

  void apply(Section& section) const override {
    write_mapped_bytes(section);
    const std::string_view text = section.text.text();
    rewrite_pieces(section, [&](Span piece, Rewrite& rewrite) {
      if (prepends(section, piece)) rewrite.insert(mark, piece.begin);
      for (size_t i = piece.begin, kept = i; i <= piece.end; ++i) {
        if (i < piece.end && text[i] != ' ') continue;
        rewrite.keep(kept, i), kept = i + 1;
        if (i < piece.end) rewrite.put(mark, i, i + 1);
      }
    });
    if (cut_words)
      split_pieces(section, [&](Span piece, const auto& cut) {
        size_t begin = piece.begin;
        for (size_t i = piece.begin + 1; i < piece.end; ++i)
          if (section.text.text().substr(i).starts_with(mark)) cut(begin, i), begin = i;
        cut(begin, piece.end);
      });
  }

 private:
  bool prepends(const Section& section, Span piece) const {
    if (prepend == Prepend::never) return false;
    const std::string_view text = section.piece(piece);
    if (text[0] == ' ' || text.starts_with(mark)) return false;
    return prepend == Prepend::always || section.text.origin(piece.begin, piece.begin + 1).begin == 0;
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_metaspace(const Object& object) {
  auto metaspace = std::make_unique<Metaspace>();
  metaspace->mark.clear();
  append_character(metaspace->mark, object.has("replacement") ? object.character("replacement") : 0x2581);
  metaspace->cut_words = object.flag("split", true);
  // Older files say add_prefix_space.
  const std::string otherwise = object.flag("add_prefix_space", true) ? "always" : "never";
  const std::string scheme = object.text("prepend_scheme", otherwise);
  object.require(scheme == "always" || scheme == "first" || scheme == "never", "prepend_scheme is '{}'",
                 shortened(printable(scheme), 40));
  using Prepend = Metaspace::Prepend;
  metaspace->prepend = scheme == "always" ? Prepend::always : scheme == "first" ? Prepend::first : Prepend::never;
  return metaspace;
}

}  // namespace heed::tokenize
