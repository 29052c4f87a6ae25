#include "explain/alignment.h"

#include <algorithm>
#include <cmath>

#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr int kTallest = 12, kWidest = 16;  // characters of a word of the source, columns of one of the result

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const size_t bytes = std::max<size_t>(1, next_character(text).bytes);
    all.emplace_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return all;
}

// Words upright, their ends on the same line, two columns each.
std::vector<std::string> upright(const std::vector<std::string>& words, const std::string& margin) {
  std::vector<std::vector<std::string>> letters;
  size_t tallest = 0;
  for (const std::string& word : words) {
    letters.push_back(characters_of(shortened(printable(word), kTallest)));
    tallest = std::max(tallest, letters.back().size());
  }
  std::vector<std::string> lines;
  for (size_t row = 0; row < tallest; ++row) {
    std::string line = margin;
    for (const auto& word : letters) {
      const size_t above = tallest - word.size();
      line += padded(row < above ? "" : word[row - above], 2);
    }
    lines.push_back(line);
  }
  return lines;
}

// A softmax leaves nothing at 0: what is less than a tenth of the row's largest is drawn as if it were.
Tensor clear_weights(const Tensor& weights) {
  Tensor clear = weights.clone();
  for (int64_t t = 0; t < clear.dim(0); ++t) {
    const std::vector<double> row = clear[t].values();
    double largest = 0;
    for (const double weight : row) largest = std::max(largest, std::abs(weight));
    for (int64_t j = 0; j < clear.dim(1); ++j)
      if (std::abs(row[static_cast<size_t>(j)]) < largest / 10) clear[t].slice(0, j, j + 1).fill(0);
  }
  return clear;
}

}  // namespace

std::vector<std::string> alignment(const Tensor& weights, const std::vector<std::string>& words,
                                   const std::vector<std::string>& source, Ink ink, int most) {
  std::vector<std::string> labels, lines;
  const Tensor clear = clear_weights(weights);
  int width = 0;
  for (const std::string& word : words) {
    labels.push_back(shortened(printable(word), kWidest));
    width = std::max(width, columns(labels.back()));
  }
  const int64_t part = std::max(1, (most - width - 2) / 2), count = weights.dim(1);
  for (int64_t begin = 0; begin < count; begin += part) {
    const int64_t end = std::min(count, begin + part);
    for (std::string& line :
         upright({source.begin() + begin, source.begin() + end}, std::string(static_cast<size_t>(width) + 2, ' ')))
      lines.push_back(std::move(line));
    const std::vector<std::string> rows = picture(clear.slice(1, begin, end), ink);
    for (size_t t = 0; t < rows.size(); ++t) lines.push_back(padded(labels[t], width) + "  " + rows[t]);
  }
  return lines;
}

}  // namespace heed::explain
