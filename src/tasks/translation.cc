#include "tasks/translation.h"

#include <algorithm>

#include "base/check.h"
#include "nn/uninitialized.h"
#include "tasks/run_folder.h"
#include "train/batches.h"
#include "train/sealed.h"

namespace heed {

void Tokenizers::save(const std::string& folder) const {
  if (kind == VocabularyKind::joint) return save_tokenizer(source, folder, "tokenizer");
  save_tokenizer(source, folder, "source"), save_tokenizer(target, folder, "target");
}

Tokenizers Tokenizers::load(const std::string& folder) {
  if (vocabularies_in(folder) == VocabularyKind::separate)
    return {load_tokenizer(folder, "source"), load_tokenizer(folder, "target")};
  const Tokenizer both = load_tokenizer(folder, "tokenizer");
  return {both, both, VocabularyKind::joint};
}

VocabularyKind vocabularies_in(const std::string& folder) {
  const bool joint = has_tokenizer(folder, "tokenizer") && !has_tokenizer(folder, "source");
  return joint ? VocabularyKind::joint : VocabularyKind::separate;
}

std::vector<int32_t> TranslationModel::source_ids(std::string_view text) const {
  std::vector<int32_t> ids = source.ids(text, {.add_special = false});
  if (static_cast<int64_t>(ids.size()) >= longest) ids.resize(static_cast<size_t>(longest) - 1);
  ids.push_back(source_end());
  return ids;
}

namespace {

constexpr int64_t kSentencesTogether = 64;  // sentences

}  // namespace

SearchOptions TranslationModel::search_options(SearchOptions asked) const {
  asked.begin = ends().begin, asked.ends = {ends().end};
  asked.longest = std::min(asked.longest, longest);
  return asked;
}

Translation TranslationModel::translation_of(const Hypothesis& hypothesis, std::span<const int32_t> source_ids) const {
  return {target.decode(hypothesis.ids),
          tokens_of(source, source_ids),
          tokens_of(target, hypothesis.ids),
          hypothesis.log_probabilities,
          hypothesis.score,
          hypothesis.alignment,
          might_be(target, hypothesis)};
}

std::vector<std::vector<Translation>> TranslationModel::translate(std::span<const std::string> texts,
                                                                  SearchOptions options) const {
  std::vector<std::vector<int32_t>> sources;
  std::vector<int64_t> lengths;
  for (const std::string& text : texts)
    sources.push_back(source_ids(text)), lengths.push_back(static_cast<int64_t>(sources.back().size()));
  options = search_options(std::move(options));
  std::vector<std::vector<Translation>> translations(texts.size());
  for (const auto& batch : batches_by_length(lengths, {.examples = kSentencesTogether})) {
    std::vector<std::vector<int32_t>> together;
    for (const int64_t n : batch) together.push_back(sources[static_cast<size_t>(n)]);
    options.numbers = batch;
    const Found found = search(*model, pad(together), options);
    for (size_t i = 0; i < batch.size(); ++i)
      for (const Hypothesis& hypothesis : found[i])
        translations[static_cast<size_t>(batch[i])].push_back(translation_of(hypothesis, together[i]));
  }
  return translations;
}

void TranslationModel::replace_unknown(Translation& t) const {
  const std::vector<std::string> replaced = heed::replace_unknown(t.tokens, t.alignment, t.source_tokens);
  if (replaced == t.tokens) return;
  t.text.clear();
  for (size_t n = 0; n < replaced.size(); ++n) {
    const auto id = target.id_of(replaced[n]);
    const bool known = replaced[n] == t.tokens[n] && id;
    t.text += known ? target.decode(std::vector<int32_t>{*id}) : replaced[n];
  }
  t.tokens = replaced;
}

void TranslationModel::save(const std::string& folder) const {
  Tokenizers::save(folder);
  write_configuration(folder, model->name(), model->configuration());
}

TranslationModel TranslationModel::load(const std::string& folder) {
  const initialize::Skip scope;
  const ModelConfiguration configuration = read_configuration(folder);
  TranslationModel run{Tokenizers::load(folder), make_model(configuration.name, configuration.fields)};
  if (const auto longest = configuration.fields.find("longest"); longest != configuration.fields.end())
    read_field("longest", longest->second, run.longest);
  run.own_ends = ends_in(folder, run.target);
  load_model_weights(folder, run.model->weights());
  return run;
}

}  // namespace heed
