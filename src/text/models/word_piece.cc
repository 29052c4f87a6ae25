// WordPiece (Schuster & Nakajima 2012, as in BERT): the longest token that a word begins with, then the longest
// continuation of the rest; a word that cannot be covered is unknown as a whole.
#include "text/characters.h"
#include "text/models/model.h"

namespace heed::tokenize {
namespace {

struct WordPiece : Model {
  std::string prefix;  // of a token that continues a word: ##
  int64_t most_characters = 100;
  std::optional<int32_t> unknown;

  void apply(std::string_view piece, Random*, std::vector<Symbol>& tokens) const override {
    const size_t before = tokens.size();
    if (characters(piece) <= most_characters && cover(piece, tokens)) return;
    tokens.resize(before);
    if (!unknown)
      fail(ErrorKind::data, "encode", "'{}' cannot be put together and there is no token for unknown words",
           shortened(printable(piece), 40));
    tokens.push_back({*unknown, 0, static_cast<uint32_t>(piece.size())});
  }
  std::string json() const override {
    return settings_json(settings) + ",\"vocab\":" + vocabulary_json(vocabulary) + "}";
  }

 private:
  static int64_t characters(std::string_view piece) {
    int64_t count = 0;
    for (const char byte : piece) count += !continues(byte);
    return count;
  }
  bool cover(std::string_view piece, std::vector<Symbol>& tokens) const {
    std::string wanted;
    for (size_t begin = 0, end; begin < piece.size(); begin = end) {
      std::optional<int32_t> id;
      for (end = piece.size(); end > begin; end = character_before(piece, end)) {
        wanted.assign(begin > 0 ? prefix : "").append(piece.substr(begin, end - begin));
        if ((id = vocabulary.id_of(wanted))) break;
      }
      if (!id) return false;
      tokens.push_back({*id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const Object& object) {
  auto model = std::make_unique<WordPiece>();
  read_vocabulary(object, model->vocabulary);
  model->prefix = object.text("continuing_subword_prefix", "##");
  if (object.has("max_input_chars_per_word"))
    model->most_characters = object.integer("max_input_chars_per_word", 0, 10000);
  model->unknown = model->vocabulary.id_of(object.text("unk_token", "[UNK]"));
  return model;
}

}  // namespace heed::tokenize
