#include "explain/seen_file.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/check.h"
#include "tensor/file.h"
#include "tensor/shape_format.h"
#include "tensor/unicode.h"
#include "text/object.h"

namespace heed::explain {
namespace {

using tokenize::Object;

std::string shown(std::string_view name) { return "'" + shortened(printable(name), 60) + "'"; }

// ---- texts ----------------------------------------------------------------------------------------------

std::vector<std::string> tokens_of(const Object& object, const char* key) {
  std::vector<std::string> tokens;
  for (const tokenize::Json& token : object.list(key)) {
    object.require(token.is_string(), "'{}' holds {}, wanted texts", key, token.type_name());
    tokens.push_back(token.get<std::string>());
  }
  object.require(!tokens.empty(), "'{}' has no tokens", key);
  return tokens;
}

SeenText text_of(const Object& object, const char* key, std::string name) {
  return {std::move(name), tokens_of(object, key)};
}

std::vector<SeenText> texts_of(const Object& file) {
  std::vector<SeenText> texts;
  if (file.has("tokens")) texts.push_back(text_of(file, "tokens", "text"));
  for (const char* side : {"source", "target"})
    if (file.has(side)) texts.push_back(text_of(file, side, side));
  if (file.has("texts"))
    file.each("texts", [&](const Object& each) { texts.push_back(text_of(each, "tokens", each.text("name"))); });
  file.require(!texts.empty(), "has none of 'tokens', 'source' with 'target', 'texts'");
  for (size_t i = 0; i < texts.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      file.require(texts[i].name != texts[j].name, "two texts are named {}", shown(texts[i].name));
  return texts;
}

std::optional<size_t> find(const std::vector<SeenText>& texts, std::string_view name) {
  for (size_t i = 0; i < texts.size(); ++i)
    if (texts[i].name == name) return i;
  return std::nullopt;
}

size_t text_named(const std::vector<SeenText>& texts, const Object& object, const char* key) {
  const std::string name = object.text(key);
  const std::optional<size_t> found = find(texts, name);
  object.require(found.has_value(), "'{}' is {}, which is no text's name", key, shown(name));
  return *found;
}

// ---- whose tokens a tensor is about ---------------------------------------------------------------------

struct BetweenTexts {
  size_t queries = 0, keys = 0;
};

// encoder… looks from the source at the source, …cross… from the target at the source, decoder… at the target itself.
std::optional<BetweenTexts> sides_by_name(const std::vector<SeenText>& texts, std::string_view name) {
  if (texts.size() == 1) return BetweenTexts{};
  const std::optional<size_t> source = find(texts, "source"), target = find(texts, "target");
  if (!source || !target) return std::nullopt;
  if (name.find("cross") != std::string_view::npos) return BetweenTexts{*target, *source};
  if (name.starts_with("encoder")) return BetweenTexts{*source, *source};
  if (name.starts_with("decoder")) return BetweenTexts{*target, *target};
  return std::nullopt;
}

BetweenTexts sides_of(const std::vector<SeenText>& texts, const Object& file, const std::string& name) {
  if (file.has("attention"))
    if (const Object said = file.object("attention"); said.has(name.c_str())) {
      const Object sides = said.object(name.c_str());
      return {text_named(texts, sides, "queries"), text_named(texts, sides, "keys")};
    }
  const std::optional<BetweenTexts> found = sides_by_name(texts, name);
  file.require(found.has_value(),
               "does not say which texts {} is about: name it encoder…, decoder… or …cross…, or say "
               "\"attention\": {{{}: {{\"queries\": …, \"keys\": …}}}}",
               shown(name), shown(name));
  return *found;
}

bool has(const std::vector<SeenAttention>& attention, const std::string& name) {
  return std::any_of(attention.begin(), attention.end(), [&](const auto& each) { return each.name == name; });
}

void check_all_found(const Object& file, const std::vector<SeenAttention>& attention) {
  if (!file.has("attention")) return;
  for (const auto& [name, sides] : file.map("attention").items())
    file.require(has(attention, name), "'attention' names {}, which the weights lack", shown(name));
}

// ---- tensors --------------------------------------------------------------------------------------------

// (H,…,…) in f32, of which (1,H,…,…) and (…,…) are other forms.
Tensor by_head(const Tensor& x, const std::string& name) {
  check(is_floating(x.dtype()), "view", "{} is of {}, wanted floats", shown(name), heed::name(x.dtype()));
  const int rank = x.rank();
  const bool fits = rank == 2 || rank == 3 || (rank == 4 && x.dim(0) == 1);
  check(fits, "view", "{} has shape {}, wanted (heads, queries, keys), for one text", shown(name), x.shape());
  return (rank == 2 ? x.unsqueeze(0) : rank == 4 ? x[0] : x).to(Dtype::f32);
}

bool is_vectors(const TensorFile& file, const std::string& name) {
  return (name.ends_with(".q") || name.ends_with(".k")) && file.contains(name.substr(0, name.size() - 2));
}

Tensor vectors(const TensorFile& file, const std::string& name) {
  return file.contains(name) ? by_head(file[name], name) : Tensor();
}

// Numbers within names count as numbers: layer.2 before layer.10.
bool comes_before(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number = [&](const std::string& text, size_t at) {
    const size_t from = std::min(text.find_first_not_of('0', at), text.size());
    size_t to = from;
    while (to < text.size() && digit(text[to])) ++to;
    return std::pair{text.substr(from, to - from), to};
  };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const auto [x, after_x] = number(a, i);
      const auto [y, after_y] = number(b, j);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      i = after_x, j = after_y;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

std::vector<SeenAttention> attention_of(const TensorFile& weights, const std::vector<SeenText>& texts,
                                        const Object& file) {
  std::vector<SeenAttention> attention;
  for (const auto& [name, tensor] : weights.tensors) {
    if (is_vectors(weights, name)) continue;
    const BetweenTexts sides = sides_of(texts, file, name);
    attention.push_back({name, sides.queries, sides.keys, by_head(tensor, name), vectors(weights, name + ".q"),
                         vectors(weights, name + ".k")});
  }
  check(!attention.empty(), "view", "the file of weights holds no tensor");
  check_all_found(file, attention);
  std::sort(attention.begin(), attention.end(),
            [](const auto& a, const auto& b) { return comes_before(a.name, b.name); });
  return attention;
}

// ---- scores, steps and answers --------------------------------------------------------------------------

std::vector<float> numbers_of(const Object& object, const char* key) {
  std::vector<float> numbers;
  for (const tokenize::Json& value : object.list(key)) {
    object.require(value.is_number(), "'{}' holds {}, wanted numbers", key, value.type_name());
    numbers.push_back(value.get<float>());
  }
  return numbers;
}

double number_or_0(const Object& object, const char* key) { return object.has(key) ? object.number(key) : 0; }

SeenScores scores_of(const Object& object, const std::vector<SeenText>& texts) {
  SeenScores scores{.method = object.text("method")};
  if (object.has("text")) scores.text = text_named(texts, object, "text");
  scores.values = numbers_of(object, "values");
  scores.comprehensiveness = number_or_0(object, "comprehensiveness");
  scores.sufficiency = number_or_0(object, "sufficiency");
  return scores;
}

double probability_of(const Object& object) {
  const double p = object.number("probability");
  object.require(p >= 0 && p <= 1, "'probability' is {}, wanted 0 to 1", p);
  return p;
}

SeenStep step_of(const Object& object) {
  SeenStep step{object.text("token"), probability_of(object), number_or_0(object, "entropy")};
  if (object.has("alternatives"))
    object.each("alternatives", [&](const Object& each) {
      step.alternatives.push_back({each.text("token"), probability_of(each)});
    });
  return step;
}

SeenAnswer answer_of(const Object& object) {
  return {tokens_of(object, "tokens"), numbers_of(object, "log_probabilities"), number_or_0(object, "score")};
}

}  // namespace

Seen seen_of(const TensorFile& weights, std::string_view tokens_json, const std::string& where) {
  const tokenize::Json json = tokenize::parse_json(tokens_json, where);
  const Object file(json, where);
  Seen seen{file.text("title", ""), file.text("model", ""), texts_of(file)};
  seen.attention = attention_of(weights, seen.texts, file);
  if (file.has("scores"))
    file.each("scores", [&](const Object& each) { seen.scores.push_back(scores_of(each, seen.texts)); });
  if (file.has("steps")) file.each("steps", [&](const Object& each) { seen.steps.push_back(step_of(each)); });
  if (file.has("answers")) file.each("answers", [&](const Object& each) { seen.answers.push_back(answer_of(each)); });
  check_whole(seen);
  return seen;
}

Seen read_seen(const std::string& weights_path, const std::string& tokens_path) {
  const Bytes tokens = read_file(tokens_path);
  const std::string_view text(reinterpret_cast<const char*>(tokens.data), static_cast<size_t>(tokens.size));
  return seen_of(load_safetensors(weights_path), text, tokens_path);
}

}  // namespace heed::explain
