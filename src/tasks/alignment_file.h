// Which words of two texts belong together, from a file with a line a pair: 0-0 1-2 …, the source's before the
// target's, counted from 0. As fast_align writes it (Dyer, Chahuneau & Smith 2013) and Marian reads it.
#pragma once

#include <heed/generate.h>
#include <heed/text.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tasks/token_rows.h"

namespace heed {

// What the file counts. words: what stands between spaces, however it is cut into tokens; tokens: heed's own.
enum class AlignmentUnit { words, tokens };
constexpr std::array<std::pair<const char*, AlignmentUnit>, 2> names_of(AlignmentUnit) {
  return {{{"words", AlignmentUnit::words}, {"tokens", AlignmentUnit::tokens}}};
}

class AlignmentFile {
 public:
  struct Side {
    const std::string& text;
    const std::vector<Token>& tokens;
  };
  // above: so many lines of the data have none here, which the first of these belongs behind.
  AlignmentFile(const std::string& path, AlignmentUnit unit, int64_t above = 0)
      : path_(path), unit_(unit), above_(above), lines_(read_lines(path)) {}

  // The links of a line of the data, between tokens, each once. Lines are asked for from above to below. Error(data)
  // naming file and line for one that is not there or not of these texts.
  std::vector<Link> links(int64_t line, const Side& source, const Side& target);
  void check_end();  // Error(data) where it holds more lines than were asked for

 private:
  std::string path_;
  AlignmentUnit unit_;
  int64_t above_;
  RowReader lines_;
  Row row_;
};

// For each word of a text, what stands between spaces, the numbers of its tokens.
std::vector<std::vector<int32_t>> tokens_of_words(const AlignmentFile::Side& side);

// Links as rows of numbers: source, target, source, target … And as Pass::alignment wants them: (B,targets,sources),
// rows that sum to 1, or of zeros.
void add_links(TokenRows& rows, const std::vector<Link>& links);
Tensor alignment_of(const TokenRows& links, std::span<const int64_t> examples, int64_t targets, int64_t sources);

}  // namespace heed
