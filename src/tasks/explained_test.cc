// What is shown of a run of each task: every number belongs to a token, and what makes no sense is refused.
#include "tasks/explained.h"

#include <heed/base.h>

#include <cstdlib>
#include <set>

#include "support/close.h"
#include "support/files.h"
#include "tasks/language.h"
#include "tasks/training_run.h"
#include "tasks/translate.h"

namespace heed {
namespace {

using explain::Seen;
using testing::Folder;
using testing::refused;
using testing::write_file;

[[maybe_unused]] const int kOneCore = setenv("HEED_THREADS", "1", 0);

using Given = std::map<std::string, std::string>;

const TaskRow& task(const std::string& name) {
  for (const TaskRow& row : tasks())
    if (row.name == name) return row;
  throw std::runtime_error(name);
}

// A run of a task, trained for a few steps on a few lines.
class Trained {
 public:
  Trained(const std::string& name, const std::string& lines, Given given) {
    write_file(folder_ / "data.tsv", lines);
    given.merge(Given{{"data", folder_ / "data.tsv"}, {"width", "16"}, {"steps", "4"}, {"validation", "0.25"}});
    train_run(task(name), Fields(given), folder_ / "run");
    run_ = load_run(folder_ / "run");
  }
  Seen explain(const std::string& text, const ExplainOptions& options = {}) const {
    return run_->explain(text, options);
  }
  std::vector<Question> questions(int64_t most) const {
    Fields fields({{"data", folder_ / "data.tsv"}});
    return run_->questions(fields, most);
  }

 private:
  Folder folder_;
  std::unique_ptr<TrainedRun> run_;
};

ExplainOptions asked(const std::string& target, const std::string& layer = "", int64_t head = -1) {
  ExplainOptions options;
  options.target = target, options.layer = layer, options.head = head;
  return options;
}

// Names and numbers belong together.
void expect_whole(const Seen& seen) {
  for (const explain::SeenAttention& each : seen.attention) {
    SCOPED_TRACE(each.name);
    ASSERT_EQ(each.weights.rank(), 3);
    EXPECT_EQ(each.weights.dim(1), std::ssize(seen.texts.at(each.queries).tokens));
    EXPECT_EQ(each.weights.dim(2), std::ssize(seen.texts.at(each.keys).tokens));
    if (!each.q.defined()) continue;
    EXPECT_EQ(each.q.shape(), (Shape{each.weights.dim(0), each.weights.dim(1), each.q.dim(2)}));
    EXPECT_EQ(each.k.shape(), (Shape{each.weights.dim(0), each.weights.dim(2), each.q.dim(2)}));
  }
  for (const explain::SeenScores& each : seen.scores) {
    SCOPED_TRACE(each.method);
    EXPECT_EQ(each.values.size(), seen.texts.at(each.text).tokens.size());
    EXPECT_EQ(each.each.dim(1), std::ssize(each.values));
    EXPECT_TRUE(each.each.dim(0) == 1 || each.each.dim(0) == std::ssize(seen.texts.at(each.of).tokens));
    EXPECT_TRUE(std::abs(each.comprehensiveness) <= 1 && std::abs(each.sufficiency) <= 1);
    for (const double tau : each.agreement) EXPECT_LE(std::abs(tau), 1);
  }
  for (const explain::SeenStep& each : seen.steps) {
    EXPECT_TRUE(each.probability > 0 && each.probability <= 1 && each.entropy >= 0);
    EXPECT_GE(each.alternatives.at(0).probability, each.probability - 1e-12);
  }
}

const std::string kPairs = "a b\tc d\nb a\td c\na a\tc c\nb b\td d\na b b\tc d d\nb a a\td c c\na\tc\nb\td\n";
const std::string kLabelled =
    "good\tit was a joy\nbad\tit was dull\ngood\ta joy\nbad\tdull and long\n"
    "good\twhat a joy\nbad\tso dull\ngood\tjoy\nbad\tdull\n";

TEST(Explained, TranslationsOfEveryModel) {
  for (const ModelInfo& model : translate_models()) {
    SCOPED_TRACE(model.name);
    const Trained run("translate", kPairs, {{"model", model.name}, {"tokens", "characters"}});
    const Seen seen = run.explain("a b b", asked("c d"));
    expect_whole(seen);
    EXPECT_EQ(seen.texts[0].tokens.back(), "</s>");
    EXPECT_EQ(seen.steps.size(), seen.texts[1].tokens.size());
    EXPECT_EQ(seen.scores.size(), model.name == "plain-seq2seq" ? 1u : 2u);
    EXPECT_TRUE(seen.answers.empty());  // another result was asked about
    const Seen own = run.explain("a b");
    expect_whole(own);
    EXPECT_EQ(std::ssize(own.answers), SearchOptions().beam);
    for (const explain::SeenAnswer& each : own.answers) EXPECT_EQ(each.tokens.size(), each.log_probabilities.size());
    for (size_t n = 1; n < own.answers.size(); ++n) EXPECT_GE(own.answers[n - 1].score, own.answers[n].score);
  }
}

TEST(Explained, LayersAndHeads) {
  const Trained run("translate", kPairs,
                    {{"model", "transformer"}, {"tokens", "characters"}, {"layers", "2"}, {"heads", "2"}});
  const auto shown = [&](const std::string& layer, int64_t head) {
    return run.explain("a b b", asked("c d", layer, head)).scores.at(0);
  };
  const Seen seen = run.explain("a b b", asked("c d"));
  EXPECT_EQ(seen.attention.size(), 6u);
  EXPECT_EQ(shown("", -1).method, "attention, decoder.1.cross, mean of 2");
  EXPECT_EQ(shown("decoder.0.cross", 1).method, "attention, decoder.0.cross, head 1");
  EXPECT_EQ(shown("0", -1).method, "attention, decoder.0.cross, mean of 2");
  EXPECT_EQ(shown("encoder.1.self", -1).each.dim(0), 1);
  for (const explain::SeenAttention& each : seen.attention)
    if (each.name == "decoder.0.cross") {
      EXPECT_TRUE(testing::close(shown(each.name, 1).each.values(), each.weights[1].values(), 1e-6));
    }
  const auto refuse = [&](const std::string& layer, int64_t head, const std::vector<std::string>& words) {
    return refused(ErrorKind::usage, words, [&] { shown(layer, head); });
  };
  EXPECT_TRUE(refuse("decoder.7.cross", -1, {"decoder.7.cross", "encoder.0.self", "decoder.1.cross", "0 to 1"}));
  EXPECT_TRUE(refuse("decoder.0.self", -1, {"decoder.0.self", "decoder.0.cross"}));  // it looks at what was said
  EXPECT_TRUE(refuse("2", -1, {"2", "0 to 1", "decoder.0.cross, decoder.1.cross"}));
  EXPECT_TRUE(refuse("", 2, {"head 2", "decoder.1.cross", "2"}));
  EXPECT_TRUE(refused(ErrorKind::usage, {"empty"}, [&] { run.explain("", {}); }));
}

std::vector<explain::Saliency> all_methods() {
  std::vector<explain::Saliency> all;
  for (const auto& [name, method] : names_of(explain::Saliency{})) all.push_back(method);
  return all;
}

TEST(Explained, MethodsDiffer) {
  const Trained run("translate", kPairs,
                    {{"model", "transformer"}, {"tokens", "characters"}, {"layers", "2"}, {"heads", "2"}});
  ExplainOptions options = asked("c d");
  options.method = all_methods();
  const Seen seen = run.explain("a b b", options);
  expect_whole(seen);
  std::set<std::vector<float>> values;
  for (size_t n = 0; n < seen.scores.size(); ++n) {
    values.insert(seen.scores[n].values);
    EXPECT_EQ(seen.scores[n].agreement.size(), n);
    EXPECT_EQ(seen.scores[n].completeness_error.has_value(), seen.scores[n].method == "integrated gradients");
  }
  EXPECT_EQ(values.size(), options.method.size());
}

TEST(Explained, AttentionStandsBesideSomethingElse) {
  const Trained run("translate", kPairs, {{"model", "rnn-search"}, {"tokens", "characters"}});
  ExplainOptions options = asked("c d");
  options.method = {explain::Saliency::attention};
  EXPECT_EQ(run.explain("a b b", options).scores.at(1).method, "gradients");
}

// Rows of attention stay rows of attention on their way through the layers.
TEST(Explained, RolloutSumsToOne) {
  const Trained run("translate", kPairs, {{"model", "transformer"}, {"tokens", "characters"}, {"layers", "2"}});
  for (const char* place : {"decoder.1.cross", "decoder.0.cross", "encoder.0.self"}) {
    ExplainOptions options = asked("c d", place);
    options.method = {explain::Saliency::rollout};
    const explain::SeenScores scores = run.explain("a b b", options).scores.at(1);
    EXPECT_EQ(scores.method, std::string("rollout, up to ") + place);
    for (const double row : sum(scores.each, {1}).values()) EXPECT_NEAR(row, 1, 1e-5);
  }
}

TEST(Explained, MethodsThatDoNotFitSayWhy) {
  const auto refuse = [](const char* model, explain::Saliency method, const std::vector<std::string>& words) {
    const Trained run("translate", kPairs, {{"model", model}, {"tokens", "characters"}});
    ExplainOptions options = asked("c d");
    options.method = {method};
    return refused(ErrorKind::usage, words, [&] { run.explain("a b b", options); });
  };
  EXPECT_TRUE(refuse("rnn-search", explain::Saliency::rollout, {"rollout", "each other", "recurrent"}));
  EXPECT_TRUE(refuse("plain-seq2seq", explain::Saliency::flow, {"flow", "attention to these words"}));
  EXPECT_TRUE(refuse("plain-seq2seq", explain::Saliency::gradient_attention, {"gradient_attention", "none"}));
}

TEST(Explained, MethodsByName) {
  const auto methods = [](const std::string& text) { return Fields({{"method", text}}).take<ExplainOptions>().method; };
  EXPECT_EQ(methods("rollout,occlusion"), (std::vector{explain::Saliency::rollout, explain::Saliency::occlusion}));
  EXPECT_TRUE(refused(ErrorKind::usage, {"roolout", "nearest is rollout"}, [&] { methods("roolout"); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"got ''"}, [&] { methods("rollout,"); }));
}

TEST(Explained, Heads) {
  const Trained run("translate", kPairs, {{"model", "transformer"}, {"tokens", "characters"}, {"heads", "2"}});
  ExplainOptions options = asked("c d");
  options.heads = true, options.counterfactual = {explain::OtherWeights::uniform};
  const Seen seen = run.explain("a b b", options);
  for (const explain::SeenAttention& each : seen.attention) EXPECT_EQ(each.importance.size(), 2u) << each.name;
  EXPECT_EQ(seen.counterfactuals.size(), seen.attention.size());
  for (const explain::SeenCounterfactual& each : seen.counterfactuals) EXPECT_EQ(each.weights, "uniform");
  EXPECT_EQ(seen.figure, "the answer's probability");
  options.instead = "c c";
  EXPECT_NE(counterfactuals_of(run.explain("a b b", options)).find("lead of this answer over that"), std::string::npos);
  EXPECT_TRUE(run.explain("a b b", asked("c d")).attention.at(0).importance.empty());
}

// Where the two part, and from the other side with the other sign.
TEST(Explained, WhyThisAndNotThat) {
  const Trained run("translate", kPairs, {{"model", "rnn-search"}, {"tokens", "characters"}});
  const auto contrasted = [&](const std::string& target, const std::string& instead) {
    ExplainOptions options = asked(target);
    options.instead = instead, options.method = {explain::Saliency::input_gradients};
    return run.explain("a b b", options);
  };
  const Seen one = contrasted("c d", "c c"), other = contrasted("c c", "c d");
  EXPECT_EQ(one.title, "a b b → c d, not c c");
  EXPECT_EQ(one.steps.size(), one.texts[1].tokens.size());
  EXPECT_EQ(one.scores.at(0).each.dim(0), 1);
  EXPECT_EQ(one.scores.at(0).values, other.scores.at(0).values);  // it looked before it said either
  std::vector<double> reversed;
  for (const float value : other.scores.at(1).values) reversed.push_back(-static_cast<double>(value));
  EXPECT_TRUE(testing::close(one.scores.at(1).each.values(), reversed, 1e-6));
  EXPECT_TRUE(refused(ErrorKind::usage, {"instead", "do not part"}, [&] { contrasted("c d", "c d"); }));
}

TEST(Explained, Classes) {
  for (const Given& given : std::vector<Given>{{{"model", "attention-classifier"}},
                                               {{"model", "attention-classifier"}, {"pool", "mean"}},
                                               {{"model", "encoder-classifier"}, {"pool", "first"}},
                                               {{"model", "encoder-classifier"}}}) {
    const Trained run("classify", kLabelled, given);
    const Seen seen = run.explain("it was a joy"), other = run.explain("it was a joy", asked("bad"));
    expect_whole(seen), expect_whole(other);
    EXPECT_EQ(other.texts[1].tokens, std::vector<std::string>{"bad"});
    EXPECT_EQ(other.steps.at(0).token, "bad");
    EXPECT_TRUE(refused(ErrorKind::usage, {"no label dull", "bad, good"}, [&] { run.explain("joy", asked("dull")); }));
    ExplainOptions contrast = asked("good");
    contrast.instead = "bad";
    EXPECT_EQ(run.explain("it was a joy", contrast).title, "it was a joy → good, not bad");
    EXPECT_TRUE(refused(ErrorKind::usage, {"empty"}, [&] { run.explain(" ", {}); }));
  }
}

TEST(Explained, Numbers) {
  const Trained run("classify", "1.5\ta joy\n-1\tdull\n2\tjoy joy\n0\tso long\n1\tjoy\n-2\tdull dull\n",
                    {{"kind", "regression"}});
  const Seen seen = run.explain("what a joy");
  EXPECT_EQ(seen.scores.at(0).values.size(), 3u);
  EXPECT_TRUE(refused(ErrorKind::usage, {"numbers"}, [&] { run.explain("joy", asked("1")); }));
}

// Rows of data ask why they say what they say.
TEST(Explained, RowsOfData) {
  const auto answers = [](const std::string& name, const std::string& lines, Given given, int64_t most) {
    const Trained run(name, lines, std::move(given));
    std::vector<double> all;
    for (const Question& question : run.questions(most)) {
      const NoGrad scope;
      Watcher nobody;
      const Tensor answer = question.answer(1, nobody);
      EXPECT_EQ(answer.dim(0), 1);
      all.push_back(mean(answer).item());
    }
    return all;
  };
  for (const double p : answers("translate", kPairs, {{"model", "transformer"}, {"tokens", "characters"}}, 3))
    EXPECT_LT(p, 0);
  EXPECT_EQ(answers("translate", kPairs, {{"tokens", "characters"}}, 3).size(), 3u);
  EXPECT_EQ(answers("translate", kPairs, {{"tokens", "characters"}, {"longest", "5"}}, 9).size(), 6u);
  EXPECT_EQ(answers("classify", kLabelled, {}, 100).size(), 8u);
  const std::string several = "a,b\tit was a joy\nb\tit was dull\n\ta joy\na\tdull and long\na\tjoy\nb\tdull\n";
  EXPECT_EQ(answers("classify", several, {{"kind", "multi"}}, 3).size(), 3u);
  EXPECT_EQ(answers("lm", "a b\nb a\na b a b\nb\nab\n", {{"tokens", "characters"}}, 2).size(), 2u);
}

TEST(Explained, WhatComesNext) {
  for (const ModelInfo& model : language_models()) {
    SCOPED_TRACE(model.name);
    const Trained run("lm", "a b a b a b\nb a b a b a\na b a b\nb a b a\nab ab\nba ba\n",
                      {{"model", model.name}, {"tokens", "characters"}});
    const Seen seen = run.explain("a b");
    expect_whole(seen);
    EXPECT_EQ(seen.texts[0].tokens.size(), 4u);  // <s> and three characters
    EXPECT_EQ(seen.steps.size(), 1u);
    const Seen asked_for = run.explain("a b", asked(" a"));
    expect_whole(asked_for);
    EXPECT_EQ(asked_for.steps.size(), 2u);
    EXPECT_EQ(asked_for.texts[0].tokens.size(), 5u);
  }
}

}  // namespace
}  // namespace heed
