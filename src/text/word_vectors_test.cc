// Word vectors: the three formats, what is refused, and the embedding made of them.
#include <gtest/gtest.h>
#include <heed/text.h>

#include <cstring>

#include "support/close.h"
#include "support/files.h"
#include "support/small_files.h"
#include "text/word_vectors.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;
using tokenize::word_vectors_of;
using Words = std::vector<std::string>;

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}
const std::string kText = "2 3\nthe 0.5 -1 2e-3\n中文 1 2 3\n";
const std::string kBinary = "2 3\nthe " + floats({0.5f, -1, 2e-3f}) + "\n中文 " + floats({1, 2, 3}) + "\n";
const std::string kGlove = "the 0.5 -1 2e-3\n中文 1 2 3\n";

void expect_both(const WordVectors& got) {
  EXPECT_EQ(got.words, (Words{"the", "中文"}));
  EXPECT_TRUE(close(got.vectors.values(), std::vector<double>{0.5, -1, 2e-3, 1, 2, 3}, 1e-6));
  EXPECT_EQ(got.vectors.shape(), Shape({2, 3}));
}
TEST(Formats, AreToldApart) {
  for (const std::string& content : {kText, kBinary, kGlove, "\xef\xbb\xbf" + kText})
    expect_both(word_vectors_of(content, "v"));
}
TEST(Formats, CanBeNamed) {
  expect_both(word_vectors_of(kText, "v", {.format = VectorFormat::word2vec_text}));
  expect_both(word_vectors_of(kBinary, "v", {.format = VectorFormat::word2vec_binary}));
  expect_both(word_vectors_of(kGlove, "v", {.format = VectorFormat::glove}));
}
TEST(Formats, AFileOnTheDisk) {
  const testing::Folder folder;
  testing::write_file(folder / "v.txt", kGlove);
  expect_both(load_word_vectors(folder / "v.txt"));
}

TEST(Glove, AWordMayHaveSpaces) { EXPECT_EQ(word_vectors_of("a 1 2\n. . . 3 4\n", "v").words, (Words{"a", ". . ."})); }
TEST(Words, OfTwoThatAreTheSameTheFirstCounts) {
  const WordVectors got = word_vectors_of("a 1 2\na 3 4\n\xff 5 6\n", "v");
  EXPECT_EQ(got.words, (Words{"a"}));
  EXPECT_EQ(got.vectors.values(), (std::vector<double>{1, 2}));
}
TEST(Words, OnlyTheFirstOrThoseWanted) {
  EXPECT_EQ(word_vectors_of(kText, "v", {.most = 1}).words, (Words{"the"}));
  const Tokenizer tokenizer = train_tokenizer(std::vector<std::string>{"学习 中文"});
  EXPECT_EQ(word_vectors_of(kText, "v", {.wanted = &tokenizer}).words, (Words{"中文"}));
}

TEST(Refused, WhatBreaksTheFormat) {
  const auto expect = [](const std::string& content, const std::vector<std::string>& parts, VectorFormat format) {
    EXPECT_TRUE(refused(ErrorKind::format, parts, [&] { word_vectors_of(content, "v.txt", {.format = format}); }))
        << content;
  };
  expect("2 3\na 1 2 3\n", {"v.txt", "1 words", "says 2"}, VectorFormat::word2vec_text);
  expect("2 3\na 1 x 3\nb 1 2 3\n", {"v.txt", "line 2", "'x'"}, VectorFormat::word2vec_text);
  expect("1 3\na 1 2\n", {"line 2", "fewer than 3"}, VectorFormat::word2vec_text);
  expect("1 3\na 1 nan 2\n", {"line 2", "nan"}, VectorFormat::word2vec_text);
  expect("no header\n", {"line 1"}, VectorFormat::word2vec_binary);
  expect("1 99999999999\na ", {"line 1", "99999999999"}, VectorFormat::word2vec_binary);
  expect("9223372036854775807 65536\na ", {"word 1"}, VectorFormat::word2vec_binary);
  expect(kBinary.substr(0, kBinary.size() - 4), {"word 2"}, VectorFormat::word2vec_binary);
  expect("a 1 2\nb 1\n", {"line 2"}, VectorFormat::glove);
  expect("words alone\n", {"line 1"}, VectorFormat::glove);
  expect("", {"line 1"}, VectorFormat::detect);
}

TEST(SmallFiles, TakeLittleTimeAndMemory) {
  for (const std::string& good : {kText, kBinary, kGlove})
    testing::expect_small_files_within_limits(
        200, [&](testing::Faults& faults) { return faults(good); },
        [](const std::string& path) { load_word_vectors(path); });
}

TEST(Embedding, ARowForEachToken) {
  const Tokenizer tokenizer = train_tokenizer(std::vector<std::string>{"The 中文 unknown"});
  Random from{.seed = 1};
  const WordEmbedding made = embedding_of(tokenizer, word_vectors_of(kText, "v"), from);
  EXPECT_EQ(made.weight.shape(), Shape({tokenizer.size(), 3}));
  const std::vector<double> all = made.weight.values();
  const auto at = [&](const char* token) {
    const auto begin = all.begin() + 3 * *tokenizer.id_of(token);
    return std::vector<double>(begin, begin + 3);
  };
  EXPECT_TRUE(close(at("▁中文"), std::vector<double>{1, 2, 3}, 1e-6));
  EXPECT_TRUE(close(at("▁The"), std::vector<double>{0.5, -1, 2e-3}, 1e-6));  // by its small letters
  EXPECT_EQ(made.missing, (std::vector<int32_t>{0, 1, 2, 3, *tokenizer.id_of("▁unknown")}));
  EXPECT_NE(at("▁unknown"), (std::vector<double>{0, 0, 0}));
  EXPECT_TRUE(refused(ErrorKind::usage, {"embedding_of"}, [&] { embedding_of(tokenizer, {}, from); }));
}

}  // namespace
}  // namespace heed
