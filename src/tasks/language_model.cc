#include "tasks/language_model.h"

#include <algorithm>

#include "base/check.h"
#include "nn/uninitialized.h"
#include "tasks/run_folder.h"
#include "train/batches.h"

namespace heed {
void LanguageModel::add_rows(std::span<const std::string> texts, TokenRows& rows) const {
  const Ends around = ends();
  std::vector<int32_t> ids;
  for (const std::vector<Token>& tokens : tokenizer.encode_all(texts, {.add_special = false})) {
    ids = {around.begin};
    for (const Token& token : tokens) ids.push_back(token.id);
    ids.push_back(around.end);
    const auto size = static_cast<int64_t>(ids.size());
    for (int64_t begin = 0; begin + 1 < size; begin += longest)
      rows.add(
          std::span(ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(std::min(size - begin, longest + 1))));
  }
}

// A row that does not begin a text goes on from the row before, whose last token is its first.
Sentences LanguageModel::before(const TokenRows& rows, std::span<const int64_t> which) const {
  if (model->memory() == 0) return {};
  const auto most = static_cast<size_t>(model->memory());
  const int32_t begin = ends().begin;
  std::vector<std::vector<int32_t>> texts;
  for (int64_t n : which) {
    std::vector<int32_t> ids;
    for (; rows[n][0] != begin && ids.size() < most; --n) {
      const auto earlier = rows[n - 1];
      ids.insert(ids.begin(), earlier.begin(), earlier.end() - 1);
    }
    texts.emplace_back(ids.end() - static_cast<std::ptrdiff_t>(std::min(most, ids.size())), ids.end());
  }
  return pad(texts);
}

Tensor LanguageModel::loss(const TokenRows& rows, std::span<const int64_t> which, bool packed,
                           const CrossEntropyOptions& options, const Pass& pass) const {
  std::vector<std::vector<int32_t>> said, next;
  for (const int64_t n : which) {
    const auto ids = rows[n];
    said.emplace_back(ids.begin(), ids.end() - 1);
    next.emplace_back(ids.begin() + 1, ids.end());
  }
  const auto batch = [&](const auto& texts, int32_t padding) {
    return packed ? pack(texts, longest, padding) : pad(texts, padding);
  };
  const Decoded decoded = model->forward(before(rows, which), batch(said, 0), pass);
  CrossEntropyOptions summed = options;
  summed.ignored = kIgnored, summed.reduction = Reduction::sum;
  return model->loss(decoded.features, batch(next, kIgnored).ids, summed);
}

double LanguageModel::mean_loss(const TokenRows& rows) const {
  const NoGrad scope;
  std::vector<int64_t> lengths;
  double sum = 0, count = 0;
  for (int64_t n = 0; n < rows.size(); ++n) lengths.push_back(rows.length(n)), count += lengths.back() - 1;
  for (const auto& batch : batches_by_length(lengths, {.examples = 16})) sum += loss(rows, batch, false, {}, {}).item();
  return sum / std::max(1.0, count);
}

SearchOptions LanguageModel::search_options(std::span<const std::string> begun, SearchOptions asked) const {
  const Ends around = ends();
  asked.begin = around.begin, asked.ends = {around.end};
  asked.longest_factor = 0;
  for (const std::string& text : begun) asked.prefixes.push_back(prompt_ids(text));
  return asked;
}

Sentences LanguageModel::no_source(size_t count) {
  const auto sentences = static_cast<int64_t>(count);
  return {Tensor({sentences, 0}, Dtype::i64), Tensor::zeros({sentences}, Dtype::i64)};
}

std::vector<std::vector<Hypothesis>> LanguageModel::go_on(std::span<const std::string> begun,
                                                          SearchOptions options) const {
  return search(*model, no_source(begun.size()), search_options(begun, std::move(options)));
}

void LanguageModel::save(const std::string& folder) const {
  save_tokenizer(tokenizer, folder, "tokenizer");
  write_configuration(folder, model->name(), model->configuration());
}

LanguageModel LanguageModel::load(const std::string& folder) {
  const initialize::Skip scope;
  const ModelConfiguration configuration = read_configuration(folder);
  LanguageModel run{make_model(configuration.name, configuration.fields), load_tokenizer(folder, "tokenizer")};
  if (const auto longest = configuration.fields.find("longest"); longest != configuration.fields.end())
    read_field("longest", longest->second, run.longest);
  run.own_ends = ends_in(folder, run.tokenizer);
  load_model_weights(folder, run.model->weights());
  return run;
}

}  // namespace heed
