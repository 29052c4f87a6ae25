// What BERT (Devlin et al. 2019) does to a text before it is cut: control characters go, white space becomes spaces,
// Chinese characters get spaces around them, accents go, letters become small. Nmt is the smaller set of the same kind
// that SentencePiece's "nmt" rules begin with.
#include "text/characters.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

bool is_line_or_tab(uint32_t code) { return code == '\t' || code == '\n' || code == '\r'; }

bool goes(uint32_t code) {
  if (code == 0 || code == 0xfffd) return true;
  return !is_line_or_tab(code) && has_category(code, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK);
}

// The blocks of ideographs that BERT's own code lists; no kana, no hangul.
bool is_chinese(uint32_t code) {
  constexpr struct {
    uint32_t first, last;
  } kBlocks[] = {{0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
                 {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff},   {0x2f800, 0x2fa1f}};
  if (code < 0x3400) return false;
  for (const auto& block : kBlocks)
    if (code >= block.first && code <= block.last) return true;
  return false;
}

struct Bert : Normalizer {
  bool clean = true, chinese = true, strip = true, lower = true;

  void apply(Aligned& text) const override {
    if (clean) clean_text(text);
    if (chinese && !is_ascii(text.text())) space_chinese(text);
    if (strip) decompose(text), drop_marks(text, U_GC_MN_MASK);
    if (lower) lowercase(text);
  }

 private:
  static bool is_clean(std::string_view text) {
    for (const char byte : text)
      if (byte < ' ' || byte == 0x7f) return false;  // also what is not ASCII
    return true;
  }
  static void clean_text(Aligned& aligned) {
    if (is_clean(aligned.text())) return;
    Rewrite rewrite(aligned);
    each_character(aligned.text(), [&](uint32_t code, size_t begin, size_t end) {
      if (goes(code)) return;
      if (is_space(code) && code != ' ') return rewrite.put(" ", begin, end);
      rewrite.keep(begin, end);
    });
    aligned = rewrite.done();
  }
  static void space_chinese(Aligned& aligned) {
    Rewrite rewrite(aligned);
    each_character(aligned.text(), [&](uint32_t code, size_t begin, size_t end) {
      const bool spaces = is_chinese(code);
      if (spaces) rewrite.insert(" ", begin);
      rewrite.keep(begin, end);
      if (spaces) rewrite.insert(" ", end);
    });
    aligned = rewrite.done();
  }
};

struct Nmt : Normalizer {
  void apply(Aligned& aligned) const override {
    Rewrite rewrite(aligned);
    each_character(aligned.text(), [&](uint32_t code, size_t begin, size_t end) {
      if (goes(code)) return;
      if (becomes_space(code)) return rewrite.put(" ", begin, end);
      rewrite.keep(begin, end);
    });
    aligned = rewrite.done();
  }

 private:
  static bool goes(uint32_t code) {
    return (code >= 1 && code <= 8) || code == 0xb || (code >= 0xe && code <= 0x1f) || code == 0x7f || code == 0x8f ||
           code == 0x9f;
  }
  static bool becomes_space(uint32_t code) {
    return code == 9 || code == 0xa || code == 0xc || code == 0xd || code == 0x1680 ||
           (code >= 0x200b && code <= 0x200f) || code == 0x2028 || code == 0x2029 || code == 0x2581 || code == 0xfeff ||
           code == 0xfffd;
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_bert(const Object& object) {
  auto bert = std::make_unique<Bert>();
  bert->clean = object.flag("clean_text", true), bert->chinese = object.flag("handle_chinese_chars", true);
  bert->lower = object.flag("lowercase", true), bert->strip = object.flag("strip_accents", bert->lower);
  return bert;
}

std::unique_ptr<Normalizer> make_nmt(const Object&) { return std::make_unique<Nmt>(); }

}  // namespace heed::tokenize
