#include "text/models/model.h"

namespace heed::tokenize {
namespace {

constexpr size_t kMostSeen = 1 << 16, kLongestSeen = 64;

constexpr Maker<Model> kModels[] = {
    {"WordLevel", make_word_level},
    {"WordPiece", make_word_piece},
    {"BPE", make_bpe},
    {"Unigram", make_unigram},
};

// Old files do not say which model theirs is.
const char* guessed_type(const Object& object) {
  if (object.has("merges")) return "BPE";
  if (object.has("unk_id")) return "Unigram";
  return object.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

}  // namespace

std::unique_ptr<Model> make_model(const Object& object) {
  if (object.has("type")) return make_step(kModels, "model", object);
  Json typed = object.json();
  typed["type"] = guessed_type(object);
  return make_step(kModels, "model", Object(typed, object.where()));
}

void apply_model(const Model& model, std::string_view piece, bool bytes, Random* random, Scratch& scratch,
                 std::vector<Symbol>& tokens) {
  const auto apply = [&](std::vector<Symbol>& to) {
    bytes ? model.apply_bytes(piece, random, to) : model.apply(piece, random, to);
  };
  if (random != nullptr || !model.remembers() || piece.size() > kLongestSeen) return apply(tokens);
  auto found = scratch.seen.find(piece);
  if (found == scratch.seen.end()) {
    if (scratch.seen.size() >= kMostSeen) scratch.seen.clear(), scratch.symbols.clear();
    const auto begin = static_cast<uint32_t>(scratch.symbols.size());
    apply(scratch.symbols);
    found = scratch.seen.emplace(piece, Scratch::Seen{begin, static_cast<uint32_t>(scratch.symbols.size())}).first;
  }
  const auto at = [&](uint32_t i) { return scratch.symbols.begin() + static_cast<std::ptrdiff_t>(i); };
  tokens.insert(tokens.end(), at(found->second.begin), at(found->second.end));
}

std::string json_text(std::string_view text) { return Json(text).dump(); }

std::string settings_json(const Json& settings) {
  std::string text = settings.dump();
  text.pop_back();
  return text;
}

std::string vocabulary_json(const Vocabulary& vocabulary) {
  std::string text = "{";
  for (int32_t id = 0; id < vocabulary.size(); ++id)
    if (vocabulary.has(id))
      text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", json_text(vocabulary.token_of(id)), id);
  return text + "}";
}

void read_vocabulary(const Object& object, Vocabulary& vocabulary) {
  for (const auto& [token, id] : object.map("vocab").items()) {
    object.require(id.is_number_unsigned() && id.get<uint64_t>() < Vocabulary::kMostIds,
                   "vocab: '{}' has the id {}, wanted 0 to {}", shortened(printable(token), 40),
                   shortened(id.dump(), 40), Vocabulary::kMostIds - 1);
    vocabulary.add(token, id.get<int64_t>(), object.place_of("vocab"));
  }
}

}  // namespace heed::tokenize
