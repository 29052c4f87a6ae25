#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace heed::cli {
namespace {

constexpr int kColumns = 80, kFewest = 30;

std::string said(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

explain::Ink ink_of(const Terminal& t) {
  if (t.columns == 0 || !t.no_color.empty() || t.term.empty() || t.term == "dumb") return explain::Ink::blocks;
  if (t.colorterm == "truecolor" || t.colorterm == "24bit") return explain::Ink::true_colour;
  if (t.term.find("256color") != std::string::npos) return explain::Ink::colours_256;
  return explain::Ink::sixteen_colours;
}

}  // namespace

Terminal terminal() {
  Terminal t{0, said("NO_COLOR"), said("TERM"), said("COLORTERM")};
  winsize size = {};
  if (::isatty(STDOUT_FILENO))
    t.columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumns;
  return t;
}

explain::Paper paper(const Terminal& t) {
  return {std::max(kFewest, t.columns == 0 ? kColumns : t.columns), ink_of(t)};
}

}  // namespace heed::cli
