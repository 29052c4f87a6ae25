#include "tasks/explained.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"

namespace heed {
namespace {

using Ids = std::vector<int32_t>;
using explain::Seen;
using explain::Sides;

constexpr int64_t kAlternatives = 5;

Ids ids_of(const Tokenizer& tokenizer, const std::string& text, const char* what) {
  Ids ids = tokenizer.ids(text, {.add_special = false});
  check(!ids.empty(), "explain", "the {} is empty: there are no words to look at", what);
  return ids;
}

Tensor logits_of(const SequenceModel& model, const Sentences& source, const Ids& said) {
  const NoGrad scope;
  return model.read_out(model.forward(source, pad({said})).features)[0];
}

// ---- translations ---------------------------------------------------------------------------------------------------

// What the run says of the source, up to its end.
Ids translated(const TranslationModel& run, const Ids& source) {
  return search(*run.model, pad({source}), run.search_options({}))[0].at(0).ids;
}

// ---- classes --------------------------------------------------------------------------------------------------------

Reading reading_of(LabelKind kind) {
  switch (kind) {
    case LabelKind::single: return Reading::one_label;
    case LabelKind::multi: return Reading::each_label;
    case LabelKind::regression: break;
  }
  return Reading::number;
}

size_t label_asked(const Labels& labels, const Answer& answer, const std::string& target) {
  if (labels.kind() == LabelKind::regression) {
    check(target.empty(), "target", "got {}, but the run says numbers: there are no labels to ask for", target);
    return 0;
  }
  if (target.empty()) return most_likely(answer);
  const auto at = std::find(labels.names().begin(), labels.names().end(), target);
  check(at != labels.names().end(), "target", "there is no label {}, only {}", target, fmt::join(labels.names(), ", "));
  return static_cast<size_t>(at - labels.names().begin());
}

explain::SeenStep step_of(const Labels& labels, const Answer& answer, size_t label) {
  if (labels.kind() == LabelKind::regression) return {labels.text_of(answer), 0, 0};
  explain::SeenStep step{labels.names()[label], answer.values[label], 0};
  for (size_t n = 0; n < answer.values.size(); ++n) {
    const double p = answer.values[n];
    step.entropy -= p > 0 ? p * std::log(p) : 0;
    step.alternatives.push_back({labels.names()[n], p});
  }
  std::stable_sort(step.alternatives.begin(), step.alternatives.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  return step;
}

}  // namespace

// Row t is the token that is said at step t, where the decoder has read what was said before it.
Seen explained(const TranslationModel& run, const std::string& text, const ExplainOptions& options) {
  ids_of(run.source, text, "text");
  const Ids source = run.source_ids(text);
  Ids next = options.target.empty() ? translated(run, source) : ids_of(run.target, options.target, "target");
  if (!options.target.empty()) next.push_back(run.ends().end);
  Ids said = {run.ends().begin};
  said.insert(said.end(), next.begin(), next.end());
  const Question question = ask(*run.model, source, said);
  said.pop_back();

  enum Texts : size_t { kSource, kTarget, kRead };
  Seen seen{fmt::format("{} → {}", text, run.target.decode(next)),
            run.model->name(),
            {{"source", tokens_of(run.source, source)},
             {"target", tokens_of(run.target, next)},
             {"read so far", tokens_of(run.target, said)}}};
  const auto sides = [](const std::string& place) -> Sides {
    if (place.starts_with("encoder")) return {kSource, kSource, Sides::Rows::all};
    return {kTarget, place.ends_with("self") ? kRead : kSource};
  };
  look(seen, question, options, sides, kSource, kTarget);
  seen.steps = explain::steps_of(logits_of(*run.model, pad({source}), said), next, kAlternatives,
                                 [&](int32_t id) { return run.target.token_of(id); });
  return seen;
}

Seen explained(const ClassificationModel& run, const std::string& text, const ExplainOptions& options) {
  ids_of(run.tokenizer, text, "text");
  Ids ids;
  const bool front = run.model->configuration()["pool"] == "first" && run.model->name() == "encoder-classifier";
  std::vector<std::string> words;
  if (front) words.emplace_back("⟨whole⟩");
  for (const Token& token : run.tokens(text)) {
    ids.push_back(token.id);
    words.push_back(text.substr(static_cast<size_t>(token.begin), static_cast<size_t>(token.end - token.begin)));
  }
  const Answer answer = run.classify(std::vector<std::string>{text})[0];
  const size_t label = label_asked(run.labels, answer, options.target);
  const Question question = ask(*run.model, ids, static_cast<int64_t>(label), reading_of(run.labels.kind()));

  enum Texts : size_t { kText, kAnswer };
  const explain::SeenStep step = step_of(run.labels, answer, label);
  Seen seen{fmt::format("{} → {}", text, step.token), run.model->name(), {{"text", words}, {"answer", {step.token}}}};
  const auto sides = [&](const std::string& place) -> Sides {
    if (place == "pooling") return {kAnswer, kText};
    return {kText, kText, front ? Sides::Rows::first : Sides::Rows::all};
  };
  look(seen, question, options, sides, kText, kAnswer);
  seen.steps = {step};
  return seen;
}

Seen explained(const LanguageModel& run, const std::string& text, const ExplainOptions& options) {
  Ids ids = {run.ends().begin};
  const Ids begun = ids_of(run.tokenizer, text, "text");
  ids.insert(ids.end(), begun.begin(), begun.end());
  const auto first = std::ssize(ids);
  const Sentences nothing = LanguageModel::no_source(1);
  Ids next;
  if (options.target.empty())
    next = {static_cast<int32_t>(argmax(logits_of(*run.model, nothing, ids)[first - 1], 0).value({}))};
  else
    next = ids_of(run.tokenizer, options.target, "target");
  ids.insert(ids.end(), next.begin(), next.end());
  const Question question = ask(*run.model, ids, first);
  ids.pop_back();

  enum Texts : size_t { kText, kNext };
  Seen seen{fmt::format("{} → {}", text, run.tokenizer.decode(next)),
            run.model->name(),
            {{"text", tokens_of(run.tokenizer, ids)}, {"next", tokens_of(run.tokenizer, next)}}};
  look(
      seen, question, options,
      [](const std::string&) {
        return Sides{kText, kText};
      },
      kText, kNext);
  const Tensor logits = logits_of(*run.model, nothing, ids);
  seen.steps = explain::steps_of(slice(logits, 0, first - 1, logits.dim(0)), next, kAlternatives,
                                 [&](int32_t id) { return run.tokenizer.token_of(id); });
  return seen;
}

}  // namespace heed
