// What goes: marks over and under letters, white space at the ends.
#include "text/characters.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

struct StripAccents : Normalizer {
  void apply(Aligned& text) const override { drop_marks(text, U_GC_M_MASK); }
};

struct Strip : Normalizer {
  bool left = true, right = true;
  void apply(Aligned& aligned) const override {
    const std::string_view text = aligned.text();
    size_t begin = 0, end = text.size();
    while (left && begin < end && is_space(character_at(text, begin).code)) begin += character_at(text, begin).bytes;
    while (right && end > begin && is_space(character_at(text, character_before(text, end)).code))
      end = character_before(text, end);
    if (end - begin < text.size()) aligned = aligned.part(begin, end);
  }
};

}  // namespace

void drop_marks(Aligned& aligned, uint32_t categories) {
  const std::string_view text = aligned.text();
  if (is_ascii(text)) return;
  Rewrite rewrite(aligned);
  each_character(text, [&](uint32_t code, size_t begin, size_t end) {
    if (!has_category(code, categories)) rewrite.keep(begin, end);
  });
  if (rewrite.size() < text.size()) aligned = rewrite.done();
}

std::unique_ptr<Normalizer> make_strip_accents(const Object&) { return std::make_unique<StripAccents>(); }

std::unique_ptr<Normalizer> make_strip(const Object& object) {
  auto strip = std::make_unique<Strip>();
  strip->left = object.flag("strip_left", true), strip->right = object.flag("strip_right", true);
  return strip;
}

}  // namespace heed::tokenize
