// Cuts by what a character is: white space, words, punctuation, digits.
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/pattern.h"
#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

enum class Class { space, word, other };
Class class_of(uint32_t code) { return is_space(code) ? Class::space : is_word(code) ? Class::word : Class::other; }

// \w+|[^\w\s]+
struct Whitespace : PreTokenizer {
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_pieces(section, [&](Span piece, const auto& cut) {
      size_t begin = piece.begin;
      Class now = Class::space;
      each_character(section.piece(piece), [&](uint32_t code, size_t at, size_t) {
        const Class next = class_of(code);
        if (next == now) return;
        if (now != Class::space) cut(begin, piece.begin + at);
        begin = piece.begin + at, now = next;
      });
      if (now != Class::space) cut(begin, piece.end);
    });
  }
};

struct WhitespaceSplit : PreTokenizer {
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_pieces(section, [&](Span piece, const auto& cut) {
      size_t begin = piece.begin;
      each_character(section.piece(piece), [&](uint32_t code, size_t at, size_t end) {
        if (is_space(code)) cut(begin, piece.begin + at), begin = piece.begin + end;
      });
      cut(begin, piece.end);
    });
  }
};

// At white space, which goes, and at each sign.
struct BertSplit : PreTokenizer {
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_pieces(section, [&](Span piece, const auto& cut) {
      size_t begin = piece.begin;
      each_character(section.piece(piece), [&](uint32_t code, size_t at, size_t end) {
        const bool sign = is_punctuation(code);
        if (!sign && !is_space(code)) return;
        cut(begin, piece.begin + at);
        if (sign) cut(piece.begin + at, piece.begin + end);
        begin = piece.begin + end;
      });
      cut(begin, piece.end);
    });
  }
};

struct ByClass : PreTokenizer {
  bool (*wanted)(uint32_t) = nullptr;
  Delimiter how = Delimiter::isolated;
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_at(section, how, [this](std::string_view text) { return character_parts(text, wanted); });
  }
};

struct CharacterSplit : PreTokenizer {
  uint32_t delimiter = ' ';
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_at(section, Delimiter::removed, [this](std::string_view text) {
      return character_parts(text, [this](uint32_t code) { return code == delimiter; });
    });
  }
};

struct Split : PreTokenizer {
  Pattern pattern;
  Delimiter how = Delimiter::isolated;
  bool invert = false;
  void apply(Section& section) const override {
    write_mapped_bytes(section);
    split_at(section, how, [this](std::string_view text) {
      Parts parts = pattern.parts(text);
      for (Part& part : parts) part.found = part.found != invert;
      return parts;
    });
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_whitespace(const Object&) { return std::make_unique<Whitespace>(); }
std::unique_ptr<PreTokenizer> make_whitespace_split(const Object&) { return std::make_unique<WhitespaceSplit>(); }
std::unique_ptr<PreTokenizer> make_bert_split(const Object&) { return std::make_unique<BertSplit>(); }

std::unique_ptr<PreTokenizer> make_punctuation(const Object& object) {
  auto split = std::make_unique<ByClass>();
  split->wanted = is_punctuation, split->how = delimiter_of(object, "behavior", Delimiter::isolated);
  return split;
}

std::unique_ptr<PreTokenizer> make_digits(const Object& object) {
  auto split = std::make_unique<ByClass>();
  split->wanted = is_number;
  split->how = object.flag("individual_digits", false) ? Delimiter::isolated : Delimiter::contiguous;
  return split;
}

std::unique_ptr<PreTokenizer> make_character_split(const Object& object) {
  auto split = std::make_unique<CharacterSplit>();
  split->delimiter = object.character("delimiter");
  return split;
}

std::unique_ptr<PreTokenizer> make_split(const Object& object) {
  auto split = std::make_unique<Split>();
  split->pattern = Pattern::of(object, "pattern"), split->invert = object.flag("invert", false);
  split->how = delimiter_of(object, "behavior", Delimiter::isolated);
  return split;
}

}  // namespace heed::tokenize
