#include "tasks/explained.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "base/check.h"

namespace heed {
namespace {

using Ids = std::vector<int32_t>;
using explain::Inquiry;
using explain::Seen;
using explain::Sides;

constexpr int64_t kAlternatives = 5;

Ids ids_of(const Tokenizer& tokenizer, const std::string& text, const char* what) {
  Ids ids = tokenizer.ids(text, {.add_special = false});
  check(!ids.empty(), "explain", "the {} is empty: there are no words to look at", what);
  return ids;
}

Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Tensor logits_of(const SequenceModel& model, const Sentences& source, const Ids& said) {
  const NoGrad scope;
  return model.read_out(model.forward(source, pad({said})).features)[0];
}

// ---- why this and not that --------------------------------------------------------------------------------------

constexpr const char* kLead = "the lead of this answer over that, log p - log p'";

Question last_part(const Question& question) {
  return {question.words, question.count,
          [question](int64_t copies, Watcher& watcher) {
            const Tensor all = question.answer(copies, watcher);
            return slice(all, 1, all.dim(1) - 1, all.dim(1));
          },
          question.scale};
}

// Why `next`? Where something is given instead: why its token and not the other's at the place where the two first
// part, which is where `next` ends then.
Inquiry inquiry_of(Ids& next, const Ids& instead, const std::function<Question(const Ids& next)>& question) {
  if (instead.empty()) return {question(next), question(next)};
  const auto [at, other] = std::mismatch(next.begin(), next.end(), instead.begin(), instead.end());
  check(at != next.end() && other != instead.end(), "instead", "the result and what might stand instead do not part");
  next.erase(at + 1, next.end());
  const Question why = last_part(question(next)), and_not = last_part(question({instead.begin(), other + 1}));
  return {contrast(why, and_not), why, kLead};
}

std::string title_of(const std::string& text, const std::string& result, const ExplainOptions& options) {
  return fmt::format("{} → {}{}", text, result, options.instead.empty() ? "" : ", not " + options.instead);
}

// ---- translations ---------------------------------------------------------------------------------------------------

// What the run says of the source, up to its end.
Ids translated(const TranslationModel& run, const Ids& source) {
  return search(*run.model, pad({source}), run.search_options({}))[0].at(0).ids;
}

// All that its beam ends with.
std::vector<explain::SeenAnswer> beam_of(const TranslationModel& run, const Ids& source) {
  SearchOptions options = run.search_options({});
  options.n_best = options.beam;
  std::vector<explain::SeenAnswer> answers;
  const Found found = search(*run.model, pad({source}), options);
  for (const Hypothesis& each : found[0])
    answers.push_back({tokens_of(run.target, each.ids), each.log_probabilities, each.score});
  return answers;
}

Ids with_end(const TranslationModel& run, const std::string& text, const char* what) {
  return joined(ids_of(run.target, text, what), {run.ends().end});
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

size_t label_named(const Labels& labels, const std::string& name, const char* what) {
  check(labels.kind() != LabelKind::regression, what,
        "got {}, but the run says numbers: there are no labels to ask for", name);
  const auto at = std::find(labels.names().begin(), labels.names().end(), name);
  check(at != labels.names().end(), what, "there is no label {}, only {}", name, fmt::join(labels.names(), ", "));
  return static_cast<size_t>(at - labels.names().begin());
}

size_t label_asked(const Labels& labels, const Answer& answer, const std::string& target) {
  if (!target.empty()) return label_named(labels, target, "target");
  return labels.kind() == LabelKind::regression ? 0 : most_likely(answer);
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
  Ids next = options.target.empty() ? translated(run, source) : with_end(run, options.target, "target");
  const Ids instead = options.instead.empty() ? Ids() : with_end(run, options.instead, "instead");
  const auto begun = [&](const Ids& ids) { return joined({run.ends().begin}, ids); };
  const Inquiry inquiry =
      inquiry_of(next, instead, [&](const Ids& ids) { return ask(*run.model, source, begun(ids)); });
  Ids said = begun(next);
  said.pop_back();

  enum Texts : size_t { kSource, kTarget, kRead };
  Seen seen{title_of(text, run.target.decode(next), options),
            run.model->name(),
            {{"source", tokens_of(run.source, source)},
             {"target", tokens_of(run.target, next)},
             {"read so far", tokens_of(run.target, said)}}};
  const auto sides = [](const std::string& place) -> Sides {
    if (place.starts_with("encoder")) return {kSource, kSource, Sides::Rows::all};
    return {kTarget, place.ends_with("self") ? kRead : kSource};
  };
  look(seen, inquiry, options, sides, kSource, kTarget);
  seen.steps = explain::steps_of(logits_of(*run.model, pad({source}), said), next, kAlternatives,
                                 [&](int32_t id) { return run.target.token_of(id); });
  if (options.target.empty()) seen.answers = beam_of(run, source);
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
    words.push_back(options.words
                        ? run.tokenizer.token_of(token.id)
                        : text.substr(static_cast<size_t>(token.begin), static_cast<size_t>(token.end - token.begin)));
  }
  const Answer answer = run.classify(std::vector<std::string>{text})[0];
  const size_t label = label_asked(run.labels, answer, options.target);
  const auto question = [&](size_t of) {
    return ask(*run.model, ids, static_cast<int64_t>(of), reading_of(run.labels.kind()));
  };
  Inquiry inquiry{question(label), question(label)};
  if (run.labels.kind() == LabelKind::regression) inquiry.figure = "the model's number";
  if (!options.instead.empty())
    inquiry = {contrast(inquiry.shown, question(label_named(run.labels, options.instead, "instead"))), inquiry.shown,
               kLead};

  enum Texts : size_t { kText, kAnswer };
  const explain::SeenStep step = step_of(run.labels, answer, label);
  Seen seen{title_of(text, step.token, options), run.model->name(), {{"text", words}, {"answer", {step.token}}}};
  const auto sides = [&](const std::string& place) -> Sides {
    if (place == "pooling") return {kAnswer, kText};
    return {kText, kText, front ? Sides::Rows::first : Sides::Rows::all};
  };
  look(seen, inquiry, options, sides, kText, kAnswer);
  seen.steps = {step};
  return seen;
}

Seen explained(const LanguageModel& run, const std::string& text, const ExplainOptions& options) {
  Ids ids = joined({run.ends().begin}, ids_of(run.tokenizer, text, "text"));
  const auto first = std::ssize(ids);
  const Sentences nothing = LanguageModel::no_source(1);
  Ids next;
  if (options.target.empty())
    next = {static_cast<int32_t>(argmax(logits_of(*run.model, nothing, ids)[first - 1], 0).value({}))};
  else
    next = ids_of(run.tokenizer, options.target, "target");
  const Ids instead = options.instead.empty() ? Ids() : ids_of(run.tokenizer, options.instead, "instead");
  const Inquiry inquiry =
      inquiry_of(next, instead, [&](const Ids& more) { return ask(*run.model, joined(ids, more), first); });
  ids = joined(ids, next);
  ids.pop_back();

  enum Texts : size_t { kText, kNext };
  Seen seen{title_of(text, run.tokenizer.decode(next), options),
            run.model->name(),
            {{"text", tokens_of(run.tokenizer, ids)}, {"next", tokens_of(run.tokenizer, next)}}};
  look(
      seen, inquiry, options,
      [](const std::string&) {
        return Sides{kText, kText};
      },
      kText, kNext);
  const Tensor logits = logits_of(*run.model, nothing, ids);
  seen.steps = explain::steps_of(slice(logits, 0, first - 1, logits.dim(0)), next, kAlternatives,
                                 [&](int32_t id) { return run.tokenizer.token_of(id); });
  return seen;
}

// ---- what rows of data ask ------------------------------------------------------------------------------------------

std::vector<Question> questions_of(const TranslationModel& run, const Pairs& pairs) {
  const Ends ends = run.ends();
  std::vector<Question> questions;
  for (size_t n = 0; n < pairs.source.size(); ++n) {
    const Ids source = joined(run.source.ids(pairs.source[n], {.add_special = false}), {run.source_end()});
    const Ids target = joined(run.target.ids(pairs.target[n], {.add_special = false}), {ends.end});
    if (std::ssize(source) <= run.longest && std::ssize(target) <= run.longest)
      questions.push_back(ask(*run.model, source, joined({ends.begin}, target)));
  }
  return questions;
}

std::vector<Question> questions_of(const ClassificationModel& run, const TwoColumns& rows, const std::string& path) {
  std::vector<Question> questions;
  for (size_t n = 0; n < rows.first.size(); ++n) {
    Ids ids;
    for (const Token& token : run.tokens(rows.second[n])) ids.push_back(token.id);
    for (const size_t label : run.labels.held(rows.first[n], rows.lines[n], path))
      questions.push_back(ask(*run.model, ids, static_cast<int64_t>(label), reading_of(run.labels.kind())));
  }
  return questions;
}

std::vector<Question> questions_of(const LanguageModel& run, const std::vector<std::string>& texts) {
  TokenRows rows;
  run.add_rows(texts, rows);
  std::vector<Question> questions;
  for (int64_t n = 0; n < rows.size(); ++n)
    questions.push_back(ask(*run.model, Ids(rows[n].begin(), rows[n].end()), 1));
  return questions;
}

}  // namespace heed
