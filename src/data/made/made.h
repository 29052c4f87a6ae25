// Made data: the table of what can be made. Adding one touches two places: its room and its line in made.cc.
#pragma once

#include <heed/text.h>

#include <span>

#include "data/made/draw.h"

namespace heed::data {

// What a room is told of the line that it makes.
enum class Language { english, chinese };
struct MadeLine {
  Language language = Language::english;
  bool mixed = false;  // lines of the other language stand beside it
  int64_t length = 0;
  bool marked = false;
};

struct MadeKind {
  const char* name;
  const char* what;     // a line: what is in the columns
  const char* counted;  // what --length counts; nullptr: there is nothing to count
  Lengths usual;        // where no length is asked for
  int64_t most;         // the longest that can be made
  bool languages;       // whether there are English and Chinese lines
  bool marks;           // whether words decide that can be marked
  std::vector<std::string> (*make)(Draw& draw, const MadeLine& how);
};
std::span<const MadeKind> made_kinds();
const MadeKind& made_kind(std::string_view name);  // Error(usage) where there is none of this name

// Error(usage) where an option means nothing for this kind, or no line can be made so.
void check_options(const MadeKind& kind, const MadeOptions& options);
Row made_row(const MadeKind& kind, int64_t line, const MadeOptions& options);

// The rooms.
std::vector<std::string> make_date(Draw& draw, const MadeLine& how);
std::vector<std::string> make_number(Draw& draw, const MadeLine& how);
std::vector<std::string> make_review(Draw& draw, const MadeLine& how);
std::vector<std::string> make_copy(Draw& draw, const MadeLine& how);
std::vector<std::string> make_reverse(Draw& draw, const MadeLine& how);

}  // namespace heed::data
