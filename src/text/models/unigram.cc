// The unigram language model (Kudo 2018): of all ways to put a piece together from tokens the one with the greatest sum
// of log-probabilities, by dynamic programming (Viterbi). A character that is no token costs ten more than the least
// probable token.
#include <algorithm>
#include <cmath>
#include <limits>

#include "text/characters.h"
#include "text/models/model.h"
#include "text/trie.h"

namespace heed::tokenize {
namespace {

struct Unigram : Model {
  std::vector<double> scores;
  std::optional<int32_t> unknown;
  bool byte_fallback = false;
  double unknown_score = 0;
  Trie trie;

  struct Best {  // way to the place in the piece
    double score = 0;
    int32_t begin = -1, id = -1;  // of its last token; id -1: unknown
  };

  void apply(std::string_view piece, Random*, std::vector<Symbol>& tokens) const override {
    const size_t first = tokens.size();
    const std::vector<Best> best = ways(piece);
    // Backwards; unknown characters beside each other become one.
    for (auto end = static_cast<int32_t>(piece.size()); end > 0;) {
      int32_t begin = best[static_cast<size_t>(end)].begin;
      const int32_t id = best[static_cast<size_t>(end)].id;
      while (id < 0 && begin > 0 && best[static_cast<size_t>(begin)].id < 0)
        begin = best[static_cast<size_t>(begin)].begin;
      if (id >= 0)
        tokens.push_back({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      else
        add_unknown(piece, begin, end, tokens);
      end = begin;
    }
    std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
  }
  std::string json() const override {
    std::string list;
    for (int32_t id = 0; id < vocabulary.size(); ++id)
      list += fmt::format("{}[{},{}]", id > 0 ? "," : "", json_text(vocabulary.token_of(id)),
                          Json(scores[static_cast<size_t>(id)]).dump());
    return settings_json(settings) + ",\"vocab\":[" + list + "]}";
  }

 private:
  std::vector<Best> ways(std::string_view piece) const {
    std::vector<Best> best(piece.size() + 1);
    for (size_t begin = 0, bytes; begin < piece.size(); begin += bytes) {
      bytes = character_at(piece, begin).bytes;
      const double so_far = best[begin].score;
      const auto reach = [&](size_t length, int32_t id, double score) {
        Best& at = best[begin + length];
        if (at.begin < 0 || so_far + score > at.score) at = {so_far + score, static_cast<int32_t>(begin), id};
      };
      bool has_character = false;
      trie.each_prefix(piece.substr(begin), [&](size_t length, int32_t id) {
        reach(length, id == unknown ? -1 : id, scores[static_cast<size_t>(id)]);
        has_character = has_character || length == bytes;
      });
      if (!has_character) reach(bytes, -1, unknown_score);
    }
    return best;
  }

  // In the order of a walk backwards.
  void add_unknown(std::string_view piece, int32_t begin, int32_t end, std::vector<Symbol>& tokens) const {
    const auto first = static_cast<uint32_t>(begin), last = static_cast<uint32_t>(end);
    const std::string_view text = piece.substr(first, last - first);
    if (const auto id = vocabulary.id_of(text)) return tokens.push_back({*id, first, last});
    if (byte_fallback && add_bytes(text, first, tokens)) return;
    if (!unknown)
      fail(ErrorKind::data, "encode", "'{}' is no token and there is none for unknown text",
           shortened(printable(text), 40));
    tokens.push_back({*unknown, first, last});
  }
  bool add_bytes(std::string_view text, uint32_t first, std::vector<Symbol>& tokens) const {
    const size_t before = tokens.size();
    for (size_t i = text.size(); i-- > 0;) {
      const auto id = vocabulary.id_of(fmt::format("<0x{:02X}>", static_cast<uint8_t>(text[i])));
      if (!id) return tokens.resize(before), false;
      const auto at = first + static_cast<uint32_t>(i);
      tokens.push_back({*id, at, at + 1});
    }
    return true;
  }
};

void read_pieces(const Object& object, Unigram& model) {
  double least = std::numeric_limits<double>::infinity();
  const std::string where = object.place_of("vocab");
  for (const Json& entry : object.list("vocab")) {
    check_format(entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number(), where,
                 "entry {} is no pair of a text and a number", model.scores.size());
    model.vocabulary.add(entry[0].get<std::string>(), static_cast<int64_t>(model.scores.size()), where);
    model.scores.push_back(entry[1].get<double>());
    check_format(std::isfinite(model.scores.back()), where, "entry {} has no finite score", model.scores.size() - 1);
    least = std::min(least, model.scores.back());
  }
  model.unknown_score = least - 10;
}

}  // namespace

std::unique_ptr<Model> make_unigram(const Object& object) {
  auto model = std::make_unique<Unigram>();
  read_pieces(object, *model);
  object.require(model->vocabulary.size() > 0, "vocab: is empty");
  if (object.has("unk_id"))
    model->unknown = static_cast<int32_t>(object.integer("unk_id", 0, model->vocabulary.size() - 1));
  model->byte_fallback = object.flag("byte_fallback", false);
  std::vector<std::pair<std::string_view, int32_t>> entries;
  for (int32_t id = 0; id < model->vocabulary.size(); ++id) entries.emplace_back(model->vocabulary.token_of(id), id);
  model->trie = Trie(std::move(entries));
  return model;
}

}  // namespace heed::tokenize
