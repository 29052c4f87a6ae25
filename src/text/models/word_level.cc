// A piece is a token or unknown.
#include "text/models/model.h"

namespace heed::tokenize {
namespace {

struct WordLevel : Model {
  std::optional<int32_t> unknown;

  void apply(std::string_view piece, Random*, std::vector<Symbol>& tokens) const override {
    const auto id = vocabulary.id_of(piece);
    if (!id && !unknown)
      fail(ErrorKind::data, "encode", "'{}' is no token and there is none for unknown words",
           shortened(printable(piece), 40));
    tokens.push_back({id ? *id : *unknown, 0, static_cast<uint32_t>(piece.size())});
  }
  bool remembers() const override { return false; }
  std::string json() const override {
    return settings_json(settings) + ",\"vocab\":" + vocabulary_json(vocabulary) + "}";
  }
};

}  // namespace

std::unique_ptr<Model> make_word_level(const Object& object) {
  auto model = std::make_unique<WordLevel>();
  read_vocabulary(object, model->vocabulary);
  model->unknown = model->vocabulary.id_of(object.text("unk_token", ""));
  return model;
}

}  // namespace heed::tokenize
