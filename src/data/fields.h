// A line's fields.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed::data {

std::vector<std::string> split_tabs(std::string_view line);

// RFC 4180. What is wrong with the text, or nothing; open: its last field's quotes are not closed yet.
struct CsvFields {
  std::vector<std::string> fields;
  std::string wrong;
  bool open = false;
};
CsvFields split_csv(std::string_view text);

}  // namespace heed::data
