// Tokenisers of heed's own: words, characters, white space, bytes; vocabularies; what is kept of the input.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/text.h>
#include <rapidcheck.h>

#include "support/files.h"
#include "tensor/unicode.h"
#include "text/characters.h"

namespace heed {
namespace {

using testing::Folder;
using testing::refused;

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> tokens;
  for (const int32_t id : tokenizer.ids(text)) tokens.push_back(tokenizer.token_of(id));
  return tokens;
}
// What the places of the tokens say, with | between them.
std::string places_of(const Tokenizer& tokenizer, const std::string& text) {
  std::string places;
  for (const Token& token : tokenizer.encode(text)) {
    if (!places.empty()) places += '|';
    places += text.substr(static_cast<size_t>(token.begin), static_cast<size_t>(token.end - token.begin));
  }
  return places;
}
Tokenizer trained(const std::string& text, const TokenizerOptions& options = {}) {
  return train_tokenizer(std::vector<std::string>{text}, options);
}
using Words = std::vector<std::string>;

TEST(Words, AreIcus) {
  const std::string english = "Can't stop: 3.14 e-mails!";
  const Tokenizer plain = trained(english, {.keep_spaces = false});
  EXPECT_EQ(tokens_of(plain, english), (Words{"Can't", "stop", ":", "3.14", "e", "-", "mails", "!"}));
  EXPECT_EQ(places_of(plain, english), "Can't|stop|:|3.14|e|-|mails|!");
}

TEST(Words, ChineseJapaneseAndThaiHaveNoSpaces) {
  for (const auto& [text, words] :
       std::vector<std::pair<std::string, std::string>>{{"我们喜欢学习中文", "我们|喜欢|学习|中文"},
                                                        {"私は東京に住んでいます", "私|は|東京|に|住|んで|い|ます"},
                                                        {"ฉันรักประเทศไทย", "ฉัน|รัก|ประเทศไทย"}})
    EXPECT_EQ(places_of(trained(text), text), words);
}

TEST(Words, SpacesStayWithTheWordBehindThem) {
  const std::string text = "a  b\tc. ";
  const Tokenizer tokenizer = trained(text);
  EXPECT_EQ(tokens_of(tokenizer, text), (Words{"▁a", "▁", "▁b", "\t", "c", ".", "▁"}));
  EXPECT_EQ(places_of(tokenizer, text), "a| | b|\t|c|.| ");
  EXPECT_EQ(tokenizer.decode(tokenizer.ids(text)), text);
}

TEST(Words, UnknownOnes) {
  const Tokenizer tokenizer = trained("a b", {.keep_spaces = false});
  EXPECT_EQ(tokens_of(tokenizer, "a c b"), (Words{"a", "<unk>", "b"}));
  EXPECT_EQ(places_of(tokenizer, "a c b"), "a|c|b");
}

TEST(Characters, AreCodePoints) {
  const std::string text = "né 中😀";
  const Tokenizer tokenizer = trained(text, {.cut = Cut::characters});
  EXPECT_EQ(tokens_of(tokenizer, text), (Words{"n", "é", " ", "中", "😀"}));
  EXPECT_EQ(places_of(tokenizer, text), "n|é| |中|😀");
}

TEST(Whitespace, IsWhatUnicodeSays) {
  const std::string text = "one\u3000two\tthree, four";
  EXPECT_EQ(places_of(trained(text, {.cut = Cut::whitespace}), text), "one|two|three,|four");
}

TEST(Bytes, KeepWhatIsNoUtf8) {
  const Tokenizer tokenizer = trained("", {.cut = Cut::bytes, .form = Form::none});
  EXPECT_EQ(tokenizer.size(), 260);
  const std::string text = "a\xff\xe4\xb8z";
  EXPECT_EQ(tokenizer.ids(text).size(), text.size());
  EXPECT_EQ(tokenizer.decode(tokenizer.ids(text), {.valid_utf8 = false}), text);
  EXPECT_EQ(tokenizer.decode(tokenizer.ids(text)), "a\ufffd\ufffdz");
}

TEST(Forms, KeepTheirPlaces) {
  const std::string text = "cafe\u0301 ﬁn Å";
  const Tokenizer nfkc = trained(text, {.form = Form::nfkc, .lower = true, .keep_spaces = false});
  EXPECT_EQ(tokens_of(nfkc, text), (Words{"café", "fin", "å"}));
  EXPECT_EQ(places_of(nfkc, text), "cafe\u0301|ﬁn|Å");
  const Tokenizer none = trained(text, {.form = Form::none, .keep_spaces = false});
  EXPECT_EQ(tokens_of(none, text)[0], "cafe\u0301");
}

// Unicode 15, table 3-8, and Python's decoder.
TEST(BrokenUtf8, BecomesReplacementCharactersAsInPython) {
  for (const auto& [broken, count] : std::vector<std::pair<std::string, int>>{{"\xff", 1},
                                                                              {"\xe4\xb8", 1},
                                                                              {"\xc0\xaf", 2},
                                                                              {"\xed\xa0\x80", 3},
                                                                              {"\xf0\x9f\x98", 1},
                                                                              {"\xf4\x90\x80\x80", 4},
                                                                              {"\xf0\x80\x80", 3},
                                                                              {"\xe4\xb8\xe4\xb8\xad", 1}}) {
    int replaced = 0;
    for (const auto& [begin, end] : tokenize::repaired(broken).broken) replaced += end > begin;
    EXPECT_EQ(replaced, count) << printable(broken);
    EXPECT_TRUE(valid_utf8(tokenize::valid_text(broken)));
  }
  const Tokenizer tokenizer = trained("a\ufffd", {.cut = Cut::characters});
  EXPECT_EQ(places_of(tokenizer, "a\xe4\xb8z"), "a|\xe4\xb8|z");
  EXPECT_EQ(tokens_of(tokenizer, "a\xe4\xb8")[1], "\ufffd");
}

TEST(Vocabulary, IsByCountThenBytes) {
  const TokenizerOptions options{.keep_spaces = false, .vocabulary = {.size = 7, .special = {"<unk>", "<end>"}}};
  const Tokenizer tokenizer = trained("b b b c c a a x y z", options);
  Words all;
  for (int32_t id = 0; id < tokenizer.size(); ++id) all.push_back(tokenizer.token_of(id));
  EXPECT_EQ(all, (Words{"<unk>", "<end>", "b", "a", "c", "x", "y"}));
  EXPECT_TRUE(tokenizer.is_special(1));
  EXPECT_EQ(trained("b b b c c a", {.keep_spaces = false, .vocabulary = {.least = 2}}).id_of("a"), std::nullopt);
  EXPECT_EQ(tokenizer.ids("a<end>"), (std::vector<int32_t>{3, 1}));
}

TEST(Vocabulary, JointIsThatOfAllTexts) {
  const Tokenizer joint = train_tokenizer(std::vector<std::string>{"one two", "eins two"}, {.keep_spaces = false});
  EXPECT_EQ(joint.token_of(4), "two");
  EXPECT_TRUE(joint.id_of("one") && joint.id_of("eins"));
}

TEST(Vocabulary, DoesNotDependOnThreads) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(fmt::format("w{} common w{}", i * i % 37, i));
  set_threads(1);
  const std::string one = train_tokenizer(texts).to_bytes();
  set_threads(3);
  EXPECT_EQ(train_tokenizer(texts).to_bytes(), one);
}

TEST(EncodeAll, IsEncodeOfEach) {
  set_threads(3);
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back("text " + std::to_string(i) + " of many, 中文");
  const Tokenizer tokenizer = train_tokenizer(texts);
  const auto all = tokenizer.encode_all(texts);
  ASSERT_EQ(all.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Token> one = tokenizer.encode(texts[i]);
    ASSERT_EQ(all[i].size(), one.size());
    for (size_t k = 0; k < one.size(); ++k) EXPECT_EQ(all[i][k].id, one[k].id);
  }
}

TEST(Classification, StopWordsAndStems) {
  const std::string text = "The running dogs are happily running over the hills";
  const Tokenizer tokenizer = trained(text, {.lower = true, .stop_words = "en", .stem = "english"});
  EXPECT_EQ(tokens_of(tokenizer, text), (Words{"run", "dog", "happili", "run", "hill"}));
  EXPECT_EQ(places_of(tokenizer, text), "running|dogs|happily|running|hills");
  const Tokenizer again = Tokenizer::from_bytes(tokenizer.to_bytes(), "again");
  EXPECT_EQ(tokens_of(again, text), tokens_of(tokenizer, text));
  EXPECT_EQ(places_of(trained("我的书在这里", {.stop_words = "zh"}), "我的书在这里"), "书");
}

TEST(Classification, StopWordsOfAFile) {
  const Folder folder;
  testing::write_file(folder / "stop.txt", "\xef\xbb\xbfRED\r\ngreen\n\n");
  EXPECT_EQ(places_of(trained("red Green blue", {.stop_words = folder / "stop.txt"}), "red Green blue"), "blue");
  testing::write_file(folder / "broken.txt", "\xff\n");
  EXPECT_TRUE(refused(ErrorKind::format, {"broken.txt", "UTF-8"},
                      [&] { trained("a", {.stop_words = folder / "broken.txt"}); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"none.txt"}, [&] { trained("a", {.stop_words = folder / "none.txt"}); }));
}

TEST(Options, ThatDoNotFitAreRefused) {
  EXPECT_TRUE(refused(ErrorKind::format, {"klingon", "english"}, [] { trained("a", {.stem = "klingon"}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"stop words"}, [] { trained("a", {.cut = Cut::bytes, .stem = "english"}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"form"}, [] { trained("a", {.cut = Cut::bytes}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"<x>"}, [] { trained("a", {.vocabulary = {.unknown = "<x>"}}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"twice"}, [] {
    trained("a", {.vocabulary = {.special = {"<unk>", "<unk>"}}});
  }));
  const Tokenizer tokenizer = trained("a");
  EXPECT_TRUE(refused(ErrorKind::usage, {"decode", "99"}, [&] { tokenizer.decode(std::vector<int32_t>{99}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"-1"}, [&] { tokenizer.token_of(-1); }));
}

TEST(Files, SavedAndLoaded) {
  const Folder folder;
  const Tokenizer tokenizer = trained("to be or not to be");
  tokenizer.save(folder / "tokenizer.json");
  const Tokenizer again = Tokenizer::load(folder / "tokenizer.json");
  EXPECT_EQ(again.to_bytes(), tokenizer.to_bytes());
  EXPECT_EQ(again.ids("not to be"), tokenizer.ids("not to be"));
}

// ---- properties ----

// A text of characters from many places, as UTF-8.
rc::Gen<std::string> any_text() {
  const auto code =
      rc::gen::oneOf(rc::gen::inRange<uint32_t>(0x20, 0x7f), rc::gen::element<uint32_t>(' ', ' ', '\t', '.'),
                     rc::gen::inRange<uint32_t>(0xa0, 0x600), rc::gen::inRange<uint32_t>(0x300, 0x370),
                     rc::gen::inRange<uint32_t>(0x4e00, 0x4f00), rc::gen::inRange<uint32_t>(0x3040, 0x3100),
                     rc::gen::inRange<uint32_t>(0xe00, 0xe60), rc::gen::inRange<uint32_t>(0x1f600, 0x1f650),
                     rc::gen::inRange<uint32_t>(0xac00, 0xac80));
  return rc::gen::map(rc::gen::container<std::vector<uint32_t>>(code), [](const std::vector<uint32_t>& codes) {
    std::string text;
    for (const uint32_t each : codes)
      if (each != 0x2581) tokenize::append_character(text, each);
    return text;
  });
}

void expect_round_trip(const TokenizerOptions& options) {
  EXPECT_TRUE(rc::check([&] {
    const std::string text = *any_text();
    const Tokenizer tokenizer = trained(text, options);
    RC_ASSERT(tokenizer.decode(tokenizer.ids(text)) == text);
  }));
}
TEST(RoundTrip, Words) { expect_round_trip({.form = Form::none}); }
TEST(RoundTrip, Characters) { expect_round_trip({.cut = Cut::characters, .form = Form::none}); }
TEST(RoundTrip, BytesOfAnyKind) {
  const Tokenizer tokenizer = trained("", {.cut = Cut::bytes, .form = Form::none});
  EXPECT_TRUE(rc::check([&](const std::string& text) {
    RC_ASSERT(tokenizer.decode(tokenizer.ids(text), {.valid_utf8 = false}) == text);
  }));
}

// The places are in order, within the text, and leave out nothing but white space.
TEST(Places, CoverAnyBytes) {
  for (const Cut cut : {Cut::words, Cut::characters, Cut::whitespace})
    for (const bool lower : {false, true})
      EXPECT_TRUE(rc::check([&](const std::string& junk) {
        const std::string text = *any_text() + junk + *any_text();
        const Tokenizer tokenizer = trained(text, {.cut = cut, .form = Form::nfkc, .lower = lower});
        int64_t at = 0;
        for (const Token& token : tokenizer.encode(text)) {
          RC_ASSERT(0 <= token.begin && token.begin <= token.end && token.end <= static_cast<int64_t>(text.size()));
          if (cut != Cut::whitespace) RC_ASSERT(token.begin <= at || token.end == token.begin);
          at = std::max(at, token.end);
        }
        if (cut != Cut::whitespace) RC_ASSERT(at == static_cast<int64_t>(text.size()));
      }));
}

}  // namespace
}  // namespace heed
