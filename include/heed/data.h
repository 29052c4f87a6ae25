// Rows of text files, one after the other: plain text, parallel text, TSV, CSV and JSON lines, each also compressed by
// gzip. Memory is bounded by the longest line, however large the file.
//
//   std::ofstream("pairs.tsv") << "en\tde\nthe house\tdas Haus\nno second column\nthe cat\tdie Katze\n";
//   heed::RowReader pairs = heed::read_tsv("pairs.tsv", {.columns = {"de", "en"}, .bad_lines = heed::BadLines::skip});
//   heed::Row row;
//   while (pairs.next(&row)) std::cout << row.line << ": " << row.values[0] << " | " << row.values[1] << '\n';
//   std::cout << pairs.bad().count << " bad: " << pairs.bad().named[0] << '\n';   // pairs.tsv:3: 1 column, wanted 2
//
// And rows without a file, to try a model on: line n of a seed is always the same.
//
//   for (const heed::Row& row : heed::made_data("dates", 3, {.seed = 7, .language = heed::MadeLanguage::english}))
//     std::cout << row.values[0] << " -> " << row.values[1] << '\n';   // 19th December 2069 -> 2069-12-19 …
//
// Lines end in LF or CRLF, also the last one or not; a byte order mark is passed over. A line is bad that is no UTF-8,
// longer than allowed, or breaks the rules of its format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heed {

enum class BadLines { refuse, skip };  // Error(data) that names file and line; or counted and passed over

struct RowOptions {
  std::vector<std::string> columns = {};  // those wanted, in this order; none: all, as the file has them
  bool header = true;                     // TSV and CSV: the first line names the columns; false: they are "0", "1" …
  BadLines bad_lines = BadLines::refuse;
  int64_t longest = int64_t{1} << 20;  // bytes of a line; of CSV: of a row
};

struct Row {
  int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> values;
};

struct BadRows {
  int64_t count = 0;
  std::vector<std::string> named;  // the first ten: file, line, what is wrong
};

class RowReader {
 public:
  struct Impl;
  explicit RowReader(std::unique_ptr<Impl> impl);
  ~RowReader();
  RowReader(RowReader&&) noexcept;
  RowReader& operator=(RowReader&&) noexcept;

  const std::vector<std::string>& columns() const;
  bool next(Row* row);  // false at the end of the file
  const BadRows& bad() const;

 private:
  std::unique_ptr<Impl> impl_;
};

// A column, "text". Empty lines are rows too.
RowReader read_lines(const std::string& path, const RowOptions& options = {});
// Two columns, "source" and "target": line n of one file and line n of the other. Pairs of empty lines are passed over,
// a line that only one file has a text for is bad; files of unequal length are always refused.
RowReader read_parallel(const std::string& source, const std::string& target, const RowOptions& options = {});
// Columns between tabs, without quotes. Empty lines are passed over, here and in the formats below.
RowReader read_tsv(const std::string& path, const RowOptions& options = {});
// RFC 4180: columns between commas; in quotes they may hold commas, line ends and doubled quotes.
RowReader read_csv(const std::string& path, const RowOptions& options = {});
// An object a line. Columns are keys; a text is itself, everything else its JSON. Without `columns`: the first line's.
RowReader read_json_lines(const std::string& path, const RowOptions& options = {});

// ---- made data -------------------------------------------------------------------------------------------

enum class MadeLanguage { english, chinese, both };  // both: half of the lines each
struct Lengths {
  int64_t least = 0, most = 0;  // both included
};
struct MadeOptions {
  uint64_t seed = 1;
  std::optional<Lengths> length = {};         // digits of numbers, clauses of reviews, letters of copy and reverse
  std::optional<MadeLanguage> language = {};  // of dates, numbers, reviews; both
  bool marked = false;                        // reviews: a third column, the text with «» around what decides
};
// name: dates (a written date, and as 2004-05-03), numbers (words and digits, either way round), reviews (positive or
// negative, and the text), copy, reverse (random letters, and the answer). Line n depends on (seed, n) alone.
std::vector<Row> made_data(const std::string& name, int64_t lines, const MadeOptions& options = {});

}  // namespace heed
