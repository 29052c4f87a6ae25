#include "tasks/classification.h"

#include "base/check.h"
#include "nn/uninitialized.h"
#include "tasks/run_folder.h"
#include "tasks/tokens.h"
#include "train/batches.h"

namespace heed {
namespace {

constexpr int64_t kTextsTogether = 64;  // texts
constexpr const char* kTokenizer = "tokenizer";

std::vector<TokenWeight> weights_of(const std::vector<Token>& tokens, const Tensor& weights) {
  const std::vector<double> values = weights.values();
  std::vector<TokenWeight> each;
  for (size_t n = 0; n < tokens.size(); ++n) each.push_back({tokens[n].begin, tokens[n].end, values[n]});
  return each;
}

std::vector<int32_t> ids_of(const std::vector<Token>& tokens) {
  std::vector<int32_t> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  return ids;
}

}  // namespace

std::vector<Token> cut_text(std::vector<Token> tokens, int64_t longest, const Tokenizer& tokenizer) {
  if (static_cast<int64_t>(tokens.size()) > longest) tokens.resize(static_cast<size_t>(longest));
  if (tokens.empty()) tokens.push_back({.id = ends_of(tokenizer).end, .special = true});
  return tokens;
}

std::vector<Token> ClassificationModel::tokens(std::string_view text) const {
  return cut_text(tokenizer.encode(text, {.add_special = false}), longest, tokenizer);
}

std::vector<Classification> ClassificationModel::classify(std::span<const std::string> texts, bool weights) const {
  const NoGrad scope;
  std::vector<std::vector<Token>> tokens;
  std::vector<int64_t> lengths;
  for (const std::string& text : texts)
    tokens.push_back(this->tokens(text)), lengths.push_back(static_cast<int64_t>(tokens.back().size()));
  std::vector<Classification> all(texts.size());
  for (const auto& batch : batches_by_length(lengths, {.examples = kTextsTogether})) {
    std::vector<std::vector<int32_t>> together;
    for (const int64_t n : batch) together.push_back(ids_of(tokens[static_cast<size_t>(n)]));
    const Classified classified = model->forward(pad(together), {.weights = weights});
    const std::vector<Answer> answers = labels.answers(classified.logits);
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto n = static_cast<size_t>(batch[i]);
      all[n] = {answers[i], {}};
      if (classified.weights.defined())
        all[n].weights = weights_of(tokens[n], classified.weights[static_cast<int64_t>(i)]);
    }
  }
  return all;
}

Tensor ClassificationModel::embed(std::span<const std::string> texts) const {
  const NoGrad scope;
  std::vector<Tensor> vectors;
  for (const std::string& text : texts) {
    const std::vector<int32_t> ids = ids_of(tokens(text));
    const auto count = static_cast<int64_t>(ids.size());
    const Sentences alone = pad({ids});
    const Tensor weights = model->forward(alone, {.weights = true}).weights;
    const Tensor even = full({1, count}, 1.0 / static_cast<double>(count));
    vectors.push_back(matmul(weights.defined() ? weights : even, index_select(model->embedding(), 0, alone.ids[0])));
  }
  return concat(vectors);
}

void ClassificationModel::save(const std::string& folder) const {
  save_tokenizer(tokenizer, folder, kTokenizer);
  auto fields = model->configuration();
  fields.merge(labels.fields());
  fields["longest"] = std::to_string(longest);
  write_configuration(folder, model->name(), fields);
}

ClassificationModel ClassificationModel::load(const std::string& folder) {
  const initialize::Skip scope;
  ModelConfiguration configuration = read_configuration(folder);
  const std::string path = RunPaths{folder}.config();
  Labels labels = Labels::from_fields(configuration.fields, path);
  for (const auto& [name, text] : labels.fields()) configuration.fields.erase(name);
  ClassificationModel run{make_classifier(configuration.name, configuration.fields), load_tokenizer(folder, kTokenizer),
                          std::move(labels)};
  const auto made = run.model->configuration();
  check_format(made.at("classes") == std::to_string(run.labels.outputs()), path, "has {} classes, but labels for {}",
               made.at("classes"), run.labels.outputs());
  read_field("longest", made.at("longest"), run.longest);
  load_model_weights(folder, run.model->weights());
  return run;
}

}  // namespace heed
