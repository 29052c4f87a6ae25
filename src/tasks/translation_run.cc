// A translator in use: what it says, and what that is worth.
#include "tasks/translation_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "explain/alignment.h"
#include "generate/choices.h"
#include "tasks/explained.h"
#include "tasks/spoken.h"
#include "tasks/translate.h"
#include "tasks/translation.h"
#include "tensor/unicode.h"
#include "train/metrics/metrics.h"

namespace heed {
namespace {

using Json = nlohmann::json;

struct UnknownOptions {
  bool replace_unknown = false;
  void visit(auto&& field) {
    field("replace_unknown", replace_unknown, "unknown words become those of the source that were looked at");
  }
};

Json alignment_json(const Tensor& alignment) {
  Json rows = Json::array();
  for (int64_t t = 0; t < alignment.dim(0); ++t) {
    Json row = Json::array();
    for (const double weight : alignment[t].values()) row.push_back(std::round(weight * 1e4) / 1e4);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json details_of(const Translation& t, bool with_alignment) {
  Json json = {{"text", t.text},
               {"score", t.score},
               {"tokens", t.tokens},
               {"source_tokens", t.source_tokens},
               {"log_probabilities", t.log_probabilities}};
  if (with_alignment && t.alignment.defined()) json["alignment"] = alignment_json(t.alignment);
  if (!t.alternatives.empty()) json["alternatives"] = t.alternatives;
  return json;
}

Drawing drawing_of(const Translation& t) {
  if (!t.alignment.defined())
    return [](const explain::Paper& paper) {
      return wrapped("This model has no attention: there is nothing to draw.", paper.columns);
    };
  std::vector<std::string> words = t.tokens, source = t.source_tokens;
  if (!words.empty() && words.back() == "</s>") words.pop_back();
  source.back() = "⏎";
  return [words, source, weights = t.alignment.slice(0, 0, std::ssize(words))](const explain::Paper& paper) {
    return explain::alignment(weights, words, source, paper.ink, paper.columns);
  };
}

// Figures of a metric: the corpus' score and where 95 % of its resamples lie.
template <class Metric>
Figure figure_of(const std::string& name, const Metric& metric, const std::vector<std::string>& hypotheses,
                 const std::vector<metrics::References>& references) {
  const auto segments = metrics::segment_statistics(metric, hypotheses, references);
  const metrics::Interval about = metrics::interval(metrics::resampled(segments, metrics::score_of(metric)));
  return {name, metric.signature(references), metric.score(metrics::total(segments)), about.low, about.high};
}

Figure exact_match(const std::vector<std::string>& hypotheses, const std::vector<metrics::References>& references) {
  std::vector<double> exact;
  for (size_t n = 0; n < hypotheses.size(); ++n) exact.push_back(hypotheses[n] == references[n][0] ? 100 : 0);
  const auto mean = [&](double sum) { return sum / static_cast<double>(exact.size()); };
  const metrics::Interval about = metrics::interval(metrics::resampled(exact, mean));
  double all = 0;
  for (const double each : exact) all += each;
  return {"exact match", "the whole line", mean(all), about.low, about.high, "%"};
}

class TranslationRun final : public TrainedRun, public AnsweringRun {
 public:
  explicit TranslationRun(const std::string& folder) : run_(TranslationModel::load(folder)) {}

  std::vector<std::vector<Prediction>> predict(std::span<const std::string> inputs, Fields& fields,
                                               Showing showing) const override {
    const Manner manner = manner_of(fields, showing);
    std::vector<std::vector<Prediction>> predictions;
    for (auto& several : run_.translate(inputs, manner.search)) {
      predictions.emplace_back();
      for (Translation& one : several) predictions.back().push_back(shown(std::move(one), manner));
    }
    return predictions;
  }

  std::unique_ptr<Answers> answers() const override;

  Evaluation evaluate(Fields& fields) const override {
    const Pairs pairs = read_pairs(fields.take<PairOptions>());
    std::vector<std::string> said;
    for (const auto& of_one : predict(pairs.source, fields, Showing::text)) said.push_back(of_one.at(0).text);
    std::vector<metrics::References> wanted;
    for (const std::string& target : pairs.target) wanted.push_back({target});
    const metrics::Bleu bleu;
    const metrics::Chrf chrf;
    const metrics::Ter ter;
    return {{exact_match(said, wanted), figure_of("BLEU", bleu, said, wanted), figure_of("chrF", chrf, said, wanted),
             figure_of("TER", ter, said, wanted)},
            ""};
  }

  explain::Seen explain(const std::string& text, const ExplainOptions& options) const override {
    return explained(run_, text, options);
  }
  std::vector<Question> questions(Fields& fields, int64_t most) const override {
    return questions_of(run_, read_pairs(fields.take<PairOptions>(), most));
  }
  bool speaks() const override { return true; }
  const Tokenizer& tokenizer() const override { return run_.source; }

  // How the options ask for it.
  struct Manner {
    SearchOptions search;
    bool replaces_unknown = false, shows_alignment = false;
    Showing showing = Showing::text;
  };
  Prediction shown(Translation translation, const Manner& manner) const {
    if (manner.replaces_unknown) run_.replace_unknown(translation);
    Prediction prediction{translation.text, {}, {}};
    if (manner.showing == Showing::details) prediction.details = details_of(translation, manner.shows_alignment);
    if (manner.showing == Showing::drawing) prediction.drawing = drawing_of(translation);
    return prediction;
  }
  const TranslationModel& model() const { return run_; }

  static Manner manner_of(Fields& fields, Showing showing) {
    Manner manner{fields.take<SearchOptions>(), fields.take<UnknownOptions>().replace_unknown, false, showing};
    manner.shows_alignment = manner.search.alignment;
    manner.search.alignment |= manner.replaces_unknown || showing == Showing::drawing;
    return manner;
  }

 private:
  TranslationModel run_;
};

class TranslationAnswers final : public SpokenAnswers {
 public:
  explicit TranslationAnswers(const TranslationRun& run)
      : SpokenAnswers(*run.model().model, run.model().target), run_(run) {}

 private:
  Ids ids_of(const std::string& text) const override { return run_.model().source_ids(text); }
  Manner manner(Fields& fields, Showing showing) const override {
    const TranslationRun::Manner manner = TranslationRun::manner_of(fields, showing);
    return {run_.model().search_options(manner.search),
            [this, manner](const Hypothesis& hypothesis, const Ids& source) {
              Answered one{run_.shown(run_.model().translation_of(hypothesis, source), manner)};
              one.read = std::ssize(source);
              return one;
            }};
  }
  const TranslationRun& run_;
};

std::unique_ptr<Answers> TranslationRun::answers() const { return std::make_unique<TranslationAnswers>(*this); }

// ---- several runs
// ----------------------------------------------------------------------------------------------------

using Texts = std::vector<std::string>;

template <class Metric>
void add_rows(Comparison& comparison, const std::string& figure, const Metric& metric,
              std::span<const std::string> folders, const std::vector<Texts>& said,
              const std::vector<metrics::References>& wanted) {
  std::vector<double> first_resamples;
  double first = 0;
  for (size_t n = 0; n < folders.size(); ++n) {
    const auto segments = metrics::segment_statistics(metric, said[n], wanted);
    const double score = metric.score(metrics::total(segments));
    const std::vector<double> resamples = metrics::resampled(segments, metrics::score_of(metric));
    if (n == 0) first_resamples = resamples, first = score;
    const double p = n == 0 ? 1 : metrics::paired(first_resamples, resamples, score - first).p_value;
    comparison.rows.push_back({folders[n], figure, score, p});
  }
}

constexpr size_t kGroups = 6, kBar = 20;

// Pairs whose sources are of similar length, in bytes, and the BLEU of each run on them.
struct LengthGroup {
  size_t shortest = 0, longest = 0;
  std::vector<double> scores;
};
// In groups of equal size, the shortest first.
std::vector<LengthGroup> by_length(const Texts& source, const std::vector<Texts>& said,
                                   const std::vector<metrics::References>& wanted) {
  std::vector<size_t> order(source.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return source[a].size() < source[b].size(); });
  const metrics::Bleu bleu;
  std::vector<LengthGroup> groups;
  for (size_t group = 0; group < kGroups; ++group) {
    const size_t begin = order.size() * group / kGroups, end = order.size() * (group + 1) / kGroups;
    if (begin == end) continue;
    groups.push_back({source[order[begin]].size(), source[order[end - 1]].size(), {}});
    for (const Texts& of_run : said) {
      metrics::Bleu::Statistics sum;
      for (size_t n = begin; n < end; ++n) sum += bleu.stats(of_run[order[n]], wanted[order[n]]);
      groups.back().scores.push_back(bleu.score(sum));
    }
  }
  return groups;
}

constexpr const char* kByLength = "BLEU by length of the source, in bytes";

// A bar a run.
std::string drawing_of(const std::vector<LengthGroup>& groups, std::span<const std::string> folders) {
  std::string drawing = fmt::format("{}\n", kByLength);
  for (const LengthGroup& group : groups)
    for (size_t run = 0; run < folders.size(); ++run) {
      const double score = group.scores[run];
      std::string bar;
      for (size_t n = 0; n < kBar; ++n) bar += score * kBar > 100 * (static_cast<double>(n) + 0.5) ? "█" : "·";
      const std::string lengths = fmt::format("{}–{}", group.shortest, group.longest);
      drawing += fmt::format("{:>9}  {} {:5.1f}  {}\n", run == 0 ? lengths : "", bar, score, folders[run]);
    }
  return drawing;
}
explain::Chart chart_of(const std::vector<LengthGroup>& groups, std::span<const std::string> folders) {
  explain::Chart chart{.title = kByLength, .across = "bytes"};
  for (size_t run = 0; run < folders.size(); ++run) {
    explain::Curve curve{folders[run], {}};
    for (const LengthGroup& group : groups)
      curve.points.push_back({static_cast<double>(group.shortest + group.longest) / 2, group.scores[run]});
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

}  // namespace

std::unique_ptr<TrainedRun> translation_run(const std::string& folder) {
  return std::make_unique<TranslationRun>(folder);
}
Comparison compare_translations(std::span<const std::string> folders, Fields& fields) {
  const Pairs pairs = read_pairs(fields.take<PairOptions>());
  std::vector<metrics::References> wanted;
  for (const std::string& target : pairs.target) wanted.push_back({target});
  std::vector<Texts> said;
  for (const std::string& folder : folders) {
    said.emplace_back();
    for (const auto& best : TranslationRun(folder).predict(pairs.source, fields, Showing::text))
      said.back().push_back(best.at(0).text);
  }
  Comparison comparison;
  add_rows(comparison, "BLEU", metrics::Bleu(), folders, said, wanted);
  add_rows(comparison, "chrF", metrics::Chrf(), folders, said, wanted);
  const std::vector<LengthGroup> groups = by_length(pairs.source, said, wanted);
  comparison.drawing = drawing_of(groups, folders), comparison.chart = chart_of(groups, folders);
  return comparison;
}

std::vector<ModelField> translation_predict_fields() { return all_fields_of<SearchOptions, UnknownOptions>(); }
std::vector<ModelField> translation_evaluate_fields() {
  return all_fields_of<PairOptions, SearchOptions, UnknownOptions>();
}

}  // namespace heed
