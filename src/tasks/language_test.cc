#include "tasks/language.h"

#include <heed/text.h>

#include <filesystem>

#include "support/files.h"
#include "support/training.h"
#include "tasks/language_model.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

using testing::Folder;
using testing::Given;
using testing::refused;
using testing::write_file;

void train(const std::string& run, const Given& given) {
  testing::train("lm", run, given,
                 {{"tokens", "characters"}, {"width", "16"}, {"heads", "2"}, {"layers", "1"}, {"steps", "2"}});
}

// The file is read in pieces of 50,000 lines; empty ones are passed over.
TEST(Language, ReadsAllPieces) {
  const Folder folder;
  std::string text;
  for (int n = 0; n < 60'000; ++n) text += n % 6 == 5 ? "\n" : "ab\n";
  write_file(folder / "text", text);
  train(folder / "run", {{"data", folder / "text"}, {"validation", "1/10"}});
  const Json data = read_json(folder / "run/heed.json")["data"];
  EXPECT_EQ(data["lines"], 45'000);
  EXPECT_EQ(data["held_out"], 5'000);
  EXPECT_EQ(data["examples"], 45'000);

  Fields fields({{"data", folder / "text"}});
  const Evaluation evaluation = load_run(folder / "run")->evaluate(fields);
  EXPECT_GT(evaluation.figures.at(1).value, 0);
}

TEST(Language, HoldsOutAFile) {
  const Folder folder;
  write_file(folder / "text", "abc\nbca\ncab\n"), write_file(folder / "dev", "cba\n\nacb\n"),
      write_file(folder / "no", "\n");
  train(folder / "run", {{"data", folder / "text"}, {"validation", folder / "dev"}});
  const Json data = read_json(folder / "run/heed.json")["data"];
  EXPECT_EQ(data["lines"], 3);
  EXPECT_EQ(data["held_out"], 2);
  EXPECT_GT(best_validation(folder / "run")["perplexity"], 1.0);
  EXPECT_TRUE(refused(ErrorKind::data, {"no", "holds no text"}, [&] {
    train(folder / "other", {{"data", folder / "no"}});
  }));
}

// A text longer than what is read at once: each part goes on from as much of the ones before as the model remembers.
TEST(Language, PartsOfATextGoOnFromWhatIsRemembered) {
  const Folder folder;
  write_file(folder / "text", "abcdefg\nab\n");
  train(folder / "run", {{"data", folder / "text"}, {"model", "transformer-xl"}, {"memory", "3"}, {"longest", "2"}});
  const LanguageModel run = LanguageModel::load(folder / "run");
  TokenRows rows;
  run.add_rows(std::vector<std::string>{"abcdefg", "ab"}, rows);
  ASSERT_EQ(rows.size(), 6);  // <s>ab bcd def fg</s>, <s>ab b</s>
  const std::vector<int64_t> all = {0, 1, 2, 3, 4, 5};
  const Sentences before = run.before(rows, all);
  std::vector<std::string> texts;
  for (int64_t n = 0; n < rows.size(); ++n) {
    std::string text;
    for (int64_t t = 0; t < static_cast<int64_t>(before.lengths[n].item()); ++t)
      text += run.tokenizer.token_of(static_cast<int32_t>(before.ids[n][t].item()));
    texts.push_back(text);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"", "<s>a", "abc", "cde", "", "<s>a"}));
}

TEST(Language, LearnsFromLinesThatShareRows) {
  const Folder folder;
  write_file(folder / "text", "abc\nbca\ncab\nab\nabcabcabcabc\n");
  train(folder / "run", {{"data", folder / "text"}, {"longest", "8"}, {"packed", "true"}});
  EXPECT_TRUE(refused(ErrorKind::usage, {"packed", "transformer-xl reads a text a row"}, [&] {
    train(folder / "other", {{"data", folder / "text"}, {"packed", "true"}, {"model", "transformer-xl"}});
  }));
}

// Weights that hardly move are as good as those that they come from, on other data too.
TEST(Language, BeginsWithWhatAnotherRunLearned) {
  const Folder folder;
  write_file(folder / "text", "abc\nbca\ncab\nabc\n"), write_file(folder / "dev", "cab\n");
  write_file(folder / "other", "bac\nzzz\n");
  train(folder / "first",
        {{"data", folder / "text"}, {"validation", folder / "dev"}, {"steps", "30"}, {"width", "24"}});
  const Given given = {{"data", folder / "other"}, {"validation", folder / "dev"}, {"from", folder / "first"}};
  const auto begin_with = [&](const Given& more) {
    Given all = more;
    all.merge(Given(given));
    testing::train("lm", folder / "second", all, {{"learning_rate", "1e-12"}, {"steps", "1"}});
  };
  begin_with({});
  EXPECT_NEAR(best_validation(folder / "second")["validation_loss"],
              best_validation(folder / "first")["validation_loss"], 1e-6);
  EXPECT_EQ(LanguageModel::load(folder / "second").model->configuration().at("width"), "24");

  std::filesystem::rename(folder / "first", folder / "moved");
  EXPECT_EQ(testing::train("lm", folder / "second", {{"steps", "2"}}).step, 2);  // goes on without it
  std::filesystem::rename(folder / "moved", folder / "first");
  const auto refuses = [&](const std::vector<std::string>& words, const Given& more) {
    std::filesystem::remove_all(folder / "second");
    return refused(ErrorKind::usage, words, [&] { begin_with(more); });
  };
  EXPECT_TRUE(refuses({"tokens", "first", "leave it out"}, {{"tokens", "words"}}));
  EXPECT_TRUE(refuses({"model", "is a decoder-lm"}, {{"model", "transformer-xl"}}));
}

}  // namespace
}  // namespace heed
