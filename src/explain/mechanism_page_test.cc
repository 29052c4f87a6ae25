#include "explain/mechanism_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "explain/worked.h"
#include "support/close.h"
#include "support/files.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using heed::testing::close;

void expect_narrow(const std::string& text) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) EXPECT_LE(columns(line), 80) << line;
}

const attention::Mechanism& scaled_dot() { return attention::mechanism("scaled_dot"); }

TEST(MechanismPage, EveryLineFitsATerminal) {
  for (const Language language : {Language::english, Language::chinese}) {
    expect_narrow(mechanism_table(language));
    for (const auto& row : attention::mechanisms()) expect_narrow(mechanism_text(row, language, Ink::blocks));
  }
}

TEST(MechanismPage, TheTableNamesEveryMechanism) {
  for (const auto& row : attention::mechanisms())
    EXPECT_NE(("\n" + mechanism_table(Language::english)).find("\n" + std::string(row.name) + " "), std::string::npos)
        << row.name;
}

TEST(MechanismPage, ScaledDotIsTheKnownExample) {
  const WorkedExample x = worked_example(scaled_dot());
  using Values = std::vector<double>;
  EXPECT_TRUE(close(x.steps.at(0).second.values(), Values{58, 64, 139, 154}, 1e-12));
  EXPECT_TRUE(close(x.scores.values(), Values{33.486, 36.950, 80.252, 88.912}, 5e-4));
  EXPECT_TRUE(close(x.weights.values(), Values{0.0304, 0.9696, 0.0002, 0.9998}, 5e-5));
  const std::string text = mechanism_text(scaled_dot(), Language::english, Ink::blocks);
  for (const char* part : {" 58  64", "139 154", "33.486 36.950", "80.252 88.912", "0.0304 0.9696", "0.0002 0.9998",
                           "[[64, 72], [128,", "arXiv:1706.03762"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(MechanismPage, ChineseIsChinese) {
  for (const auto& row : attention::mechanisms()) {
    const std::string text = mechanism_text(row, Language::chinese, Ink::blocks);
    for (const char* english : {"What", "weights", " time,", " memory\n", "drawn", "Paper"})
      EXPECT_EQ(text.find(english), std::string::npos) << row.name << ": " << english << " in\n" << text;
  }
}

// The words of a text that are two or more letters of the Latin alphabet.
std::set<std::string> latin_words(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(c))) {
      word.push_back(c);
      continue;
    }
    if (word.size() > 1) words.insert(word);
    word.clear();
  }
  return words;
}

TEST(MechanismPage, FormulasAndCostsInChineseHaveNoEnglishWords) {
  const std::set<std::string> notation = {"softmax", "tanh", "exp", "log", "ln",     "sin",  "cos",   "clamp", "clip",
                                          "arg",     "max",  "mod", "top", "bucket", "left", "right", "rope",  "ip"};
  for (const auto& row : attention::mechanisms()) {
    const auto json = nlohmann::json::parse(mechanism_json(row, Language::chinese));
    for (const char* part : {"formula", "cost"})
      for (const std::string& word : latin_words(json[part]))
        EXPECT_TRUE(notation.contains(word)) << row.name << ": " << word << " in " << json[part];
    for (const char* word : {"after", "without", "form", "that"})
      EXPECT_FALSE(latin_words(json["paper"]).contains(word)) << row.name << ": " << json["paper"];
  }
}

TEST(MechanismPage, PlainInkIsAscii) {
  for (const std::string& line : picture(pattern_example(scaled_dot()), Ink::ascii))
    for (const char c : line) EXPECT_GT(c, 0);
}

TEST(MechanismPage, Json) {
  const auto table = nlohmann::json::parse(mechanism_table_json(Language::english));
  EXPECT_EQ(table.size(), attention::mechanisms().size());
  const auto json = nlohmann::json::parse(mechanism_json(scaled_dot(), Language::english));
  EXPECT_EQ(json["example"]["steps"]["Q Kᵀ"][1][0], 139);
  EXPECT_EQ(json["pattern"].size(), 16u);
  for (const auto& row : attention::mechanisms())
    EXPECT_EQ(nlohmann::json::parse(mechanism_json(row, Language::chinese))["name"], row.name);
}

TEST(MechanismPage, APageForEachMechanismAndLanguage) {
  const heed::testing::Folder folder;
  write_mechanism_pages(folder.path().string());
  EXPECT_EQ(folder.count(), 2 * (attention::mechanisms().size() + 1));
  const std::string page = heed::testing::file_content(folder / "scaled_dot.md");
  EXPECT_EQ(page.rfind("# scaled_dot\n\n[中文](scaled_dot.zh.md)", 0), 0u) << page;
  EXPECT_NE(page.find("```cpp\nheed::attend(q, k, v);\n```"), std::string::npos) << page;
}

TEST(Picture, ShadesAreQuartersOfTheRowsLargest) {
  const Tensor weights = tensor({{0, 0.1, 0.2, 0.3, 0.4}, {0, 0, 0, 0, 0}}, Dtype::f64);
  EXPECT_EQ(picture(weights, Ink::ascii), (std::vector<std::string>{" .--++**##", " . . . . ."}));
  EXPECT_EQ(picture(weights, Ink::blocks)[0], " ·░░▒▒▓▓██");
}

TEST(Matrices, StandBesideEachOtherAsLongAsTheyFit) {
  const auto lines =
      matrices({{"Q", tensor({{1, -2}, {3, 0}}, Dtype::f64)}, {"V", Tensor::full({1, 1}, 0.5, Dtype::f64)}});
  EXPECT_EQ(lines, (std::vector<std::string>{"Q =  1 -2   V = 0.5000", "     3  0"}));
  const WorkedExample::Named wide = {"W", Tensor::full({1, 8}, 0.25, Dtype::f64)};
  EXPECT_EQ(matrices({wide, wide}).size(), 3u);
}

}  // namespace
}  // namespace heed::explain
