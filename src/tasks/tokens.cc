#include "tasks/tokens.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

// Subwords settle long before all has been read: so many texts are enough to learn them from (130,000 numbers in words
// take 6.3 s, 20,000 of them 0.3).
size_t enough(size_t texts) { return std::max<size_t>(30'000, texts / 10); }
std::vector<std::string> spread(std::span<const std::string> texts, size_t count) {
  std::vector<std::string> some;
  for (size_t n = 0; n < count; ++n) some.push_back(texts[n * texts.size() / count]);
  return some;
}

Tokenizer subwords(std::span<const std::string> texts, const TokenOptions& o, SubwordModel model) {
  std::vector<std::string> some;
  if (texts.size() > enough(texts.size())) texts = some = spread(texts, enough(texts.size()));
  return train_subwords(texts, {.model = model, .size = o.vocabulary, .form = o.lower ? "nmt_nfkc_cf" : "nmt_nfkc"});
}
Tokenizer plain(std::span<const std::string> texts, const TokenOptions& o, Cut cut) {
  const Form form = cut == Cut::bytes ? Form::none : Form::nfc;
  return train_tokenizer(texts, {.cut = cut, .form = form, .lower = o.lower, .vocabulary = {.size = o.vocabulary}});
}

int32_t wanted(const Tokenizer& tokenizer, const char* token) {
  const auto id = tokenizer.id_of(token);
  if (!id) fail(ErrorKind::data, "tokenizer", "has no token {}, which stands around every text", token);
  return *id;
}

}  // namespace

Tokenizer make_tokenizer(std::span<const std::string> texts, const TokenOptions& o) {
  switch (o.tokens) {
    case TokenKind::unigram: return subwords(texts, o, SubwordModel::unigram);
    case TokenKind::bpe: return subwords(texts, o, SubwordModel::bpe);
    case TokenKind::words: return plain(texts, o, Cut::words);
    case TokenKind::characters: return plain(texts, o, Cut::characters);
    case TokenKind::whitespace: return plain(texts, o, Cut::whitespace);
    case TokenKind::bytes: return plain(texts, o, Cut::bytes);
  }
  fail(ErrorKind::usage, "tokens", "unknown kind {}", static_cast<int>(o.tokens));
}

Tokenizer make_tokenizer(std::span<const std::string> texts, const ReadingTokenOptions& o) {
  const bool words = o.tokens == TokenKind::words;
  check(words || (o.stop_words.empty() && o.stem.empty()), "tokens", "stop words and stems are of --tokens words");
  if (!words) return make_tokenizer(texts, static_cast<const TokenOptions&>(o));
  return train_tokenizer(texts, {.lower = o.lower,
                                 .keep_spaces = false,
                                 .stop_words = o.stop_words,
                                 .stem = o.stem,
                                 .vocabulary = {.size = o.vocabulary, .least = o.least}});
}

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) tokens.push_back(tokenizer.token_of(id));
  return tokens;
}

std::vector<Might> might_be(const Tokenizer& tokenizer, std::span<const Alternative> alternatives) {
  std::vector<Might> all;
  for (const Alternative& each : alternatives) all.emplace_back(tokenizer.token_of(each.id), each.log_probability);
  return all;
}
std::vector<std::vector<Might>> might_be(const Tokenizer& tokenizer, const Hypothesis& hypothesis) {
  std::vector<std::vector<Might>> all;
  for (const auto& each : hypothesis.alternatives) all.push_back(might_be(tokenizer, each));
  return all;
}

Ends ends_of(const Tokenizer& tokenizer) { return {wanted(tokenizer, "<s>"), wanted(tokenizer, "</s>")}; }

Ends ends_in(const std::string& folder, const Tokenizer& tokenizer) {
  const Json ends = about_run(folder).value(kEnds, Json());
  if (!ends.is_object()) return ends_of(tokenizer);
  const auto whole = [&](const char* name) { return ends.value(name, Json()).is_number_integer(); };
  check_format(whole("begin") && whole("end"), RunPaths{folder}.about(), "ends: wanted the numbers begin and end");
  return {ends["begin"], ends["end"]};
}

static std::string as_json(const std::string& folder, const std::string& name) { return folder + "/" + name + ".json"; }
static std::string as_model(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".model";
}
bool is_json(const Tokenizer& tokenizer) { return tokenizer.to_bytes().starts_with("{"); }
void save_tokenizer(const Tokenizer& tokenizer, const std::string& folder, const std::string& name) {
  tokenizer.save(is_json(tokenizer) ? as_json(folder, name) : as_model(folder, name));
}
Tokenizer load_tokenizer(const std::string& folder, const std::string& name) {
  const std::string model = as_model(folder, name);
  return Tokenizer::load(std::filesystem::exists(model) ? model : as_json(folder, name));
}
bool has_tokenizer(const std::string& folder, const std::string& name) {
  return std::filesystem::exists(as_model(folder, name)) || std::filesystem::exists(as_json(folder, name));
}

}  // namespace heed
