#include "tasks/translate.h"

#include <heed/base.h>
#include <heed/text.h>

#include <filesystem>

#include "support/files.h"
#include "support/training.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

using testing::Folder;
using testing::Given;
using testing::refused;
using testing::write_file;

TrainingProgress train(const std::string& run, const Given& given) {
  return testing::train("translate", run, given,
                        {{"tokens", "characters"}, {"width", "32"}, {"batch", "16"}, {"steps", "4"}});
}

// Copies of strings with a space between the letters, and where each letter comes from.
std::string copies(int64_t lines) {
  std::string text;
  for (const Row& row : made_data("copy", lines, {.length = Lengths{2, 6}}))
    text += row.values[0] + "\t" + row.values[1] + "\n";
  return text;
}
std::string diagonal(int64_t lines) {
  std::string text;
  for (const Row& row : made_data("copy", lines, {.length = Lengths{2, 6}})) {
    const auto letters = static_cast<size_t>((row.values[0].size() + 1) / 2);
    for (size_t n = 0; n < letters; ++n) text += fmt::format("{}-{} ", n, n);
    text += "\n";
  }
  return text;
}

TEST(Translate, OneVocabularyForBothSides) {
  const Folder folder;
  write_file(folder / "pairs.tsv", "a b\tc d\nb a\td c\na a\tc c\nb b\td d\n");
  train(folder / "run", {{"data", folder / "pairs.tsv"}, {"vocabularies", "joint"}});
  EXPECT_TRUE(std::filesystem::exists(folder / "run/tokenizer.json"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run/source.json"));
  const TranslationModel model = TranslationModel::load(folder / "run");
  EXPECT_EQ(model.source.id_of("c"), model.target.id_of("c"));
  EXPECT_TRUE(model.source.id_of("c") && model.target.id_of("a"));
  EXPECT_EQ(train(folder / "run", {{"steps", "6"}}).step, 6);  // goes on with it
}

TEST(Translate, OneTableOfOneVocabulary) {
  const Folder folder;
  write_file(folder / "pairs.tsv", copies(100));
  const Given with = {{"data", folder / "pairs.tsv"}, {"model", "transformer"}, {"layers", "1"}, {"heads", "2"}};
  for (const auto& [option, text] : Given{{"vocabularies", "joint"}, {"shared", "true"}}) {
    Given given = with;
    given[option] = text;
    train(folder / option, given);
    EXPECT_TRUE(read_json(folder / option + "/config.json").at("shared").get<bool>()) << option;
    EXPECT_TRUE(std::filesystem::exists(folder / option + "/tokenizer.json")) << option;
  }
}

// How much of its looks at the source the places of these copies spend on the letter that they copy.
double looks_right(const TranslationModel& model, const std::string& text) {
  const std::vector<int32_t> ids = model.source.ids(text, {.add_special = false});
  std::vector<int32_t> source = ids, said = model.target.ids(text, {.add_special = false});
  source.push_back(ends_of(model.source).end), said.insert(said.begin(), ends_of(model.target).begin);
  const Tensor weights = model.model->forward(pad({source}), pad({said}), {.weights = true}).weights;
  double right = 0, all = 0;
  for (size_t n = 0; n < text.size(); n += 2, ++all)
    right += weights.value({0, static_cast<int64_t>(n), static_cast<int64_t>(n)});
  return right / all;
}

TEST(Translate, LearnsWhereToLook) {
  const Folder folder;
  write_file(folder / "pairs.tsv", copies(400));
  write_file(folder / "links", diagonal(400));
  for (const char* model : {"rnn-search", "transformer"}) {
    Given given = {{"data", folder / "pairs.tsv"}, {"model", model},           {"steps", "150"},
                   {"learning_rate", "0.005"},     {"validate_every", "1000"}, {"measured", "1"}};
    const std::string alone = folder / (std::string("alone-") + model),
                      guided = folder / (std::string("guided-") + model);
    train(alone, given);
    given["guided_alignment"] = folder / "links";
    train(guided, given);
    const double by_itself = looks_right(TranslationModel::load(alone), "a b c d"),
                 taught = looks_right(TranslationModel::load(guided), "a b c d");
    EXPECT_GT(taught, 0.35) << model << ", by itself " << by_itself;  // 0.2: everywhere alike
    EXPECT_GT(taught, 1.3 * by_itself) << model;
  }
}

TEST(Translate, GoesOnWithAlignments) {
  const Folder folder;
  write_file(folder / "pairs.tsv", copies(100));
  write_file(folder / "links", diagonal(100));
  train(folder / "run", {{"data", folder / "pairs.tsv"}, {"guided_alignment", folder / "links"}, {"steps", "3"}});
  EXPECT_GT(read_json(folder / "run/heed.json")["data"]["links"], 100);
  EXPECT_EQ(train(folder / "run", {{"steps", "6"}}).step, 6);
  write_file(folder / "links", diagonal(99) + "\n");
  EXPECT_TRUE(refused(ErrorKind::data, {"other data", "links"}, [&] { train(folder / "run", {{"steps", "9"}}); }));
}

TEST(Translate, RefusesAlignmentsThatDoNotFit) {
  const Folder folder;
  write_file(folder / "pairs.tsv", copies(10));
  const auto wrong = [&](const std::string& links, const Given& more, ErrorKind kind,
                         const std::vector<std::string>& parts) {
    write_file(folder / "links", links);
    Given given = {{"data", folder / "pairs.tsv"}, {"guided_alignment", folder / "links"}};
    given.insert(more.begin(), more.end());
    return refused(kind, parts, [&] { train(folder / "run", given); });
  };
  EXPECT_TRUE(wrong(diagonal(9), {}, ErrorKind::data, {"links", "has 9 lines"}));
  EXPECT_TRUE(wrong(diagonal(11), {}, ErrorKind::data, {"links", "goes on after line 10"}));
  EXPECT_TRUE(wrong("0-0\n0-77\n", {}, ErrorKind::data, {"links:2", "place 77 of the target"}));
  EXPECT_TRUE(wrong(diagonal(10), {{"model", "plain-seq2seq"}}, ErrorKind::usage, {"plain-seq2seq", "alignments"}));
}

}  // namespace
}  // namespace heed
