// The four normal forms of Unicode (annex 15), by ICU. A stretch between two places that normalisation cannot cross is
// normalised by itself, so that its bytes keep their place in the input.
#include <unicode/unorm2.h>

#include "text/characters.h"
#include "text/icu.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

using GetForm = const UNormalizer2* (*)(UErrorCode*);

const UNormalizer2* instance(GetForm get) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* form = get(&status);
  check_icu(status, "normalizer", "no data");
  return form;
}

// What does not change at the beginning of the text, in bytes.
size_t unchanged(const UNormalizer2* form, const Utf16& units, UErrorCode* status) {
  const int32_t length = unorm2_spanQuickCheckYes(form, units.text.data(), units.size(), status);
  return U_FAILURE(*status) ? 0 : static_cast<size_t>(length);
}

// From one character that a stretch may begin with to the next.
size_t stretch_end(const UNormalizer2* form, std::string_view text, size_t begin) {
  size_t end = begin + character_at(text, begin).bytes;
  while (end < text.size() && !unorm2_hasBoundaryBefore(form, static_cast<UChar32>(character_at(text, end).code)))
    end += character_at(text, end).bytes;
  return end;
}

std::string normalized(const UNormalizer2* form, std::string_view text) {
  Utf16 units;
  units.assign(text);
  std::u16string out(units.text.size() * 4 + 16, u'\0');
  for (;;) {
    UErrorCode status = U_ZERO_ERROR;
    const int32_t size =
        unorm2_normalize(form, units.text.data(), units.size(), out.data(), static_cast<int32_t>(out.size()), &status);
    if (status != U_BUFFER_OVERFLOW_ERROR) {
      check_icu(status, "normalizer", "cannot normalise");
      return to_utf8({out.data(), static_cast<size_t>(size)});
    }
    out.resize(static_cast<size_t>(size));
  }
}

void normalize(const UNormalizer2* form, Aligned& aligned) {
  const std::string_view text = aligned.text();
  if (is_ascii(text)) return;
  Utf16 units;
  units.assign(text);
  UErrorCode status = U_ZERO_ERROR;
  const size_t same = unchanged(form, units, &status);
  check_icu(status, "normalizer", "cannot normalise");
  if (same == units.text.size()) return;
  Rewrite rewrite(aligned);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = stretch_end(form, text, begin);
    const std::string_view old = text.substr(begin, end - begin);
    const std::string now = normalized(form, old);
    if (now == old)
      rewrite.keep(begin, end);
    else
      rewrite.put(now, begin, end);
    begin = end;
  }
  aligned = rewrite.done();
}

struct Form : Normalizer {
  explicit Form(GetForm get) : form(instance(get)) {}
  void apply(Aligned& text) const override { normalize(form, text); }
  const UNormalizer2* form;
};

}  // namespace

void decompose(Aligned& text) {
  static const UNormalizer2* const form = instance(unorm2_getNFDInstance);
  normalize(form, text);
}

std::unique_ptr<Normalizer> make_nfc(const Object&) { return std::make_unique<Form>(unorm2_getNFCInstance); }
std::unique_ptr<Normalizer> make_nfd(const Object&) { return std::make_unique<Form>(unorm2_getNFDInstance); }
std::unique_ptr<Normalizer> make_nfkc(const Object&) { return std::make_unique<Form>(unorm2_getNFKCInstance); }
std::unique_ptr<Normalizer> make_nfkd(const Object&) { return std::make_unique<Form>(unorm2_getNFKDInstance); }

}  // namespace heed::tokenize
