#include "tasks/translate.h"

#include <heed/base.h>

#include <algorithm>
#include <future>
#include <limits>

#include "base/check.h"
#include "tasks/model_choice.h"
#include "tasks/run_folder.h"
#include "tasks/token_rows.h"
#include "tasks/translation.h"
#include "train/batches.h"
#include "train/metrics/metrics.h"

namespace heed {
namespace {

constexpr TwoColumnReader::Words kWords = {"SOURCE,TARGET", "source and target",
                                           "separate them by a tab, or name two files with --data and --target-data"};

// ---- numbers ----------------------------------------------------------------------------------------------------

struct PairRows {
  TokenRows source, target;
  TokenRows links;  // of each pair, where an alignment is given
  int64_t too_long = 0;
  int64_t size() const { return source.size(); }
};

void add_tokens(TokenRows& rows, const std::vector<Token>& tokens) {
  std::vector<int32_t> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  rows.add(ids);
}

int64_t links_in(const PairRows& rows) {
  int64_t numbers = 0;
  for (int64_t n = 0; n < rows.links.size(); ++n) numbers += rows.links.length(n);
  return numbers / 2;
}

struct PairReading {
  const Tokenizers& by;
  int64_t longest;

  // alignment: of the pairs that are learned from, where there is one.
  void operator()(const TwoColumns& pairs, const std::vector<bool>& held_out, AlignmentFile* alignment,
                  PairRows& training, PairRows& validation) const {
    const EncodeOptions plain{.add_special = false};
    const auto source = by.source.encode_all(pairs.first, plain), target = by.target.encode_all(pairs.second, plain);
    for (size_t n = 0; n < source.size(); ++n) {
      PairRows& rows = held_out[n] ? validation : training;
      std::vector<Link> links;
      if (alignment)
        links = alignment->links(pairs.lines[n], {pairs.first[n], source[n]}, {pairs.second[n], target[n]});
      if (static_cast<int64_t>(std::max(source[n].size(), target[n].size())) >= longest) {
        ++rows.too_long;
        continue;
      }
      add_tokens(rows.source, source[n]), add_tokens(rows.target, target[n]);
      if (alignment) add_links(rows.links, links);
    }
  }
};

// ---- defaults that depend on how much there is --------------------------------------------------------------------

void suggest_for_pairs(Fields& fields, int64_t pairs) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  fields.suggest("width", text(pairs < 5000 ? 128 : pairs < 200'000 ? 256 : 512));
  fields.suggest("vocabulary", text(std::clamp<int64_t>(pairs / 10, 300, 16'000)));
  const int64_t batch = pairs < 5000 ? 32 : 64;
  fields.suggest("batch", text(batch));
  // Small data wants many passes: some 3,000 steps at least, and at least three passes.
  fields.suggest("epochs", text(std::clamp<int64_t>(3000 * batch / std::max<int64_t>(1, pairs), 3, 60)));
  fields.suggest("warm_up", "200");
}

// What a model that shares wants of the vocabularies, and what one vocabulary is for.
void suggest_sharing(Fields& fields, const ModelInfo& model) {
  if (!has_field(model, "shared")) return;
  if (fields.is("shared", "true")) fields.suggest("vocabularies", "joint");
  if (fields.is("vocabularies", "joint")) fields.suggest("shared", "true");
}

// ---- tokenisers ---------------------------------------------------------------------------------------------------

Tokenizers make_tokenizers(const TwoColumns& pairs, const TokenOptions& options, VocabularyKind kind) {
  if (kind == VocabularyKind::separate) {  // one beside the other
    auto source = std::async(std::launch::async, [&] { return make_tokenizer(pairs.first, options); });
    const Tokenizer target = make_tokenizer(pairs.second, options);
    return {source.get(), target};
  }
  std::vector<std::string> texts = pairs.first;
  texts.insert(texts.end(), pairs.second.begin(), pairs.second.end());
  const Tokenizer both = make_tokenizer(texts, options);
  return {both, both, VocabularyKind::joint};
}

std::optional<AlignmentFile> alignment_file(const TranslateOptions& options, const ModelInfo& model, int64_t above) {
  if (options.guided_alignment.empty()) return {};
  check(has_field(model, "guide"), model.name, "it does not learn from alignments");
  return AlignmentFile(options.guided_alignment, options.alignment_unit, above);
}

// ---- the task -----------------------------------------------------------------------------------------------------

class TranslateTask final : public TrainingTask {
 public:
  TranslateTask(TranslateOptions options, TranslationModel run, PairRows training, PairRows validation, Json data)
      : options_(std::move(options)),
        run_(std::move(run)),
        training_(std::move(training)),
        validation_(std::move(validation)),
        data_(std::move(data)),
        ends_(run_.ends()),
        source_end_(run_.source_end()) {}

  std::string name() const override { return "translate"; }
  std::string model_name() const override { return run_.model->name(); }
  void save(const std::string& folder) const override { run_.save(folder); }
  Json data() const override { return data_; }

  Learner learner() const override {
    Learner learner{.weights = run_.model->weights()};
    for (int64_t n = 0; n < training_.size(); ++n)
      learner.lengths.push_back(1 + std::max(training_.source.length(n), training_.target.length(n)));
    learner.count = [this](std::span<const int64_t> examples) { return count(training_, examples); };
    learner.loss = [this](std::span<const int64_t> examples) {
      return loss(training_, examples, options_.smoothing, {.training = true, .alignment = alignment(examples)});
    };
    if (validation_.size() > 0) learner.validate = [this] { return validate(); };
    return learner;
  }

  std::vector<Measure> measure() const override { return measured_.measures; }
  std::vector<std::string> samples(int64_t count) const override {
    std::vector<std::string> lines;
    for (size_t n = 0; n < measured_.said.size() && static_cast<int64_t>(n) < count; ++n)
      lines.push_back(fmt::format("{}  →  {}  ({})", measured_.source[n], measured_.said[n], measured_.wanted[n][0]));
    return lines;
  }

 private:
  static double count(const PairRows& rows, std::span<const int64_t> examples) {
    double count = 0;
    for (const int64_t n : examples) count += static_cast<double>(rows.target.length(n) + 1);
    return count;
  }

  // Undefined where none is given. The ends are guided by nothing.
  Tensor alignment(std::span<const int64_t> examples) const {
    if (training_.links.size() == 0) return {};
    int64_t source = 0, target = 0;
    for (const int64_t n : examples)
      source = std::max(source, training_.source.length(n)), target = std::max(target, training_.target.length(n));
    return alignment_of(training_.links, examples, target + 1, source + 1);
  }

  // Sources end in </s>; targets begin with <s>, and what comes next ends in </s>.
  Tensor loss(const PairRows& rows, std::span<const int64_t> examples, double smoothing, const Pass& pass) const {
    std::vector<std::vector<int32_t>> source, said, next;
    for (const int64_t n : examples) {
      const auto x = rows.source[n], y = rows.target[n];
      source.emplace_back(x.begin(), x.end()).push_back(source_end_);
      said.emplace_back(1, ends_.begin).insert(said.back().end(), y.begin(), y.end());
      next.emplace_back(y.begin(), y.end()).push_back(ends_.end);
    }
    const Decoded decoded = run_.model->forward(pad(source), pad(said), pass);
    const Tensor loss = run_.model->loss(decoded.features, pad(next, kIgnored).ids,
                                         {.smoothing = smoothing, .ignored = kIgnored, .reduction = Reduction::sum});
    return decoded.loss.defined() ? loss + decoded.loss : loss;
  }

  double validate() const {
    const NoGrad scope;
    std::vector<int64_t> lengths;
    for (int64_t n = 0; n < validation_.size(); ++n) lengths.push_back(1 + validation_.source.length(n));
    double sum = 0, targets = 0;
    for (const auto& batch : batches_by_length(lengths, {.examples = 64}))
      sum += loss(validation_, batch, 0, {}).item(), targets += count(validation_, batch);
    measured_ = translate_some();
    measured_.measures.insert(measured_.measures.begin(), {"validation_loss", sum / std::max(1.0, targets)});
    return measured_.by(options_.best_by);
  }

  // Some held-out pairs, translated greedily.
  struct Measured {
    std::vector<std::string> source, said;
    std::vector<metrics::References> wanted;
    std::vector<Measure> measures;
    // Less is better.
    double by(BestBy metric) const {
      if (metric == BestBy::loss) return measures[0].value;
      for (const Measure& measure : measures)
        if (measure.name == field_text(metric)) return -measure.value;
      return 0;
    }
  };
  Measured translate_some() const {
    Measured m;
    for (int64_t n = 0; n < std::min<int64_t>(options_.measured, validation_.size()); ++n) {
      m.source.push_back(run_.source.decode(validation_.source[n]));
      m.wanted.push_back({run_.target.decode(validation_.target[n])});
    }
    if (m.source.empty()) return m;
    int64_t exact = 0;
    for (const auto& best : run_.translate(m.source, {.strategy = Strategy::greedy})) {
      exact += best.at(0).text == m.wanted[m.said.size()][0];
      m.said.push_back(best.at(0).text);
    }
    const auto score = [&](const auto& metric) {
      return metric.score(metrics::total(metrics::segment_statistics(metric, m.said, m.wanted)));
    };
    m.measures = {{"exact", 100.0 * static_cast<double>(exact) / static_cast<double>(m.said.size())},
                  {"bleu", score(metrics::Bleu())},
                  {"chrf", score(metrics::Chrf())}};
    return m;
  }

  TranslateOptions options_;
  TranslationModel run_;
  PairRows training_, validation_;
  Json data_;
  Ends ends_;
  int32_t source_end_;
  mutable Measured measured_;
};

}  // namespace

Pairs read_pairs(const PairOptions& options, int64_t most) {
  check(!options.data.empty(), "translate", "it wants --data FILE");
  TwoColumnReader reader(options, {options.data, options.target_data}, kWords);
  TwoColumns pairs = reader.next(most);
  if (pairs.size() == 0) throw Error(ErrorKind::data, options.data, "holds no pairs of texts");
  return {std::move(pairs.first), std::move(pairs.second)};
}

std::vector<ModelField> translate_fields() { return all_fields_of<TranslateOptions, TokenOptions>(); }
std::vector<ModelInfo> translate_models() {
  std::vector<ModelInfo> with_source;
  for (const ModelInfo& info : models())
    if (info.has_source) with_source.push_back(info);
  return without_fields(std::move(with_source), {"source_words", "target_words"});
}

std::unique_ptr<TrainingTask> translate_task(Fields& fields, const std::string& folder) {
  const ModelInfo model = chosen_model(fields, translate_models());
  suggest_sharing(fields, model);
  const auto options = fields.take<TranslateOptions>();
  check(!options.data.empty(), "translate", "it wants --data FILE to learn from");
  const HeldOut held = parse_held_out(options.validation);
  const auto seed = static_cast<uint64_t>(fields.take<FitOptions>().seed);
  TwoColumnReader reader(options, {options.data, options.target_data}, kWords);
  std::optional<AlignmentFile> alignment = alignment_file(options, model, reader.lines_above());
  TwoColumns first = reader.next(kLearnedFrom);
  if (first.size() == 0) throw Error(ErrorKind::data, options.data, "holds no pairs of texts");
  suggest_for_pairs(fields, first.size());

  const auto tokens = fields.take<TokenOptions>();
  const Tokenizers by =
      folder.empty() ? make_tokenizers(first, tokens, options.vocabularies) : Tokenizers::load(folder);
  PairRows training, validation;
  const PairReading add{by, options.longest};
  const int64_t read = read_all(reader, std::move(first), held, seed, [&](const auto& pairs, const auto& out) {
    add(pairs, out, alignment ? &*alignment : nullptr, training, validation);
  });
  if (alignment) alignment->check_end();
  if (!held.file.path.empty()) {
    const TwoColumns all = TwoColumnReader(options, held.file, kWords).next(kLearnedFrom);
    add(all, std::vector<bool>(static_cast<size_t>(all.size()), true), nullptr, training, validation);
  }
  if (training.size() == 0)
    throw Error(ErrorKind::data, options.data,
                fmt::format("leaves nothing to learn from: {} pairs, {} of them longer than {} tokens", read,
                            training.too_long, options.longest));

  auto model_fields = take_fields(fields, model);
  model_fields["source_words"] = std::to_string(by.source.size());
  model_fields["target_words"] = std::to_string(by.target.size());
  heed::seed(seed);
  Json data = {{"pairs", training.size()},
               {"held_out", validation.size()},
               {"too_long", training.too_long + validation.too_long},
               {"bad_lines", reader.bad().count}};
  if (alignment) data["links"] = links_in(training);
  TranslationModel run{by, make_model(model.name, model_fields), options.longest};
  if (!folder.empty()) run.own_ends = ends_in(folder, by.target);
  return std::make_unique<TranslateTask>(options, std::move(run), std::move(training), std::move(validation),
                                         std::move(data));
}

}  // namespace heed
