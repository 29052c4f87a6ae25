#include "tasks/alignment_file.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/check.h"
#include "models/configuration.h"
#include "tasks/two_numbers.h"
#include "tensor/unicode.h"

namespace heed {
namespace {

using Numbers = std::vector<int32_t>;

bool is_space(char c) { return c == ' ' || c == '\t'; }

struct Piece {
  int64_t begin, end;
};
std::vector<Piece> words_of(std::string_view text) {
  std::vector<Piece> words;
  for (size_t end = 0; end < text.size();) {
    const size_t begin = static_cast<size_t>(std::find_if_not(text.begin() + end, text.end(), is_space) - text.begin());
    end = static_cast<size_t>(std::find_if(text.begin() + begin, text.end(), is_space) - text.begin());
    if (begin < end) words.push_back({static_cast<int64_t>(begin), static_cast<int64_t>(end)});
  }
  return words;
}

// For each position that a file may count, the tokens that it means.
std::vector<Numbers> tokens_of(AlignmentUnit unit, const AlignmentFile::Side& side) {
  if (unit == AlignmentUnit::words) return tokens_of_words(side);
  std::vector<Numbers> tokens;
  for (int32_t n = 0; n < static_cast<int32_t>(side.tokens.size()); ++n) tokens.push_back({n});
  return tokens;
}

}  // namespace

std::vector<std::vector<int32_t>> tokens_of_words(const AlignmentFile::Side& side) {
  std::vector<Numbers> tokens;
  for (const Piece& word : words_of(side.text)) {
    tokens.emplace_back();
    for (int32_t n = 0; n < static_cast<int32_t>(side.tokens.size()); ++n) {
      const Token& token = side.tokens[static_cast<size_t>(n)];
      if (token.begin < word.end && word.begin < token.end) tokens.back().push_back(n);
    }
  }
  return tokens;
}

std::vector<Link> AlignmentFile::links(int64_t line, const Side& source, const Side& target) {
  line -= above_;
  while (row_.line < line)
    if (!lines_.next(&row_)) fail(ErrorKind::data, path_, "has {} lines, wanted one for each pair", row_.line);
  const auto place = [&] { return fmt::format("{}:{}", path_, line); };
  const std::vector<Numbers> sources = tokens_of(unit_, source), targets = tokens_of(unit_, target);
  const auto at = [&](size_t position, const std::vector<Numbers>& of, const char* side) {
    if (position >= of.size())
      fail(ErrorKind::data, place(), "links place {} of the {}, which has {} {}, counted from 0", position, side,
           of.size(), field_text(unit_));
    return of[position];
  };
  std::set<std::pair<int64_t, int64_t>> links;
  const std::string& text = row_.values[0];
  for (const Piece& piece : words_of(text)) {
    const std::string_view written = std::string_view(text).substr(piece.begin, piece.end - piece.begin);
    const auto positions = two_numbers<size_t>(written, '-');
    if (!positions)
      fail(ErrorKind::data, place(), "'{}' is no link, wanted SOURCE-TARGET as in 0-0 1-2",
           shortened(printable(std::string(written)), 40));
    const Numbers from = at(positions->first, sources, "source"), to = at(positions->second, targets, "target");
    for (const int32_t source_token : from)
      for (const int32_t target_token : to) links.emplace(source_token, target_token);
  }
  std::vector<Link> sorted;
  for (const auto& [from, to] : links) sorted.push_back({from, to});
  return sorted;
}

void AlignmentFile::check_end() {
  const int64_t asked = row_.line;
  if (lines_.next(&row_)) fail(ErrorKind::data, path_, "goes on after line {}, the last that belongs to a pair", asked);
}

void add_links(TokenRows& rows, const std::vector<Link>& links) {
  std::vector<int32_t> numbers;
  for (const Link& link : links)
    numbers.push_back(static_cast<int32_t>(link.source)), numbers.push_back(static_cast<int32_t>(link.target));
  rows.add(numbers);
}

Tensor alignment_of(const TokenRows& links, std::span<const int64_t> examples, int64_t targets, int64_t sources) {
  Tensor alignment = Tensor::zeros({static_cast<int64_t>(examples.size()), targets, sources});
  float* row = alignment.data<float>();
  for (const int64_t n : examples) {
    const auto of_pair = links[n];
    for (size_t i = 0; i < of_pair.size(); i += 2) row[of_pair[i + 1] * sources + of_pair[i]] = 1;
    for (int64_t t = 0; t < targets; ++t, row += sources) {
      const float sum = std::accumulate(row, row + sources, 0.0f);
      if (sum > 0) std::transform(row, row + sources, row, [&](float x) { return x / sum; });
    }
  }
  return alignment;
}

}  // namespace heed
