// Byte pair encoding (Sennrich, Haddow & Birch 2016): of all neighbours that a merge joins, the earliest merge is done
// first, the leftmost of several. With chance (Provilkov, Emelianenko & Voita 2020, BPE-dropout) a merge is passed
// over.
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/models/merges.h"
#include "text/models/model.h"

namespace heed::tokenize {
namespace {

struct Bpe : Model {
  std::string prefix, suffix;  // of a character that continues a word; that ends it
  std::optional<int32_t> unknown;
  bool fuse_unknown = false, byte_fallback = false, whole_words = false;
  double dropout = 0;
  Merges merges;
  std::vector<int32_t> byte_ids;  // of the characters of byte-level BPE, where it has all of them

  bool takes_bytes() const override { return !byte_ids.empty(); }
  void apply(std::string_view piece, Random* random, std::vector<Symbol>& tokens) const override {
    if (add_whole(piece, piece.size(), tokens)) return;
    const size_t first = tokens.size();
    add_characters(piece, tokens);
    merges.apply(tokens, first, dropout, random);
  }
  void apply_bytes(std::string_view piece, Random* random, std::vector<Symbol>& tokens) const override {
    if (whole_words) {
      std::string mapped;
      for (const char byte : piece) mapped += character_of_byte(static_cast<uint8_t>(byte));
      if (add_whole(mapped, piece.size(), tokens)) return;
    }
    const size_t first = tokens.size();
    for (uint32_t i = 0; i < piece.size(); ++i) tokens.push_back({byte_ids[static_cast<uint8_t>(piece[i])], i, i + 1});
    merges.apply(tokens, first, dropout, random);
  }
  std::string json() const override {
    return settings_json(settings) + ",\"vocab\":" + vocabulary_json(vocabulary) +
           ",\"merges\":" + merges.json(vocabulary) + "}";
  }

 private:
  bool add_whole(std::string_view word, size_t bytes, std::vector<Symbol>& tokens) const {
    if (!whole_words) return false;
    const auto id = vocabulary.id_of(word);
    if (id) tokens.push_back({*id, 0, static_cast<uint32_t>(bytes)});
    return id.has_value();
  }

  void add_characters(std::string_view piece, std::vector<Symbol>& tokens) const {
    bool after_unknown = false;
    std::string wanted;
    for (uint32_t begin = 0, end; begin < piece.size(); begin = end) {
      end = begin + static_cast<uint32_t>(character_at(piece, begin).bytes);
      wanted.assign(begin > 0 ? prefix : "").append(piece.substr(begin, end - begin));
      if (end == piece.size()) wanted += suffix;
      if (const auto id = vocabulary.id_of(wanted)) {
        tokens.push_back({*id, begin, end});
        after_unknown = false;
      } else if (!(byte_fallback && add_fallback(wanted, begin, end, tokens)) && unknown) {
        if (fuse_unknown && after_unknown)
          tokens.back().end = end;
        else
          tokens.push_back({*unknown, begin, end});
        after_unknown = true;
      }
    }
  }

  // <0xE4><0xB8><0xAD> for a character that is no token.
  bool add_fallback(std::string_view character, uint32_t begin, uint32_t end, std::vector<Symbol>& tokens) const {
    const size_t before = tokens.size();
    for (const char byte : character) {
      const auto id = vocabulary.id_of(fmt::format("<0x{:02X}>", static_cast<uint8_t>(byte)));
      if (!id) return tokens.resize(before), false;
      tokens.push_back({*id, begin, end});
      if (character.size() == end - begin) tokens.back().begin = begin++, tokens.back().end = begin;
    }
    return true;
  }
};

void read_byte_ids(Bpe& model) {
  if (!model.prefix.empty() || !model.suffix.empty()) return;
  std::vector<int32_t> ids;
  for (int byte = 0; byte < 256; ++byte) {
    const auto id = model.vocabulary.id_of(character_of_byte(static_cast<uint8_t>(byte)));
    if (!id) return;
    ids.push_back(*id);
  }
  model.byte_ids = std::move(ids);
}

}  // namespace

std::unique_ptr<Model> make_bpe(const Object& object) {
  auto model = std::make_unique<Bpe>();
  read_vocabulary(object, model->vocabulary);
  model->prefix = object.text("continuing_subword_prefix", ""), model->suffix = object.text("end_of_word_suffix", "");
  model->fuse_unknown = object.flag("fuse_unk", false), model->byte_fallback = object.flag("byte_fallback", false);
  model->whole_words = object.flag("ignore_merges", false);
  if (object.has("dropout")) model->dropout = object.number("dropout");
  object.require(model->dropout >= 0 && model->dropout <= 1, "dropout is {}, wanted 0 to 1", model->dropout);
  if (object.has("unk_token")) model->unknown = model->vocabulary.id_of(object.text("unk_token"));
  model->merges = Merges(object, model->vocabulary, model->prefix);
  read_byte_ids(*model);
  return model;
}

}  // namespace heed::tokenize
