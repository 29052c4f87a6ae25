// tokenizer.json: what is refused, in which words, and the corners that the golden files do not reach.
#include <gtest/gtest.h>
#include <heed/text.h>

#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/small_files.h"
#include "text/base64.h"
#include "text/normalizers/charsmap.h"

namespace heed {
namespace {

using nlohmann::json;
using testing::refused;
using Ids = std::vector<int32_t>;

json word_level() {
  return {{"version", "1.0"},
          {"added_tokens", json::array()},
          {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 0}, {"a", 1}, {"b", 2}, {"ab", 3}}}}}};
}
json bpe(const json& merges) {
  return {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"abab", 3}}}, {"merges", merges}}}};
}
json with(json file, const char* key, const json& value) { return file[key] = value, file; }
json with_model(json file, const char* key, const json& value) { return file["model"][key] = value, file; }
Tokenizer made(const json& file) { return Tokenizer::from_bytes(file.dump(), "t.json"); }
json added(const json& more) {
  json token = {{"id", 7},         {"content", "<x>"},    {"single_word", false}, {"lstrip", false},
                {"rstrip", false}, {"normalized", false}, {"special", true}};
  if (more.is_object()) token.update(more);
  return json::array({token});
}

void expect_refused(const json& file, const std::vector<std::string>& parts) {
  EXPECT_TRUE(refused(ErrorKind::format, parts, [&] { made(file); })) << file.dump();
}

TEST(Refused, ByName) {
  expect_refused(with(word_level(), "normalizer", {{"type", "Unheard"}}), {"t.json.normalizer", "'Unheard'", "NFKC"});
  expect_refused(with(word_level(), "pre_tokenizer", {{"type", "UnicodeScripts"}}),
                 {"pre_tokenizer", "'UnicodeScripts'"});
  expect_refused(with(word_level(), "decoder", {{"type", "CTC"}}), {"decoder", "'CTC'", "ByteFallback"});
  expect_refused(with(word_level(), "post_processor", {{"type", "X"}}), {"post-processor 'X'"});
  expect_refused(with_model(word_level(), "type", "Neural"), {"model", "'Neural'", "Unigram"});
  expect_refused(
      with(word_level(), "normalizer", {{"type", "Sequence"}, {"normalizers", json::array({{{"type", "Y"}}})}}),
      {"normalizers[0]", "'Y'"});
}

TEST(Refused, WhatIsMissingOrOfTheWrongKind) {
  expect_refused(json::array(), {"t.json", "array", "object"});
  expect_refused({{"version", "1.0"}}, {"'model' is missing"});
  expect_refused(with_model(word_level(), "vocab", 3), {"'vocab'", "number", "object"});
  expect_refused(with_model(word_level(), "vocab", {{"a", -1}}), {"vocab", "'a'", "-1"});
  expect_refused(with_model(word_level(), "vocab", {{"a", 4294967296}}), {"vocab", "4294967296"});
  expect_refused(with_model(word_level(), "vocab", {{"a", 1}, {"b", 1}}), {"same id"});
  expect_refused(
      with(word_level(), "normalizer", {{"type", "Replace"}, {"pattern", {{"Regex", "(("}}}, {"content", ""}}),
      {"normalizer.pattern", "(("});
  expect_refused(with(word_level(), "normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "!!"}}),
                 {"base64"});
  expect_refused(with(word_level(), "pre_tokenizer", {{"type", "HeedStem"}, {"language", "elvish"}}), {"elvish"});
  EXPECT_TRUE(refused(ErrorKind::format, {"t.json", "byte"}, [] { Tokenizer::from_bytes("{\"a\":", "t.json"); }));
  EXPECT_TRUE(refused(ErrorKind::format, {"32 levels"},
                      [] { Tokenizer::from_bytes("{\"a\":" + std::string(5000, '['), "t.json"); }));
}

TEST(Refused, MergesOfNoTokens) {
  expect_refused(bpe({"a c"}), {"merges", "'c'"});
  expect_refused(bpe({"b a"}), {"merges", "'ba'"});
  expect_refused(bpe({"a b c"}), {"merges", "'a b c'"});
  expect_refused(bpe({{"a", 3}}), {"merges"});
}

TEST(Refused, AddedTokensThatContradictTheModel) {
  expect_refused(with(word_level(), "added_tokens", added({{"content", "a"}})), {"added_tokens[0]", "'a'", "7"});
  expect_refused(with(word_level(), "added_tokens", added({{"id", 1}})), {"added_tokens[0]", "<x>", "1"});
  expect_refused(with(word_level(), "added_tokens", added({{"id", 1 << 22}})), {"id", "4194304"});
}

TEST(Refused, SpecialTokensBeyondTheVocabulary) {
  const json bert = {{"type", "BertProcessing"}, {"cls", {"[CLS]", 2}}, {"sep", {"[SEP]", 4}}};
  expect_refused(with(word_level(), "post_processor", bert), {"post_processor", "4", "4 tokens"});
}

TEST(Bpe, OldFilesHaveNoTypeAndMergesAreTexts) {
  json file = bpe({"a b", "ab ab"});
  file["model"].erase("type");
  EXPECT_EQ(made(file).ids("ababa"), (Ids{3, 0}));
  EXPECT_EQ(made(bpe(json::parse(R"([["a","b"],["ab","ab"]])"))).ids("abab"), (Ids{3}));
}

TEST(Bpe, DropoutIsDrawnOnlyWhenAskedFor) {
  const Tokenizer tokenizer = made(with_model(bpe({"a b", "ab ab"}), "dropout", 0.5));
  EXPECT_EQ(tokenizer.ids("abab"), (Ids{3}));
  Random from{.seed = 1};
  int whole = 0;
  for (int i = 0; i < 200; ++i) {
    const Ids ids = tokenizer.ids("abab", {.random = &from});
    whole += ids == Ids{3};
    int letters = 0;
    for (const int32_t id : ids) letters += static_cast<int>(tokenizer.token_of(id).size());
    EXPECT_EQ(letters, 4);
  }
  EXPECT_GT(whole, 10);
  EXPECT_LT(whole, 190);
}

TEST(AddedTokens, TakeSpacesAndKnowWords) {
  const auto ids = [](const json& more, const std::string& text) {
    return made(with(word_level(), "added_tokens", added(more))).ids(text);
  };
  EXPECT_EQ(ids({}, "a<x>b"), (Ids{1, 7, 2}));
  EXPECT_EQ(ids({{"single_word", true}, {"content", "zz"}}, "azz zz"), (Ids{0, 7}));
  const Tokenizer tokenizer = made(with(word_level(), "added_tokens", added({{"lstrip", true}, {"rstrip", true}})));
  const std::vector<Token> tokens = tokenizer.encode("a <x>  b");
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].begin, 1);
  EXPECT_EQ(tokens[1].end, 7);
  EXPECT_TRUE(tokens[1].special);
  EXPECT_EQ(tokenizer.decode(tokenizer.ids("a <x> b")), "a b");
  EXPECT_EQ(tokenizer.decode(tokenizer.ids("a <x> b"), {.skip_special = false}), "a <x> b");
}

TEST(WordLevel, WithoutATokenForTheUnknown) {
  const Tokenizer tokenizer = made(with_model(word_level(), "unk_token", "none"));
  EXPECT_EQ(tokenizer.ids("a ab"), (Ids{1, 3}));
  EXPECT_TRUE(refused(ErrorKind::data, {"'c'"}, [&] { tokenizer.ids("a c"); }));
}

TEST(Patterns, GiveUpInTime) {
  const json split = {{"type", "Split"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"behavior", "Isolated"}};
  const Tokenizer tokenizer = made(with(word_level(), "pre_tokenizer", split));
  EXPECT_TRUE(refused(ErrorKind::data, {"pattern"}, [&] { tokenizer.ids(std::string(5000, 'a') + "b"); }));
}

TEST(Charsmap, ThatLeadsOutOfItsTableIsNotSafe) {
  const auto is_safe = [](size_t unit, char byte) {
    std::string bytes = std::string("\0\4\0\0", 4) + std::string(1024, '\0') + "a" + '\0';
    bytes.replace(4 + 4 * unit, 4, std::string(4, byte));
    return tokenize::Charsmap(bytes, "map").safe_to_follow();
  };
  EXPECT_TRUE(is_safe(0, '\0'));
  EXPECT_FALSE(is_safe(0, '\xff'));  // the root, also where it looks like a value
  EXPECT_FALSE(is_safe(9, '\x7f'));
  EXPECT_TRUE(is_safe(9, '\xff'));
}

TEST(Charsmap, NeverLeavesItsTable) {
  for (const std::string& bytes : {std::string("\4\0\0\0", 4), std::string("\4\0\0\0\xff\xff\xff\xff", 8) + '\0',
                                   std::string("\4\0\0\0\0\xff\xff\x0f", 8) + '\0'})
    try {
      const tokenize::Charsmap map(bytes, "map");
      for (int byte = 1; byte < 256; ++byte) map.replacement(std::string(3, static_cast<char>(byte)));
      EXPECT_FALSE(map.safe_to_follow());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::format);
    }
}

TEST(Base64, OfItsSpecification) {  // RFC 4648, section 10
  EXPECT_EQ(tokenize::from_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(tokenize::from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(tokenize::from_base64(""), "");
  EXPECT_EQ(tokenize::from_base64("Zm9vY"), std::nullopt);
  EXPECT_EQ(tokenize::from_base64("Zm9v*mFy"), std::nullopt);
}

// The files that fuzzing begins with reach most of the steps, if they are read.
TEST(SmallFiles, OfTheFuzzersAreRead) {
  for (const std::string name : {"word_level", "bpe", "word_piece", "unigram"}) {
    const Tokenizer tokenizer = Tokenizer::load(HEED_GOLDEN "/" + name + ".tokenizer_json");
    EXPECT_EQ(Tokenizer::from_bytes(tokenizer.to_bytes(), name).ids("the ab"), tokenizer.ids("the ab")) << name;
  }
}

TEST(SmallFiles, TakeLittleTimeAndMemory) {
  const json file = with(with(bpe({"a b", "ab ab"}), "added_tokens", added({})), "normalizer", {{"type", "NFKC"}});
  testing::expect_small_files_within_limits(
      300, [&](testing::Faults& faults) { return faults(file.dump()); },
      [](const std::string& path) { Tokenizer::load(path).ids("abab <x> ba"); });
}

}  // namespace
}  // namespace heed
