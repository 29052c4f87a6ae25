#include "cli/config_file.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace heed::cli {
namespace {

const std::vector<ModelField> kFields = {{"width", "256", "of layers"}, {"model", "", "name"}};

TEST(ConfigFile, WhatIsGivenIsNotRead) {
  const testing::Folder folder;
  const std::string path = folder / "a.toml";
  testing::write_file(path, "width = 64  # letters in comments: é 宽\nmodel = \"é 宽\"\n");
  std::map<std::string, std::string> given = {{"width", "32"}};
  read_config(path, kFields, given);
  EXPECT_EQ(given, (std::map<std::string, std::string>{{"width", "32"}, {"model", "é 宽"}}));
}

TEST(ConfigFile, LettersOfAnyLanguageOutsideOfTextsAreRefused) {
  const testing::Folder folder;
  for (const char* text :
       {"é = 1", "width = é", "宽 = 1", "width\u00a0= 1", "w\ufefeidth = 1", "width = 1 \ufefe", "[# width", "[[#"}) {
    std::map<std::string, std::string> given;
    testing::write_file(folder / "a.toml", text);
    EXPECT_THROW(read_config(folder / "a.toml", kFields, given), Error) << text;
  }
}

TEST(ConfigFile, IsReadAsItIsWritten) {
  const testing::Folder folder;
  for (const char* text : {"\n", "a\nb", "\t\"'", "'''\n", "\\", "é", "1", "true"}) {
    const std::map<std::string, std::string> given = {{"model", text}};
    std::map<std::string, std::string> again;
    testing::write_file(folder / "a.toml", config_text(kFields, given));
    read_config(folder / "a.toml", kFields, again);
    EXPECT_EQ(again, given) << text;
  }
}

}  // namespace
}  // namespace heed::cli
