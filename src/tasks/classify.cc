#include "tasks/classify.h"

#include <heed/base.h>

#include <algorithm>

#include "base/check.h"
#include "tasks/classification.h"
#include "tasks/model_choice.h"
#include "tasks/run_folder.h"
#include "tasks/token_rows.h"
#include "tasks/tokens.h"
#include "train/batches.h"

namespace heed {
namespace {

// ---- numbers ----------------------------------------------------------------------------------------------------

struct LabelledRows {
  TokenRows texts = {};
  std::vector<float> targets = {};  // (texts, width)
  size_t width = 1;
  int64_t cut = 0;  // texts that are longer than what is read
  int64_t size() const { return texts.size(); }

  Tensor targets_of(std::span<const int64_t> examples) const {
    std::vector<float> some;
    for (const int64_t n : examples) {
      const auto row = targets.begin() + n * static_cast<int64_t>(width);
      some.insert(some.end(), row, row + static_cast<int64_t>(width));
    }
    return tensor_from(some, {static_cast<int64_t>(examples.size()), static_cast<int64_t>(width)});
  }
  Sentences texts_of(std::span<const int64_t> examples) const {
    std::vector<std::vector<int32_t>> some;
    for (const int64_t n : examples) some.emplace_back(texts[n].begin(), texts[n].end());
    return pad(some);
  }
};

struct ReadRows {
  const Tokenizer& tokenizer;
  const Labels& labels;
  int64_t longest;
  const std::string& path;

  void operator()(const TwoColumns& rows, const std::vector<bool>& held_out, LabelledRows& training,
                  LabelledRows& validation) const {
    auto encoded = tokenizer.encode_all(rows.second, {.add_special = false});
    for (size_t n = 0; n < encoded.size(); ++n) {
      LabelledRows& to = held_out[n] ? validation : training;
      to.cut += static_cast<int64_t>(encoded[n].size()) > longest;
      std::vector<int32_t> ids;
      for (const Token& token : cut_text(std::move(encoded[n]), longest, tokenizer)) ids.push_back(token.id);
      to.texts.add(ids);
      const std::vector<float> target = labels.target(rows.first[n], rows.lines[n], path);
      to.targets.insert(to.targets.end(), target.begin(), target.end());
    }
  }
};

// ---- defaults that depend on how much there is --------------------------------------------------------------------

void suggest_for_texts(Fields& fields, int64_t texts) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  const int64_t batch = texts < 5000 ? 32 : 64;
  fields.suggest("least", text(texts < 5000 ? 1 : 2));
  fields.suggest("batch", text(batch));
  // Small data wants many passes: some 2,000 steps, at least three passes.
  fields.suggest("epochs", text(std::clamp<int64_t>(2000 * batch / std::max<int64_t>(1, texts), 3, 40)));
  fields.suggest("patience", "8");
  fields.suggest("learning_rate", "0.002");
  fields.suggest("warm_up", "50");
}

// ---- the task -----------------------------------------------------------------------------------------------------

class ClassifyTask final : public TrainingTask {
 public:
  ClassifyTask(const ClassifyOptions& options, ClassificationModel run, LabelledRows training, LabelledRows validation,
               Json data)
      : run_(std::move(run)),
        training_(std::move(training)),
        validation_(std::move(validation)),
        data_(std::move(data)),
        how_{options.smoothing, class_weights(options.class_weights, run_.labels, training_.targets)},
        best_by_(options.best_by) {}

  std::string name() const override { return "classify"; }
  std::string model_name() const override { return run_.model->name(); }
  std::string unit() const override { return "texts"; }
  void save(const std::string& folder) const override { run_.save(folder); }
  Json data() const override { return data_; }

  Learner learner() const override {
    Learner learner{.weights = run_.model->weights()};
    for (int64_t n = 0; n < training_.size(); ++n) learner.lengths.push_back(training_.texts.length(n));
    learner.count = [](std::span<const int64_t> examples) { return static_cast<double>(examples.size()); };
    learner.loss = [this](std::span<const int64_t> examples) {
      const Tensor logits = run_.model->forward(training_.texts_of(examples), {.training = true}).logits;
      return run_.labels.loss(logits, training_.targets_of(examples), how_);
    };
    if (validation_.size() > 0) learner.validate = [this] { return validate(); };
    return learner;
  }

  std::vector<Measure> measure() const override { return seen_.measures; }
  std::vector<std::string> samples(int64_t count) const override {
    std::vector<std::string> lines;
    for (size_t n = 0; n < seen_.answers.size() && static_cast<int64_t>(n) < count; ++n)
      lines.push_back(fmt::format("{}  →  {}  ({})", run_.tokenizer.decode(validation_.texts[seen_.order[n]]),
                                  run_.labels.text_of(seen_.answers[n]),
                                  run_.labels.text_of(seen_.targets[static_cast<int64_t>(n)])));
    return lines;
  }

 private:
  double validate() const {
    const NoGrad scope;
    std::vector<int64_t> lengths;
    for (int64_t n = 0; n < validation_.size(); ++n) lengths.push_back(validation_.texts.length(n));
    std::vector<Tensor> batches;
    seen_ = {};
    for (const auto& batch : batches_by_length(lengths, {.examples = 64})) {
      batches.push_back(run_.model->forward(validation_.texts_of(batch)).logits);
      seen_.order.insert(seen_.order.end(), batch.begin(), batch.end());
    }
    const Tensor logits = concat(batches);
    seen_.answers = run_.labels.answers(logits), seen_.targets = validation_.targets_of(seen_.order);
    seen_.measures = run_.labels.measures(seen_.answers, seen_.targets);
    const double loss = run_.labels.loss(logits, seen_.targets, {}).item() / static_cast<double>(validation_.size());
    seen_.measures.insert(seen_.measures.begin(), {"validation_loss", loss});
    return seen_.by(best_by_);
  }

  // Held-out texts as the last validation saw them.
  struct Seen {
    std::vector<int64_t> order;
    std::vector<Answer> answers;
    Tensor targets;
    std::vector<Measure> measures;

    // Less is better.
    double by(BestLabelsBy measure) const {
      if (measure == BestLabelsBy::loss) return measures[0].value;
      const auto of = std::find_if(measures.begin(), measures.end(),
                                   [&](const Measure& each) { return each.name == field_text(measure); });
      return measure == BestLabelsBy::mae ? of->value : -of->value;
    }
  };

  ClassificationModel run_;
  LabelledRows training_, validation_;
  Json data_;
  Labels::Loss how_;
  BestLabelsBy best_by_;
  mutable Seen seen_;
};

void check_best_by(BestLabelsBy by, LabelKind kind) {
  using enum BestLabelsBy;
  const std::vector<BestLabelsBy> of_kind = kind == LabelKind::single  ? std::vector{loss, accuracy, f1}
                                            : kind == LabelKind::multi ? std::vector{loss, exact, f1, macro_f1}
                                                                       : std::vector{loss, mae, r2};
  std::vector<std::string> names;
  for (const BestLabelsBy each : of_kind) names.push_back(field_text(each));
  if (std::find(of_kind.begin(), of_kind.end(), by) == of_kind.end()) refuse_choice("best_by", field_text(by), names);
}

char separator_of(const ClassifyOptions& o) {
  check(o.separator.size() == 1, "separator", "got '{}', wanted one character", o.separator);
  return o.separator[0];
}

Json counted(const Labels& labels, const std::vector<float>& targets) {
  if (labels.kind() == LabelKind::regression) return nullptr;
  std::vector<int64_t> counts(labels.names().size());
  for (size_t n = 0; n < targets.size(); ++n)
    if (labels.kind() == LabelKind::single)
      ++counts[static_cast<size_t>(targets[n])];
    else
      counts[n % counts.size()] += targets[n] > 0.5f;
  Json by_name = Json::object();
  for (size_t n = 0; n < counts.size(); ++n) by_name[labels.names()[n]] = counts[n];
  return by_name;
}

std::optional<WordVectors> vectors_of(const ClassifyOptions& options, const Tokenizer& tokenizer) {
  if (options.vectors.empty()) return {};
  return load_word_vectors(options.vectors, {.wanted = &tokenizer});
}

// A model whose words are as wide as the vectors, unless another width was asked for.
std::unique_ptr<TextClassifier> make(Fields& fields, const Tokenizer& tokenizer, const Labels& labels,
                                     const std::optional<WordVectors>& vectors, int64_t texts) {
  const ModelInfo model = chosen_model(fields, classify_models());
  if (vectors)
    fields.suggest(has_field(model, "embedding") ? "embedding" : "width", std::to_string(vectors->vectors.dim(1)));
  fields.suggest("width", std::to_string(texts < 5000 ? 64 : texts < 200'000 ? 128 : 256));
  auto its = take_fields(fields, model);
  its["words"] = std::to_string(tokenizer.size()), its["classes"] = std::to_string(labels.outputs());
  return make_classifier(model.name, its);
}

// The number of words without a vector.
size_t put_in(const WordVectors& vectors, const Tokenizer& tokenizer, Tensor embedding) {
  check(embedding.dim(1) == vectors.vectors.dim(1), "vectors", "they are {} wide, the words of the model {}",
        vectors.vectors.dim(1), embedding.dim(1));
  const WordEmbedding words = embedding_of(tokenizer, vectors);
  embedding.copy_from(words.weight);
  return words.missing.size();
}

}  // namespace

TwoColumnReader open_labelled(const LabelledOptions& options, const std::string& path, LabelKind kind) {
  check(!path.empty(), "classify", "it wants --data FILE");
  return {options,
          {path},
          {"LABEL,TEXT", "label and text", "separate them by a tab, or say where they are with --columns LABEL,TEXT",
           kind == LabelKind::multi}};
}

std::vector<ModelField> classify_fields() { return all_fields_of<ClassifyOptions, ReadingTokenOptions>(); }
std::vector<ModelInfo> classify_models() { return without_fields(classifiers(), {"words", "classes"}); }

std::unique_ptr<TrainingTask> classify_task(Fields& fields, const std::string& folder) {
  const auto options = fields.take<ClassifyOptions>();
  check_best_by(options.best_by, options.kind);
  const HeldOut held = parse_held_out(options.validation);
  const auto seed = static_cast<uint64_t>(fields.take<FitOptions>().seed);
  TwoColumnReader reader = open_labelled(options, options.data, options.kind);
  TwoColumns first = reader.next(kLearnedFrom);
  if (first.size() == 0) throw Error(ErrorKind::data, options.data, "holds no labelled texts");
  const int64_t texts = first.size();
  suggest_for_texts(fields, texts);

  const Labels labels = folder.empty()
                            ? Labels::of(options.kind, separator_of(options), first.first, first.lines, options.data)
                            : Labels::from_fields(read_configuration(folder).fields, RunPaths{folder}.config());
  check(labels.kind() == options.kind, "kind", "got {}, but {} knows labels that are {}", field_text(options.kind),
        folder, field_text(labels.kind()));
  const auto tokens = fields.take<ReadingTokenOptions>();
  const Tokenizer tokenizer =
      folder.empty() ? make_tokenizer(first.second, tokens) : load_tokenizer(folder, "tokenizer");
  LabelledRows training{.width = labels.width()}, validation{.width = labels.width()};
  const auto take_from = [&](const std::string& path) {
    return [&, path](const TwoColumns& rows, const std::vector<bool>& held_out) {
      ReadRows{tokenizer, labels, options.longest, path}(rows, held_out, training, validation);
    };
  };
  read_all(reader, std::move(first), held, seed, take_from(options.data));
  if (!held.file.path.empty()) {
    const TwoColumns all = open_labelled(options, held.file.path, options.kind).next(kLearnedFrom);
    take_from(held.file.path)(all, std::vector<bool>(static_cast<size_t>(all.size()), true));
  }

  const auto vectors = vectors_of(options, tokenizer);
  heed::seed(seed);
  ClassificationModel run{make(fields, tokenizer, labels, vectors, texts), tokenizer, labels, options.longest};
  Json data = {{"texts", training.size()},
               {"held_out", validation.size()},
               {"cut", training.cut + validation.cut},
               {"bad_lines", reader.bad().count},
               {"labels", counted(labels, training.targets)}};
  if (vectors) data["words_without_vector"] = put_in(*vectors, tokenizer, run.model->embedding());
  if (options.frozen) run.model->embedding().requires_grad(false);
  return std::make_unique<ClassifyTask>(options, std::move(run), std::move(training), std::move(validation),
                                        std::move(data));
}

}  // namespace heed
