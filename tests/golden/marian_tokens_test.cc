// The tokenisers of a MarianMTModel's folder, beside Hugging Face's MarianTokenizer: golden/make_marian_tokens.py.
#include "tasks/marian_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "support/files.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

using testing::refused;
using Ids = std::vector<int32_t>;

const std::string kFolder = HEED_GOLDEN "/marian_tokens";
constexpr int32_t kUnknown = 1;

// A character that only the other side has, between others that are known, is unknown to us, where they look it up.
bool alike(const Ids& ours, const Ids& theirs, const Tokenizer& other) {
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), [&](int32_t a, int32_t b) {
    const Ids there = other.ids(other.token_of(b));
    return a == b || (a == kUnknown && std::count(there.begin(), there.end(), b) > 0);
  });
}

TEST(MarianTokens, AreThoseOfTheirTokenizer) {
  const Tokenizers ours = read_marian_tokenizers(kFolder);
  std::ifstream file(kFolder + "/texts.json");
  const Json texts = Json::parse(file);
  ASSERT_GT(texts.size(), 40u);
  int decoded = 0;
  for (const Json& theirs : texts) {
    const std::string text = theirs["text"];
    const Ids target = theirs["target"];
    EXPECT_TRUE(alike(ours.source.ids(text), theirs["source"], ours.target)) << text;
    EXPECT_TRUE(alike(ours.target.ids(text), target, ours.source)) << text;
    if (std::count(target.begin(), target.end(), kUnknown) > 0) continue;  // which they leave out
    EXPECT_EQ(ours.target.decode(target), theirs["decoded"]) << text;
    ++decoded;
  }
  EXPECT_GT(decoded, 10);
}

TEST(MarianTokens, WrittenAndReadAgainTheyAreTheSame) {
  const testing::Folder folder;
  const Tokenizers ours = read_marian_tokenizers(kFolder);
  write_marian_tokenizers(ours, 512, folder.path().string());
  const Tokenizers again = read_marian_tokenizers(folder.path().string());
  EXPECT_EQ(again.source.to_bytes(), ours.source.to_bytes());
  EXPECT_EQ(again.target.to_bytes(), ours.target.to_bytes());
  EXPECT_EQ(read_json(folder / "vocab.json"), read_json(kFolder + "/vocab.json"));
}

TEST(MarianTokens, ANumberThatIsMissingOrTwiceThereIsNamed) {
  const testing::Folder folder;
  write_marian_tokenizers(read_marian_tokenizers(kFolder), 512, folder.path().string());
  const auto with = [&](const char* token, const Json& number) {
    Json numbers = read_json(kFolder + "/vocab.json");
    numbers[token] = number;
    write_json(folder / "vocab.json", numbers);
    return refused(ErrorKind::format, {"vocab.json", token, "each once"},
                   [&] { read_marian_tokenizers(folder.path().string()); });
  };
  EXPECT_TRUE(with("<unk>", 500));
  EXPECT_TRUE(with("<unk>", -1));
  EXPECT_TRUE(with("zebra", "3"));
  EXPECT_TRUE(with("zebra", 2.5));
}

}  // namespace
}  // namespace heed
