#include "data/made/made.h"

#include <algorithm>

#include "base/check.h"

namespace heed::data {
namespace {

constexpr int64_t kMostLetters = 100000;

constexpr MadeKind kKinds[] = {
    {"dates", "a written date of 1900 to 2099, and as 2004-05-03", nullptr, {}, 0, true, false, make_date},
    {"numbers", "a number in words and in digits, either way round", "digits", {1, 9}, 12, true, false, make_number},
    {"reviews",
     "positive or negative, and a text in which few words decide",
     "clauses",
     {1, 4},
     1000,
     true,
     true,
     make_review},
    {"copy", "random letters, and the same once more", "letters", {5, 10}, kMostLetters, false, false, make_copy},
    {"reverse", "random letters, and from the end", "letters", {5, 10}, kMostLetters, false, false, make_reverse},
};

MadeLine line_of(const MadeKind& kind, const MadeOptions& options, Draw& draw) {
  const Lengths lengths = options.length.value_or(kind.usual);
  MadeLine how{.mixed = kind.languages && options.language.value_or(MadeLanguage::both) == MadeLanguage::both,
               .length = draw.between(lengths.least, lengths.most),
               .marked = options.marked};
  const bool chinese = how.mixed ? draw.once_in(2) : options.language == MadeLanguage::chinese;
  how.language = chinese ? Language::chinese : Language::english;
  return how;
}

}  // namespace

std::span<const MadeKind> made_kinds() { return kKinds; }

const MadeKind& made_kind(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& kind) { return kind.name == name; });
  if (found != std::end(kKinds)) return *found;
  std::string known;
  for (const MadeKind& kind : kKinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.name);
  fail(ErrorKind::usage, "data", "no made data '{}'; there are {}", name, known);
}

void check_options(const MadeKind& kind, const MadeOptions& options) {
  check(kind.counted || !options.length, kind.name, "there is no length to choose");
  check(kind.languages || !options.language, kind.name, "there is no language to choose");
  check(kind.marks || !options.marked, kind.name, "no words decide that could be marked");
  if (const auto& length = options.length)
    check(length->least >= 1 && length->least <= length->most && length->most <= kind.most, kind.name,
          "{} to {} {}, wanted two lengths of 1 to {}", length->least, length->most, kind.counted, kind.most);
}

Row made_row(const MadeKind& kind, int64_t line, const MadeOptions& options) {
  Draw draw(options.seed, line);
  const MadeLine how = line_of(kind, options, draw);
  return {line, kind.make(draw, how)};
}

}  // namespace heed::data

namespace heed {

std::vector<Row> made_data(const std::string& name, int64_t lines, const MadeOptions& options) {
  const data::MadeKind& kind = data::made_kind(name);
  data::check_options(kind, options);
  check(lines >= 0, "data", "{} lines, wanted at least 0", lines);
  std::vector<Row> rows;
  for (int64_t line = 1; line <= lines; ++line) rows.push_back(data::made_row(kind, line, options));
  return rows;
}

}  // namespace heed
