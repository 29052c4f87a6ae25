// Subwords by the SentencePiece library.
#include <gtest/gtest.h>
#include <heed/text.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "support/files.h"

namespace heed {
namespace {

using testing::refused;

std::vector<std::string> corpus() {
  const std::vector<std::string> words = {"the",  "lowest", "newer", "wider",   "low",     "new",    "river", "rivers",
                                          "中文", "文字",   "学习",  "unhappy", "happily", "happen", "undo",  "done"};
  std::vector<std::string> texts;
  for (size_t i = 0; i < 400; ++i) {
    std::string text;
    for (size_t k = 0; k < 8; ++k)
      text += words[(i * 7 + k * k * 3 + i * k) % words.size()] + (k % 3 == 2 ? ", " : " ");
    texts.push_back(text + std::to_string(i));
  }
  return texts;
}
Tokenizer unigram() { return train_subwords(corpus(), {.size = 120}); }
Tokenizer bpe() { return train_subwords(corpus(), {.model = SubwordModel::bpe, .size = 120, .byte_fallback = false}); }

void expect_places(const Tokenizer& tokenizer) {
  const std::string text = "the  lowest 中文 unhappily";
  int64_t at = 0;
  for (const Token& token : tokenizer.encode(text)) {
    EXPECT_EQ(token.begin, at);
    EXPECT_GE(token.end, token.begin);
    at = token.end;
  }
  EXPECT_EQ(at, static_cast<int64_t>(text.size()));
  EXPECT_EQ(tokenizer.decode(tokenizer.ids(text)), "the lowest 中文 unhappily");  // one space for two: nmt_nfkc
}
TEST(SentencePiece, UnigramPlacesAndText) { expect_places(unigram()); }
TEST(SentencePiece, BpePlacesAndText) { expect_places(bpe()); }

TEST(SentencePiece, SpecialTokensComeFirst) {
  const Tokenizer tokenizer = unigram();
  EXPECT_EQ(tokenizer.token_of(0), "<pad>");
  EXPECT_EQ(tokenizer.token_of(1), "<unk>");
  EXPECT_EQ(tokenizer.token_of(2), "<s>");
  EXPECT_EQ(tokenizer.token_of(3), "</s>");
  EXPECT_TRUE(tokenizer.is_special(2));
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{2, tokenizer.ids("the")[0], 3}, {.skip_special = false}),
            "<s>the</s>");
  EXPECT_EQ(tokenizer.id_of("not a piece"), std::nullopt);
}

TEST(SentencePiece, TrainingIsRepeatable) { EXPECT_EQ(unigram().to_bytes(), unigram().to_bytes()); }

TEST(SentencePiece, SavedAndLoaded) {
  const testing::Folder folder;
  const Tokenizer tokenizer = bpe();
  tokenizer.save(folder / "sp.model");
  const Tokenizer again = Tokenizer::load(folder / "sp.model");
  EXPECT_EQ(again.ids("newer rivers"), tokenizer.ids("newer rivers"));
  EXPECT_EQ(again.to_bytes(), tokenizer.to_bytes());
}

TEST(SentencePiece, BytesForUnknownCharacters) {
  const Tokenizer tokenizer = train_subwords(corpus(), {.size = 400, .byte_fallback = true, .form = "identity"});
  EXPECT_EQ(tokenizer.decode(tokenizer.ids("the 😀 и")), "the 😀 и");
  EXPECT_EQ(unigram().ids("😀").back(), 1);  // without it the character is unknown
}

TEST(SentencePiece, RoundTrip) {
  const Tokenizer tokenizer = train_subwords(corpus(), {.size = 400, .byte_fallback = true, .form = "identity"});
  EXPECT_TRUE(rc::check([&] {
    const auto words = *rc::gen::container<std::vector<std::string>>(
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('!', '~'))));
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    RC_ASSERT(tokenizer.decode(tokenizer.ids(text)) == text);
  }));
}

// Ways to cut a text, each with how often it was drawn.
std::map<std::vector<int32_t>, int> drawn(const Tokenizer& tokenizer, const std::string& text, EncodeOptions options) {
  Random from{.seed = 3};
  options.random = &from;
  std::map<std::vector<int32_t>, int> ways;
  for (int i = 0; i < 300; ++i) ++ways[tokenizer.ids(text, options)];
  return ways;
}

void expect_sampling(const Tokenizer& tokenizer, double often, double seldom) {
  const std::string text = "unhappy rivers 中文";
  const auto ways = drawn(tokenizer, text, {.alpha = often});
  EXPECT_GT(ways.size(), 3u);
  for (const auto& [ids, count] : ways) EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_EQ(ways, drawn(tokenizer, text, {.alpha = often}));  // the same seed, the same draws
  const auto few = drawn(tokenizer, text, {.alpha = seldom});
  ASSERT_EQ(few.count(tokenizer.ids(text)), 1u);
  EXPECT_GT(few.at(tokenizer.ids(text)), 250);
  // The pieces that are drawn know their places too.
  Random from{.seed = 5};
  int64_t at = 0;
  for (const Token& token : tokenizer.encode(text, {.random = &from, .alpha = often})) {
    EXPECT_EQ(token.begin, at);
    at = token.end;
  }
  EXPECT_EQ(at, static_cast<int64_t>(text.size()));
}
TEST(Sampling, UnigramFlatAndSharp) { expect_sampling(unigram(), 0.1, 20); }
TEST(Sampling, BpeDropsMerges) { expect_sampling(bpe(), 0.5, 0.001); }
TEST(Sampling, BpeWithoutDropsIsBpe) {
  const Tokenizer tokenizer = bpe();
  for (const std::string& text : corpus()) {
    Random from{};
    EXPECT_EQ(tokenizer.ids(text, {.random = &from, .alpha = 0}), tokenizer.ids(text));
  }
}
TEST(Sampling, BpeThatDropsAllIsCharacters) {
  Random from{};
  EXPECT_EQ(bpe().ids("low 中", {.random = &from, .alpha = 1}).size(), 6u);  // ▁ l o w ▁ 中
}

TEST(SentencePiece, OptionsThatDoNotFitAreRefused) {
  EXPECT_TRUE(refused(ErrorKind::usage, {"subwords"}, [] { train_subwords(corpus(), {.size = 1}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"coverage"}, [] { train_subwords(corpus(), {.coverage = 2}); }));
  EXPECT_TRUE(refused(ErrorKind::data, {"SentencePiece"}, [] { train_subwords(corpus(), {.form = "none such"}); }));
  EXPECT_TRUE(refused(ErrorKind::data, {"SentencePiece"},
                      [] { train_subwords(corpus(), {.size = 5000, .exact_size = true}); }));
  EXPECT_TRUE(refused(ErrorKind::data, {"SentencePiece"}, [] { train_subwords(std::vector<std::string>{}, {}); }));
}

TEST(SentencePiece, BrokenFilesAreRefused) {
  const std::string good = unigram().to_bytes();
  for (size_t length = 1; length < good.size(); length += 1 + length / 16) try {
      Tokenizer::from_bytes(std::string_view(good).substr(0, length), "cut").ids("the river");
    } catch (const Error&) {
    }
  EXPECT_TRUE(refused(ErrorKind::format, {"cut", "SentencePiece"},
                      [&] { Tokenizer::from_bytes(std::string_view(good).substr(0, good.size() - 1), "cut"); }));
  EXPECT_TRUE(refused(ErrorKind::format, {"empty"}, [] { Tokenizer::from_bytes("", "file"); }));
}

}  // namespace
}  // namespace heed
