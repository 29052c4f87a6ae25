#include "tasks/classify.h"

#include <heed/text.h>

#include <fstream>

#include "support/close.h"
#include "support/files.h"
#include "support/training.h"
#include "tasks/classification.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

using testing::close;
using testing::file_content;
using testing::Folder;
using testing::Given;
using testing::refused;
using testing::write_file;

TrainingProgress train(const std::string& run, const Given& given) { return testing::train("classify", run, given); }

std::vector<Row> reviews(int64_t lines, uint64_t seed) { return made_data("reviews", lines, {.seed = seed}); }
std::string tsv(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) text += row.values[0] + "\t" + row.values[1] + "\n";
  return text;
}

// Of texts that no training has seen.
double accuracy(const ClassificationModel& model, const std::vector<Row>& rows) {
  std::vector<std::string> texts;
  for (const Row& row : rows) texts.push_back(row.values[1]);
  const std::vector<Classification> said = model.classify(texts);
  double right = 0;
  for (size_t n = 0; n < rows.size(); ++n) right += said[n].labels.at(0) == rows[n].values[0];
  return right / static_cast<double>(rows.size());
}

// Labels hang on a negation and on who speaks: bags of words do not tell.
TEST(Classify, LearnsReviews) {
  const Folder folder;
  write_file(folder / "reviews.tsv", tsv(reviews(4000, 1)));
  train(folder / "run", {{"data", folder / "reviews.tsv"}, {"epochs", "6"}, {"seed", "3"}});
  EXPECT_GE(accuracy(ClassificationModel::load(folder / "run"), reviews(500, 2)), 0.95);

  write_file(folder / "unseen.tsv", tsv(reviews(500, 2)));
  train(folder / "short", {{"data", folder / "reviews.tsv"}, {"steps", "5"}});
  Fields options({{"data", folder / "unseen.tsv"}});
  const Comparison comparison = compare_runs(std::vector<std::string>{folder / "short", folder / "run"}, options);
  EXPECT_EQ(comparison.rows.at(0).figure, "accuracy");
  EXPECT_GT(comparison.rows.at(1).value, comparison.rows.at(0).value);
  EXPECT_LT(comparison.rows.at(1).p_value, 0.01);
}

TEST(Classify, SaysWhichBytesCounted) {
  const Folder folder;
  write_file(folder / "reviews.tsv", tsv(reviews(200, 1)));
  train(folder / "run", {{"data", folder / "reviews.tsv"}, {"steps", "3"}});
  const ClassificationModel model = ClassificationModel::load(folder / "run");
  const std::vector<std::string> texts = {"the food was not good .", "", "服务很好。"};
  const auto said = model.classify(texts, true);
  ASSERT_EQ(said.size(), 3u);
  for (size_t n = 0; n < texts.size(); ++n) {
    double sum = 0;
    for (const TokenWeight& each : said[n].weights) sum += each.weight;
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_NEAR(said[n].values[0] + said[n].values[1], 1, 1e-5);
  }
  ASSERT_GE(said[0].weights.size(), 5u);
  const TokenWeight third = said[0].weights[3];
  EXPECT_EQ(texts[0].substr(static_cast<size_t>(third.begin), static_cast<size_t>(third.end - third.begin)), "not");
  EXPECT_EQ(said[1].weights.size(), 1u);
  EXPECT_TRUE(model.classify(texts)[0].weights.empty());
  const auto alone = model.classify(std::vector<std::string>{texts[2]}, true);
  EXPECT_TRUE(close(alone[0].values, said[2].values, 1e-5));
}

// Every kind of label, both models and all sorts of files come to a run that is read again.
void train_and_load(const Given& more, const std::string& file, const std::string& content, LabelKind kind) {
  const Folder folder;
  write_file(folder / file, content);
  Given given = {{"data", folder / file}, {"steps", "4"}, {"width", "16"}, {"validation", "0.3"}};
  given.insert(more.begin(), more.end());
  train(folder / "run", given);
  const ClassificationModel model = ClassificationModel::load(folder / "run");
  EXPECT_EQ(model.labels.kind(), kind);
  EXPECT_EQ(model.classify(std::vector<std::string>{"a", "b c"}).size(), 2u);
}

std::string repeated(const std::string& lines) {
  std::string all;
  for (int n = 0; n < 10; ++n) all += lines;
  return all;
}

TEST(Classify, ReadsLabelsOfEveryKindFromFilesOfEveryKind) {
  train_and_load({{"kind", "multi"}, {"separator", "|"}}, "data.tsv", repeated("x|y\ta b\n\tc\ny\tb\n"),
                 LabelKind::multi);
  train_and_load({{"kind", "regression"}, {"model", "encoder-classifier"}, {"heads", "4"}}, "data.tsv",
                 repeated("1\ta b\n3.5\tc\n-2\tb\n"), LabelKind::regression);
  train_and_load({{"columns", "label,text"}, {"class_weights", "balanced"}}, "data.csv",
                 "text,label\n" + repeated("\"a, b\",x\nc,y\n"), LabelKind::single);
  train_and_load({{"columns", "label,text"}, {"smoothing", "0.1"}}, "data.jsonl",
                 repeated("{\"text\":\"a\",\"label\":\"x\"}\n{\"label\":\"y\",\"text\":\"b\"}\n"), LabelKind::single);
}

TEST(Classify, TheBestAreThoseOfTheFigureThatWasAskedFor) {
  const Folder folder;
  write_file(folder / "reviews.tsv", tsv(reviews(300, 1)));
  const Given given = {{"data", folder / "reviews.tsv"}, {"width", "16"}, {"steps", "60"}, {"validate_every", "5"}};
  const auto best_by = [&](const char* figure) {
    Given all = given;
    all["best_by"] = figure;
    train(folder / figure, all);
    double most = -1;
    std::ifstream lines(folder / (std::string(figure) + "/metrics.jsonl"));
    for (std::string line; std::getline(lines, line);)
      if (const Json json = Json::parse(line); json.contains("accuracy"))
        most = std::max(most, json["accuracy"].get<double>());
    const double at_best = best_validation(folder / figure)["accuracy"];
    return std::pair(at_best, most);
  };
  const auto [at_best, most] = best_by("accuracy");
  EXPECT_EQ(at_best, most);
  EXPECT_TRUE(refused(ErrorKind::usage, {"best_by", "mae", "accuracy"}, [&] { best_by("mae"); }));
}

TEST(Classify, GoesOnWhereItStopped) {
  const Folder folder;
  write_file(folder / "reviews.tsv", tsv(reviews(300, 1)));
  const Given given = {{"data", folder / "reviews.tsv"}, {"width", "16"}, {"epochs", "2"}};
  train(folder / "whole", given);
  int64_t steps = 0;
  const RunWatchers stopped = {.on_step = [&](const StepReport& report) { steps = report.progress.step; },
                               .stop = [&] { return steps == 11; }};
  EXPECT_EQ(testing::train("classify", folder / "parts", given, {}, stopped).step, 11);
  EXPECT_GT(train(folder / "parts", given).step, 11);
  const auto values = [](const std::string& run) {
    return ClassificationModel::load(run).classify(std::vector<std::string>{"it was good ."}).at(0).values;
  };
  EXPECT_TRUE(close(values(folder / "parts"), values(folder / "whole"), 0));
}

TEST(Classify, BeginsWithWordVectors) {
  const Folder folder;
  write_file(folder / "data.tsv", repeated("x\tcat\ny\tdog\n"));
  write_file(folder / "vectors.txt", "cat 1 2 3 4\ndog 5 6 7 8\n");
  for (const char* model : {"attention-classifier", "encoder-classifier"}) {
    const std::string run = folder / model;
    train(run, {{"data", folder / "data.tsv"},
                {"vectors", folder / "vectors.txt"},
                {"frozen", "true"},
                {"model", model},
                {"steps", "3"}});
    const ClassificationModel made = ClassificationModel::load(run);
    const auto id = made.tokenizer.id_of("dog");
    ASSERT_TRUE(id);
    EXPECT_TRUE(close(made.model->embedding()[*id].values(), std::vector<double>{5, 6, 7, 8}, 1e-6)) << model;
  }
  EXPECT_TRUE(refused(ErrorKind::usage, {"vectors", "4 wide", "8"}, [&] {
    train(folder / "other",
          {{"data", folder / "data.tsv"}, {"vectors", folder / "vectors.txt"}, {"embedding", "8"}, {"steps", "1"}});
  }));
}

TEST(Classify, BadDataIsRefusedWithASentence) {
  const Folder folder;
  const auto train_on = [&](const std::string& content, Given given = {}) {
    given["data"] = folder / "bad.tsv", given["steps"] = "1";
    return [&folder, content, given] {
      write_file(folder / "bad.tsv", content);
      train(folder / "run", given);
    };
  };
  EXPECT_TRUE(refused(ErrorKind::data, {"bad.tsv:2", "wanted 2"}, train_on("a\tx\njust text\n")));
  EXPECT_TRUE(refused(ErrorKind::data, {"bad.tsv:1", "label and text", "--columns"}, train_on("no label\nat all\n")));
  EXPECT_TRUE(refused(ErrorKind::data, {"bad.tsv", "1 different labels"}, train_on("a\tx\na\ty\n")));
  EXPECT_TRUE(refused(ErrorKind::data, {"holds no labelled texts"}, train_on("\tx\n")));
  EXPECT_TRUE(refused(ErrorKind::usage, {"separator"}, train_on("a\tx\nb\ty\n", {{"separator", "ab"}})));
  EXPECT_TRUE(refused(ErrorKind::usage, {"depth", "layers"}, train_on("a\tx\nb\ty\n", {{"depth", "2"}})));
  EXPECT_TRUE(refused(ErrorKind::usage, {"rnn-search", "attention-classifier"},
                      train_on("a\tx\nb\ty\n", {{"model", "rnn-search"}})));
  EXPECT_TRUE(refused(ErrorKind::usage, {"stems"}, train_on("a\tx\nb\ty\n", {{"tokens", "bpe"}, {"stem", "english"}})));
}

TEST(Classify, LabelsAndModelMustAgree) {
  const Folder folder;
  write_file(folder / "data.tsv", repeated("x\tcat\ny\tdog\n"));
  train(folder / "run", {{"data", folder / "data.tsv"}, {"steps", "1"}});
  const std::string path = folder / "run/config.json";
  Json config = read_json(path);
  EXPECT_EQ(config["id2label"], (Json{{"0", "x"}, {"1", "y"}}));
  EXPECT_EQ(config["problem_type"], "single_label_classification");
  config["id2label"]["2"] = "z";
  write_json(path, config);
  EXPECT_TRUE(refused(ErrorKind::format, {"config.json", "2 classes", "3"},
                      [&] { ClassificationModel::load(folder / "run"); }));
}

}  // namespace
}  // namespace heed
