// Any bytes as a file of rows, in each format: an Error, or rows that have a value for each column.
#include <heed/base.h>
#include <heed/text.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/fuzz.h"

using heed::testing::must;

namespace {

void read_all(heed::RowReader (*open)(const std::string&, const heed::RowOptions&), const std::string& path,
              const heed::RowOptions& options) try {
  heed::RowReader reader = open(path, options);
  int64_t line = 0;
  for (heed::Row row; reader.next(&row); line = row.line) {
    must(row.values.size() == reader.columns().size(), "a value for each column");
    must(row.line > line, "rows in order");
    for (const std::string& value : row.values)
      must(static_cast<int64_t>(value.size()) <= 8 * options.longest, "no value is longer than its line");
  }
} catch (const heed::Error& error) {
  must(error.kind() == heed::ErrorKind::data, "a broken file is Error(data)");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = memfd_create("rows", MFD_CLOEXEC);
  must(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size), "a file to read");
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const heed::RowOptions skip{.bad_lines = heed::BadLines::skip, .longest = 100}, bare{.header = false};
  for (const auto& options : {skip, bare})
    for (const auto open : {heed::read_lines, heed::read_tsv, heed::read_csv, heed::read_json_lines})
      read_all(open, path, options);
  close(file);
  return 0;
}
