// Rows of files: every format, its corners, and what becomes of bad lines.
#include <gtest/gtest.h>
#include <heed/text.h>
#include <rapidcheck.h>
#include <zlib.h>

#include "data/fields.h"
#include "support/files.h"
#include "support/small_files.h"

namespace heed {
namespace {

using testing::Folder;
using testing::refused;
using testing::write_file;
using Values = std::vector<std::string>;

struct File {
  explicit File(const std::string& content) { write_file(path(), content); }
  std::string path() const { return folder / "rows.txt"; }
  Folder folder;
};
// "1:a|b 2:c|d"
std::string rows_of(RowReader reader) {
  std::string text;
  for (Row row; reader.next(&row);) {
    text += (text.empty() ? "" : " ") + std::to_string(row.line);
    for (size_t i = 0; i < row.values.size(); ++i) text += (i == 0 ? ":" : "|") + row.values[i];
  }
  return text;
}
const RowOptions kSkip{.bad_lines = BadLines::skip};

TEST(Plain, LinesOfEveryKindOfEnd) {
  EXPECT_EQ(rows_of(read_lines(File("\xef\xbb\xbf"
                                    "a\r\n\nb\n c")
                                   .path())),
            "1:a 2: 3:b 4: c");
  EXPECT_EQ(rows_of(read_lines(File("").path())), "");
  EXPECT_EQ(rows_of(read_lines(File("\n").path())), "1:");
}

TEST(Plain, Gzip) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "line " + std::to_string(i) + "\n";
  const gzFile file = gzopen((folder / "a.gz").c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  RowReader reader = read_lines(folder / "a.gz");
  Row row;
  int64_t count = 0;
  for (; reader.next(&row); ++count) ASSERT_EQ(row.values[0], "line " + std::to_string(count));
  EXPECT_EQ(count, 40000);
  const std::string packed = testing::file_content(folder / "a.gz");
  write_file(folder / "b.gz", packed.substr(0, packed.size() / 2));
  EXPECT_TRUE(refused(ErrorKind::data, {"b.gz", "unpacked"}, [&] { rows_of(read_lines(folder / "b.gz")); }));
}

TEST(Plain, BadLinesAreNamed) {
  const File file("good\n\xff\n12345678\ngood\r\n");
  EXPECT_TRUE(refused(ErrorKind::data, {"rows.txt:2", "UTF-8"}, [&] { rows_of(read_lines(file.path())); }));
  RowReader reader = read_lines(file.path(), {.bad_lines = BadLines::skip, .longest = 7});
  Row row;
  Values values;
  while (reader.next(&row)) values.push_back(row.values[0]);
  EXPECT_EQ(values, (Values{"good", "good"}));
  ASSERT_EQ(reader.bad().count, 2);
  EXPECT_NE(reader.bad().named[0].find("rows.txt:2: is not UTF-8"), std::string::npos);
  EXPECT_NE(reader.bad().named[1].find("rows.txt:3: longer than 7 bytes"), std::string::npos);
}

TEST(Plain, LongestIsWithoutTheLineEnd) {
  for (const std::string end : {"\n", "\r\n", ""}) {
    EXPECT_EQ(rows_of(read_lines(File("1234567" + end).path(), {.longest = 7})), "1:1234567");
    EXPECT_EQ(rows_of(read_lines(File("12345678" + end).path(), {.bad_lines = BadLines::skip, .longest = 7})), "");
  }
}

TEST(Plain, NoFile) {
  const Folder folder;
  EXPECT_TRUE(refused(ErrorKind::system, {"none", "cannot be opened"}, [&] { read_lines(folder / "none"); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"is a folder"}, [&] { read_lines(folder.path().string()); }));
}

TEST(Parallel, LineByLine) {
  const Folder folder;
  write_file(folder / "a", "one\n\ntwo\nthree\n"), write_file(folder / "b", "eins\r\n\r\n\r\ndrei\r\n");
  EXPECT_EQ(rows_of(read_parallel(folder / "a", folder / "b", kSkip)), "1:one|eins 4:three|drei");
  EXPECT_TRUE(refused(ErrorKind::data, {"a:3", "target is empty"},
                      [&] { rows_of(read_parallel(folder / "a", folder / "b")); }));
  write_file(folder / "c", "eins\n");
  EXPECT_TRUE(refused(ErrorKind::data, {"c", "has 1 lines", "has more"},
                      [&] { rows_of(read_parallel(folder / "a", folder / "c", kSkip)); }));
  EXPECT_TRUE(
      refused(ErrorKind::data, {"c", "has more"}, [&] { rows_of(read_parallel(folder / "c", folder / "a", kSkip)); }));
}

TEST(Tsv, NamedColumns) {
  const File file("en\tde\tid\nthe\tdas\t1\n\nbad\nwhite \t\t3\n");
  EXPECT_EQ(rows_of(read_tsv(file.path(), {.columns = {"id", "en"}, .bad_lines = BadLines::skip})),
            "2:1|the 5:3|white ");
  EXPECT_TRUE(refused(ErrorKind::data, {"rows.txt:4", "1 column, wanted 3"}, [&] { rows_of(read_tsv(file.path())); }));
  EXPECT_TRUE(
      refused(ErrorKind::data, {"no column 'fr'", "en, de, id"}, [&] { read_tsv(file.path(), {.columns = {"fr"}}); }));
  EXPECT_TRUE(refused(ErrorKind::data, {"two columns", "'a'"}, [] { read_tsv(File("a\ta\n").path()); }));
  EXPECT_TRUE(refused(ErrorKind::data, {"is empty"}, [] { read_tsv(File("\n\n").path()); }));
}

TEST(Tsv, WithoutAHeader) {
  EXPECT_EQ(rows_of(read_tsv(File("a\tb\nc\td\n").path(), {.columns = {"1"}, .header = false})), "1:b 2:d");
}

TEST(Csv, QuotesAsRfc4180HasThem) {
  const File file("name,text\r\n\"a,b\",\"say \"\"hi\"\"\"\r\nc,\"two\nlines\"\r\n\"\",\r\n");
  EXPECT_EQ(rows_of(read_csv(file.path())), "2:a,b|say \"hi\" 3:c|two\nlines 5:|");
}

TEST(Csv, BadQuotes) {
  const File file("a,b\n1\"2,3\n\"x\"y,z\n4,5\n\"open,6\n7,8\n");
  RowReader reader = read_csv(file.path(), kSkip);
  Row row;
  Values lines;
  while (reader.next(&row)) lines.push_back(std::to_string(row.line));
  EXPECT_EQ(lines, Values{"4"});
  ASSERT_EQ(reader.bad().count, 3);
  EXPECT_NE(reader.bad().named[0].find(":2: quotes within"), std::string::npos);
  EXPECT_NE(reader.bad().named[1].find(":3: text behind"), std::string::npos);
  EXPECT_NE(reader.bad().named[2].find(":5: its quotes are never closed"), std::string::npos);
}

TEST(Csv, WhatIsWrittenIsRead) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& fields) {
    if (fields.empty()) return;
    std::string text;
    for (const std::string& field : fields) {
      text += text.empty() ? "\"" : ",\"";
      for (const char byte : field) text += byte == '"' ? "\"\"" : std::string(1, byte);
      text += '"';
    }
    const data::CsvFields got = data::split_csv(text);
    RC_ASSERT(got.fields == fields);
    RC_ASSERT(got.wrong.empty() && !got.open);
  }));
}

TEST(JsonLines, KeysAreColumns) {
  const File file("{\"b\": \"x\", \"a\": 1}\n\n{\"a\": [1, {}], \"b\": null, \"c\": 0}\n{\"a\": 2}\nnot\n[1]\n");
  EXPECT_EQ(rows_of(read_json_lines(file.path(), {.columns = {"b", "a"}, .bad_lines = BadLines::skip})),
            "1:x|1 3:|[1,{}]");
  EXPECT_EQ(rows_of(read_json_lines(file.path(), kSkip)), "1:1|x 3:[1,{}]|");  // of the first line: a, b
  EXPECT_TRUE(refused(ErrorKind::data, {"rows.txt:4", "no 'b'"}, [&] { rows_of(read_json_lines(file.path())); }));
  EXPECT_TRUE(refused(ErrorKind::data, {":1", "not JSON"}, [] { read_json_lines(File("x\n").path()); }));
  EXPECT_TRUE(refused(ErrorKind::data, {":1", "64 levels"}, [] {
    read_json_lines(File("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").path());
  }));
}

TEST(SmallFiles, TakeLittleTimeAndMemory) {
  const std::string csv = "a,b\n\"x\",\"y\nz\"\n1,2\n", json = "{\"a\": \"x\", \"b\": [1]}\n{\"a\": 2, \"b\": 3}\n";
  testing::expect_small_files_within_limits(
      200, [&](testing::Faults& faults) { return faults(csv); },
      [](const std::string& path) { rows_of(read_csv(path)); });
  testing::expect_small_files_within_limits(
      200, [&](testing::Faults& faults) { return faults(json); },
      [](const std::string& path) { rows_of(read_json_lines(path)); });
}

}  // namespace
}  // namespace heed
