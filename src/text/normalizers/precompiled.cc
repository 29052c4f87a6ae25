// The replacements of an exported SentencePiece model (NFKC and more in one table). As in Hugging Face's library, a
// grapheme of fewer than six bytes is replaced as a whole where the table has a beginning of it; else each character is
// looked up by itself.
#include <unicode/ubrk.h>

#include "text/base64.h"
#include "text/characters.h"
#include "text/icu.h"
#include "text/normalizers/charsmap.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

using Breaks = std::unique_ptr<UBreakIterator, decltype(&ubrk_close)>;

// Calls body(begin, end) for each grapheme, in bytes.
template <class Body>
void each_grapheme(const UBreakIterator* shared, std::string_view text, const Body& body) {
  UErrorCode status = U_ZERO_ERROR;
  const Breaks breaks(ubrk_clone(shared, &status), &ubrk_close);
  Utf16 units;
  units.assign(text);
  ubrk_setText(breaks.get(), units.text.data(), units.size(), &status);
  check_icu(status, "normalizer", "cannot find graphemes");
  int32_t begin = 0;
  for (int32_t end = ubrk_next(breaks.get()); end != UBRK_DONE; begin = end, end = ubrk_next(breaks.get()))
    body(units.bytes[static_cast<size_t>(begin)], units.bytes[static_cast<size_t>(end)]);
}

struct Precompiled : Normalizer {
  Charsmap map;
  Breaks graphemes{nullptr, &ubrk_close};

  void apply(Aligned& aligned) const override {
    const std::string_view text = aligned.text();
    Rewrite rewrite(aligned);
    const auto one = [&](size_t begin, size_t end) {
      const auto now = map.replacement(text.substr(begin, end - begin));
      if (now) rewrite.put(*now, begin, end);
      return now.has_value();
    };
    each_grapheme(graphemes.get(), text, [&](size_t begin, size_t end) {
      if (end - begin < 6 && one(begin, end)) return;
      each_character(text.substr(begin, end - begin), [&](uint32_t, size_t first, size_t last) {
        if (!one(begin + first, begin + last)) rewrite.keep(begin + first, begin + last);
      });
    });
    aligned = rewrite.done();
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(const Object& object) {
  auto precompiled = std::make_unique<Precompiled>();
  const auto bytes = from_base64(object.text("precompiled_charsmap"));
  object.require(bytes.has_value(), "the charsmap is not base64");
  precompiled->map = Charsmap(*bytes, object.where());
  UErrorCode status = U_ZERO_ERROR;
  precompiled->graphemes.reset(ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &status));
  check_icu(status, object.where(), "no rules for graphemes");
  return precompiled;
}

}  // namespace heed::tokenize
