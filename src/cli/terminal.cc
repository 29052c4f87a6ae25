#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace heed::cli {
namespace {

constexpr int kColumns = 80, kFewest = 30, kMost = 1000;

std::string said(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

explain::Ink ink_of(const Terminal& t) {
  if (!t.is_one || !t.no_color.empty() || t.term.empty() || t.term == "dumb") return explain::Ink::blocks;
  if (t.colorterm == "truecolor" || t.colorterm == "24bit") return explain::Ink::true_colour;
  if (t.term.find("256color") != std::string::npos) return explain::Ink::colours_256;
  return explain::Ink::sixteen_colours;
}

int columns() {
  const std::string text = said("COLUMNS");
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0) return number;
  winsize size = {};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumns;
}

}  // namespace

Terminal terminal() {
  return {::isatty(STDOUT_FILENO) == 1, columns(), said("NO_COLOR"), said("TERM"), said("COLORTERM")};
}

explain::Paper paper(const Terminal& t) { return {std::clamp(t.columns, kFewest, kMost), ink_of(t)}; }

}  // namespace heed::cli
