#include "data/fields.h"

#include <algorithm>

namespace heed::data {

std::vector<std::string> split_tabs(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const size_t tab = line.find('\t');
    fields.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

CsvFields split_csv(std::string_view text) {
  CsvFields out;
  for (size_t at = 0;; ++at) {
    std::string field;
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        const size_t quote = std::min(text.find('"', at), text.size());
        field += text.substr(at, quote - at);
        at = quote + 1;
        if (quote == text.size()) return out.open = true, out;
        if (at == text.size() || text[at] != '"') break;
        field += '"';
      }
      if (at < text.size() && text[at] != ',') return out.wrong = "text behind the closing quotes of a column", out;
    } else {
      const size_t comma = std::min(text.find(',', at), text.size());
      field = text.substr(at, comma - at);
      if (field.find('"') != std::string::npos)
        return out.wrong = "quotes within a column that does not begin with them", out;
      at = comma;
    }
    out.fields.push_back(std::move(field));
    if (at >= text.size()) return out;
  }
}

}  // namespace heed::data
