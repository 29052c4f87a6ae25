// Lower case, a character a time: what stands beside it does not matter (a sigma at the end of a word stays σ).
#include "text/characters.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

constexpr uint32_t kCapitalDottedI = 0x130;  // the only one that becomes two characters: i and a dot above

struct Lowercase : Normalizer {
  void apply(Aligned& text) const override { lowercase(text); }
};

}  // namespace

void lowercase(Aligned& aligned) {
  const std::string_view text = aligned.text();
  if (is_ascii(text)) {
    char* bytes = aligned.bytes();
    for (size_t i = 0; i < text.size(); ++i)
      if (bytes[i] >= 'A' && bytes[i] <= 'Z') bytes[i] = static_cast<char>(bytes[i] | 0x20);
    return;
  }
  Rewrite rewrite(aligned);
  each_character(text, [&](uint32_t code, size_t begin, size_t end) {
    const auto low = static_cast<uint32_t>(u_tolower(static_cast<UChar32>(code)));
    if (low == code) return rewrite.keep(begin, end);
    std::string now;
    append_character(now, low);
    if (code == kCapitalDottedI) append_character(now, 0x307);
    rewrite.put(now, begin, end);
  });
  aligned = rewrite.done();
}

std::unique_ptr<Normalizer> make_lowercase(const Object&) { return std::make_unique<Lowercase>(); }

}  // namespace heed::tokenize
