// Two columns of a data file, whatever kind of file it is: source and target, label and text. A part is held out.
#pragma once

#include <heed/text.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct ColumnOptions {
  std::string columns;
  bool header = false, skip_bad_lines = false;

  void visit(auto&& field) {
    field("header", header, "the first line of TSV and CSV names the columns");
    field("skip_bad_lines", skip_bad_lines, "count and pass over bad lines in place of refusing them");
  }
};

struct DataFile {
  std::string path, beside = "";  // beside: the second column's lines, in a file of their own
};
struct TwoColumns {
  std::vector<int64_t> lines;
  std::vector<std::string> first, second;
  int64_t size() const { return static_cast<int64_t>(first.size()); }
};

// Rows in which a column is empty are passed over, unless the first may be.
class TwoColumnReader {
 public:
  struct Words {
    const char *columns, *wanted;  // "SOURCE,TARGET", "source and target"
    const char* hint = "separate them by a tab";
    bool first_may_be_empty = false;
  };
  TwoColumnReader(const ColumnOptions& options, const DataFile& file, const Words& words);
  TwoColumns next(int64_t most);  // none at the end of the file
  const BadRows& bad() const { return reader_.bad(); }
  int64_t lines_above() const { return above_; }  // the first row: 1 where a line names the columns

 private:
  std::string path_;
  Words words_;
  RowOptions rows_;
  RowReader reader_;
  int64_t above_;
};

// What is held out of training: a share of the data ("0.1"), at most 2,000 rows; a part of it ("2/5", the second of
// five parts of equal size); or a file of its own ("dev.tsv", "dev.en,dev.de").
struct HeldOut {
  double share = 0;
  int64_t part = 0, parts = 0;  // from 1; of 0 parts: none
  DataFile file = {};
};
HeldOut parse_held_out(const std::string& validation);
// Which of the rows from `first` on are: a matter of the seed and the row's number, and of a share the number of rows
// that came together before it.
std::vector<bool> held_out(int64_t first, int64_t count, const HeldOut& held, uint64_t seed);

constexpr int64_t kLearnedFrom = 1'000'000;  // rows at most that tokenisers are made of

// What was read first and all that follows, piece by piece, with what is held out of it. The number of rows.
using TakeColumns = std::function<void(const TwoColumns&, const std::vector<bool>& held_out)>;
int64_t read_all(TwoColumnReader& reader, TwoColumns first, const HeldOut& held, uint64_t seed,
                 const TakeColumns& take);

std::vector<std::string> split(const std::string& text, char at);

}  // namespace heed
