#include "tasks/language.h"

#include <heed/text.h>

#include <cstdlib>

#include "support/files.h"
#include "tasks/run_folder.h"
#include "tasks/training_run.h"

namespace heed {
namespace {

using testing::Folder;
using testing::refused;
using testing::write_file;

// Models this small are fastest on one core, most of all where others use the second. Before main, which reads it.
[[maybe_unused]] const int kOneCore = setenv("HEED_THREADS", "1", 0);

using Given = std::map<std::string, std::string>;

const TaskRow& lm() {
  for (const TaskRow& row : tasks())
    if (std::string(row.name) == "lm") return row;
  throw std::runtime_error("no task lm");
}
void train(const std::string& run, Given given) {
  given.merge(Given{{"tokens", "characters"}, {"width", "16"}, {"heads", "2"}, {"layers", "1"}, {"steps", "2"}});
  train_run(lm(), Fields(given), run);
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

}  // namespace
}  // namespace heed
