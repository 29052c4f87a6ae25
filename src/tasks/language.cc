#include "tasks/language.h"

#include <heed/base.h>
#include <heed/text.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "generate/choices.h"
#include "tasks/explained.h"
#include "tasks/language_model.h"
#include "tasks/model_choice.h"
#include "tasks/run_folder.h"
#include "tasks/spoken.h"
#include "tasks/two_columns.h"
#include "tensor/unicode.h"

namespace heed {
namespace {

// ---- training -------------------------------------------------------------------------------------------------------

// Defaults that depend on how much there is.
void suggest_for_language(Fields& fields, int64_t lines) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  fields.suggest("width", text(lines < 20'000 ? 128 : lines < 500'000 ? 256 : 512));
  fields.suggest("vocabulary", text(std::clamp<int64_t>(lines / 10, 300, 16'000)));
  const int64_t batch = 32;
  fields.suggest("batch", text(batch));
  fields.suggest("epochs", text(std::clamp<int64_t>(3000 * batch / std::max<int64_t>(1, lines), 3, 60)));
  fields.suggest("warm_up", "200");
}

class LanguageTask final : public TrainingTask {
 public:
  LanguageTask(const LanguageOptions& options, LanguageModel run, TokenRows training, TokenRows validation, Json data)
      : options_(options),
        run_(std::move(run)),
        training_(std::move(training)),
        validation_(std::move(validation)),
        data_(std::move(data)) {}

  std::string name() const override { return "lm"; }
  std::string model_name() const override { return run_.model->name(); }
  void save(const std::string& folder) const override { run_.save(folder); }
  Json data() const override { return data_; }

  Learner learner() const override {
    Learner learner;
    learner.weights = run_.model->weights(), learner.packed = options_.packed;
    for (int64_t n = 0; n < training_.size(); ++n) learner.lengths.push_back(training_.length(n) - 1);
    learner.count = [this](std::span<const int64_t> examples) {
      double count = 0;
      for (const int64_t n : examples) count += static_cast<double>(training_.length(n) - 1);
      return count;
    };
    learner.loss = [this](std::span<const int64_t> examples) {
      return run_.loss(training_, examples, options_.packed, {.smoothing = options_.smoothing}, {.training = true});
    };
    if (validation_.size() > 0) learner.validate = [this] { return validate(); };
    return learner;
  }
  std::vector<Measure> measure() const override { return measures_; }
  std::vector<std::string> samples(int64_t count) const override {
    const std::vector<std::string> nothing(static_cast<size_t>(count));
    std::vector<std::string> lines;
    for (const auto& drawn : run_.go_on(nothing, {.strategy = Strategy::sample, .longest = 40, .temperature = 0.8}))
      lines.push_back(run_.tokenizer.decode(drawn.at(0).ids));
    return lines;
  }

 private:
  double validate() const {
    const double loss = run_.mean_loss(validation_);
    measures_ = {{"validation_loss", loss}, {"perplexity", std::exp(loss)}};
    return loss;
  }

  LanguageOptions options_;
  LanguageModel run_;
  TokenRows training_, validation_;
  Json data_;
  mutable std::vector<Measure> measures_;
};

constexpr int64_t kLinesAtOnce = 50'000;  // lines

// The texts of a file, piece by piece, without empty lines.
class TextReader {
 public:
  TextReader(const LineOptions& options, const std::string& path)
      : path_(path),
        lines_(read_lines(path, {.bad_lines = options.skip_bad_lines ? BadLines::skip : BadLines::refuse})) {}
  // None at the end; Error(data) where there are none at all.
  std::vector<std::string> next(int64_t most = kLinesAtOnce) {
    std::vector<std::string> texts;
    for (Row row; static_cast<int64_t>(texts.size()) < most && lines_.next(&row);)
      if (!row.values[0].empty()) texts.push_back(std::move(row.values[0]));
    if (texts.empty() && read_ == 0) throw Error(ErrorKind::data, path_, "holds no text");
    read_ += static_cast<int64_t>(texts.size());
    return texts;
  }
  const BadRows& bad() const { return lines_.bad(); }

 private:
  std::string path_;
  RowReader lines_;
  int64_t read_ = 0;
};

struct Parts {
  TokenRows training, validation;
  int64_t training_lines = 0, validation_lines = 0;

  void add(const LanguageModel& by, std::vector<std::string> texts, const std::vector<bool>& out) {
    std::vector<std::string> learned, held;
    for (size_t n = 0; n < texts.size(); ++n) (out[n] ? held : learned).push_back(std::move(texts[n]));
    by.add_rows(learned, training), by.add_rows(held, validation);
    training_lines += static_cast<int64_t>(learned.size()), validation_lines += static_cast<int64_t>(held.size());
  }
};
// What was read first and all that follows.
Parts read_parts(const LanguageModel& by, const LanguageOptions& options, TextReader& reader,
                 std::vector<std::string> texts, uint64_t seed) {
  const HeldOut held = parse_held_out(options.validation);
  Parts parts;
  for (int64_t read = 0; !texts.empty(); texts = reader.next()) {
    const auto count = static_cast<int64_t>(texts.size());
    parts.add(by, std::move(texts), held_out(read, count, held, seed));
    read += count;
  }
  if (held.file.path.empty()) return parts;
  TextReader dev(options, held.file.path);
  for (texts = dev.next(); !texts.empty(); texts = dev.next())
    parts.add(by, texts, std::vector<bool>(texts.size(), true));
  return parts;
}

// ---- in use ---------------------------------------------------------------------------------------------------------

class LanguageRun final : public TrainedRun, public AnsweringRun {
 public:
  explicit LanguageRun(const std::string& folder) : run_(LanguageModel::load(folder)) {}

  std::vector<std::vector<Prediction>> predict(std::span<const std::string> inputs, Fields& fields,
                                               Showing showing) const override {
    std::vector<std::vector<Prediction>> predictions;
    for (const auto& several : run_.go_on(inputs, search_options(fields))) {
      predictions.emplace_back();
      for (const Hypothesis& one : several) predictions.back().push_back(shown(one, showing));
    }
    return predictions;
  }
  std::unique_ptr<Answers> answers() const override;
  static SearchOptions search_options(Fields& fields) {
    Fields with_defaults = fields;
    with_defaults.suggest("strategy", "sample");
    fields.take<SearchOptions>();
    return with_defaults.take<SearchOptions>();
  }
  Prediction shown(const Hypothesis& one, Showing showing) const {
    Prediction prediction{run_.tokenizer.decode(one.ids), {}, {}};
    if (showing == Showing::details) prediction.details = details_of(one);
    if (showing == Showing::drawing)
      prediction.drawing = [](const explain::Paper& paper) {
        return wrapped("A language model has no source: there is nothing to draw.", paper.columns);
      };
    return prediction;
  }
  const LanguageModel& model() const { return run_; }

  bool speaks() const override { return true; }
  const Tokenizer& tokenizer() const override { return run_.tokenizer; }

  Evaluation evaluate(Fields& fields) const override {
    TextReader reader = open(fields);
    TokenRows rows;
    double tokens = 0, bytes = 0;
    for (auto texts = reader.next(); !texts.empty(); texts = reader.next()) {
      run_.add_rows(texts, rows);
      for (const std::string& text : texts) bytes += static_cast<double>(text.size() + 1);
    }
    for (int64_t n = 0; n < rows.size(); ++n) tokens += static_cast<double>(rows.length(n) - 1);
    const double loss = run_.mean_loss(rows), bits = loss * tokens / bytes / std::log(2.0);
    return {{{"perplexity", "a token", std::exp(loss)}, {"bits", "a byte", bits}}, ""};
  }

  explain::Seen explain(const std::string& text, const ExplainOptions& options) const override {
    return explained(run_, text, options);
  }
  std::vector<Question> questions(Fields& fields, int64_t most) const override {
    return questions_of(run_, open(fields).next(most));
  }

 private:
  static TextReader open(Fields& fields) {
    const auto options = fields.take<LineOptions>();
    check(!options.data.empty(), "lm", "it wants --data FILE");
    return {options, options.data};
  }
  Json details_of(const Hypothesis& one) const {
    Json tokens = Json::array();
    for (const int32_t id : one.ids) tokens.push_back(run_.tokenizer.token_of(id));
    Json json = {{"text", run_.tokenizer.decode(one.ids)},
                 {"score", one.score},
                 {"tokens", tokens},
                 {"prompt_tokens", one.forced},
                 {"log_probabilities", one.log_probabilities}};
    if (!one.alternatives.empty()) json["alternatives"] = might_be(run_.tokenizer, one);
    return json;
  }
  LanguageModel run_;
};

class LanguageAnswers final : public SpokenAnswers {
 public:
  explicit LanguageAnswers(const LanguageRun& run) : SpokenAnswers(*run.model().model, run.tokenizer()), run_(run) {}

 private:
  Ids ids_of(const std::string& text) const override { return run_.model().prompt_ids(text); }
  Manner manner(Fields& fields, Showing showing) const override {
    return {run_.model().search_options({}, LanguageRun::search_options(fields)),
            [this, showing](const Hypothesis& hypothesis, const Ids&) {
              Answered one{run_.shown(hypothesis, showing)};
              one.read = hypothesis.forced;
              return one;
            }};
  }
  const LanguageRun& run_;
};

std::unique_ptr<Answers> LanguageRun::answers() const { return std::make_unique<LanguageAnswers>(*this); }

}  // namespace

std::vector<ModelField> language_fields() {
  std::vector<ModelField> fields = fields_of<LanguageOptions>(), tokens = fields_of<TokenOptions>();
  fields.insert(fields.end(), tokens.begin(), tokens.end());
  return fields;
}

std::vector<ModelInfo> language_models() {
  std::vector<ModelInfo> found;
  for (const ModelInfo& model : models())
    if (!model.has_source) found.push_back(model);
  return without_fields(found, {"target_words"});
}

std::unique_ptr<TrainingTask> language_task(Fields& fields, const std::string& folder) {
  const auto options = fields.take<LanguageOptions>();
  check(!options.data.empty(), "lm", "it wants --data FILE to learn from");
  check(options.longest > 1, "longest", "got {}, wanted at least 2", options.longest);
  const auto seed = static_cast<uint64_t>(fields.take<FitOptions>().seed);
  TextReader reader(options, options.data);
  std::vector<std::string> texts = reader.next(kLearnedFrom);
  suggest_for_language(fields, static_cast<int64_t>(texts.size()));
  const auto tokens = fields.take<TokenOptions>();
  const Tokenizer tokenizer = folder.empty() ? make_tokenizer(texts, tokens) : load_tokenizer(folder, "tokenizer");

  const ModelInfo chosen = chosen_model(fields, language_models());
  auto model_fields = take_fields(fields, chosen);
  model_fields["target_words"] = std::to_string(tokenizer.size());
  heed::seed(seed);
  LanguageModel run{make_model(chosen.name, model_fields), tokenizer, options.longest};
  if (!folder.empty()) run.own_ends = ends_in(folder, tokenizer);
  check(!options.packed || run.model->reads_packed(), "packed", "{} reads a text a row", chosen.name);
  Parts parts = read_parts(run, options, reader, std::move(texts), seed);
  Json data = {{"lines", parts.training_lines},
               {"held_out", parts.validation_lines},
               {"examples", parts.training.size()},
               {"bad_lines", reader.bad().count}};
  return std::make_unique<LanguageTask>(options, std::move(run), std::move(parts.training), std::move(parts.validation),
                                        std::move(data));
}

std::unique_ptr<TrainedRun> language_run(const std::string& folder) { return std::make_unique<LanguageRun>(folder); }

Comparison compare_languages(std::span<const std::string> folders, Fields& fields) {
  Comparison comparison;
  for (const std::string& folder : folders)
    for (const Figure& figure : LanguageRun(folder).evaluate(fields).figures)
      comparison.rows.push_back({folder, figure.name, figure.value});
  return comparison;
}

std::vector<ModelField> language_predict_fields() { return fields_of<SearchOptions>(); }
std::vector<ModelField> language_evaluate_fields() { return fields_of<LineOptions>(); }

}  // namespace heed
