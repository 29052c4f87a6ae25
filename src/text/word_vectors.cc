// Word vectors in the formats of word2vec (Mikolov et al. 2013) and GloVe (Pennington, Socher & Manning 2014).
//   word2vec text:   "COUNT WIDTH\n", then a line a word: the word, a space, its numbers with spaces between them
//   word2vec binary: the same first line; then the word, a space, its numbers as 32-bit floats, perhaps a line feed
//   GloVe:           lines without the first one; a word may have spaces in it, the numbers are the last ones
#include <heed/text.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "base/check.h"
#include "tensor/file.h"
#include "text/characters.h"
#include "text/vocabulary.h"
#include "text/word_vectors.h"

namespace heed {
namespace tokenize {
namespace {

constexpr int64_t kWidest = 1 << 16;

// A number at the beginning of the text, which it is taken from.
bool take_number(std::string_view& text, float* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error != std::errc() || !std::isfinite(*number)) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}
bool take_count(std::string_view& text, int64_t* count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *count);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}
std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }
std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

struct Header {
  int64_t count = 0, width = 0;
};
// "COUNT WIDTH", and nothing else.
std::optional<Header> header_of(std::string_view line) {
  Header header;
  line = without_end(line);
  if (!take_count(line, &header.count) || line.empty() || line[0] != ' ') return std::nullopt;
  line.remove_prefix(1);
  if (!take_count(line, &header.width) || !line.empty()) return std::nullopt;
  return header;
}

// As many numbers as the end of the line has.
int64_t numbers_at_end(std::string_view line) {
  int64_t count = 0;
  for (line = without_end(line);; ++count) {
    const size_t space = line.rfind(' ');
    if (space == std::string_view::npos || space == 0) return count;
    std::string_view last = line.substr(space + 1);
    float number;
    if (!take_number(last, &number) || !last.empty()) return count;
    line = without_end(line.substr(0, space));
  }
}

class Reader {
 public:
  Reader(std::string_view content, const std::string& path, const WordVectorOptions& options)
      : rest_(content), where_(path), options_(options) {}

  WordVectors read() {
    const std::optional<Header> header = header_of(first_line(rest_));
    VectorFormat format = options_.format;
    if (format == VectorFormat::detect) format = detected(header);
    if (format == VectorFormat::glove) {
      width_ = numbers_at_end(first_line(rest_));
      check_format(width_ >= 1 && width_ <= kWidest, where_, "line 1: {} numbers behind a word, wanted 1 to {}", width_,
                   kWidest);
      read_lines(1);
    } else {
      check_format(header.has_value(), where_,
                   "line 1: wanted the number of words and the width, as word2vec writes them");
      check_format(header->width >= 1 && header->width <= kWidest, where_, "line 1: the width is {}, wanted 1 to {}",
                   header->width, kWidest);
      width_ = header->width, promised_ = header->count;
      rest_.remove_prefix(std::min(first_line(rest_).size() + 1, rest_.size()));
      format == VectorFormat::word2vec_text ? read_lines(2) : read_binary();
      check_format(seen_ == promised_ || stopped_, where_, "has {} words, its first line says {}", seen_, promised_);
    }
    return finish();
  }

 private:
  VectorFormat detected(const std::optional<Header>& header) const {
    if (!header) return VectorFormat::glove;
    std::string_view second = rest_.substr(std::min(first_line(rest_).size() + 1, rest_.size()));
    const std::string_view line = first_line(second);
    // A text line ends in as many numbers as the header says.
    return numbers_at_end(line) >= header->width ? VectorFormat::word2vec_text : VectorFormat::word2vec_binary;
  }

  bool is_enough() { return stopped_ = stopped_ || (options_.most > 0 && seen_ >= options_.most); }

  void read_lines(int64_t number) {
    for (; !rest_.empty() && !is_enough(); ++number) {
      const std::string_view line = without_end(first_line(rest_));
      rest_.remove_prefix(std::min(first_line(rest_).size() + 1, rest_.size()));
      if (line.empty()) continue;
      read_line(line, number);
    }
  }

  void read_line(std::string_view line, int64_t number) {
    // From the end: a word may have spaces in it.
    size_t begin = line.size();
    for (int64_t i = 0; i < width_ && begin != std::string_view::npos && begin > 0; ++i)
      begin = line.rfind(' ', begin - 1);
    check_format(begin != std::string_view::npos && begin > 0, where_, "line {}: fewer than {} numbers behind a word",
                 number, width_);
    std::string_view numbers = line.substr(begin);
    std::vector<float> row(static_cast<size_t>(width_));
    for (float& value : row) {
      if (!numbers.empty()) numbers.remove_prefix(1);
      check_format(take_number(numbers, &value), where_, "line {}: '{}' is no number", number,
                   shortened(printable(numbers.substr(0, numbers.find(' '))), 40));
    }
    check_format(numbers.empty(), where_, "line {}: '{}' behind the last number", number,
                 shortened(printable(numbers), 40));
    add(line.substr(0, begin), row.data());
  }

  void read_binary() {
    const size_t bytes = static_cast<size_t>(width_) * sizeof(float);
    std::vector<float> row(static_cast<size_t>(width_));
    while (seen_ < promised_ && !is_enough()) {
      while (!rest_.empty() && rest_[0] == '\n') rest_.remove_prefix(1);
      const size_t space = rest_.substr(0, 4096).find(' ');
      check_format(space != std::string_view::npos && space > 0 && rest_.size() - space - 1 >= bytes, where_,
                   "word {} of {}: the file ends within it, or no word is there", seen_ + 1, promised_);
      std::memcpy(row.data(), rest_.data() + space + 1, bytes);
      for (const float value : row)
        check_format(std::isfinite(value), where_, "word {}: has a number that is none", seen_ + 1);
      const std::string_view word = rest_.substr(0, space);
      rest_.remove_prefix(space + 1 + bytes);
      add(word, row.data());
    }
  }

  // A word that is no UTF-8 is passed over: no text has it. Of two that are the same the first counts.
  void add(std::string_view word, const float* row) {
    ++seen_;
    if (!valid_utf8(word) || (options_.wanted && !is_wanted(word)) || !known_.insert(std::string(word)).second) return;
    words_.emplace_back(word);
    values_.insert(values_.end(), row, row + width_);
  }
  bool is_wanted(std::string_view word) const {
    return options_.wanted->id_of(word) || options_.wanted->id_of("\u2581" + std::string(word));
  }

  WordVectors finish() {
    Tensor vectors({static_cast<int64_t>(words_.size()), width_}, Dtype::f32);
    if (!values_.empty()) std::memcpy(vectors.raw(), values_.data(), values_.size() * sizeof(float));
    return {std::move(words_), std::move(vectors)};
  }

  std::string_view rest_;
  const std::string& where_;
  const WordVectorOptions& options_;
  int64_t width_ = 0, promised_ = 0, seen_ = 0;
  bool stopped_ = false;
  std::vector<std::string> words_;
  std::vector<float> values_;
  std::unordered_set<std::string> known_;
};

double deviation_of(std::span<const float> values) {
  double sum = 0, squares = 0;
  for (const float value : values) sum += value, squares += double{value} * value;
  const double n = static_cast<double>(values.size()), mean = sum / n;
  return std::sqrt(std::max(0.0, squares / n - mean * mean));
}

std::string lower(std::string_view text) {
  std::string out;
  each_character(text, [&](uint32_t code, size_t, size_t) {
    append_character(out, static_cast<uint32_t>(u_tolower(static_cast<UChar32>(code))));
  });
  return out;
}

}  // namespace

WordVectors word_vectors_of(std::string_view content, const std::string& where, const WordVectorOptions& options) {
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  return Reader(content, where, options).read();
}

}  // namespace tokenize

WordVectors load_word_vectors(const std::string& path, const WordVectorOptions& options) {
  const Bytes file = map_file(path);
  return tokenize::word_vectors_of({reinterpret_cast<const char*>(file.data), static_cast<size_t>(file.size)}, path,
                                   options);
}

WordEmbedding embedding_of(const Tokenizer& tokenizer, const WordVectors& vectors, Random& from) {
  check(vectors.vectors.defined() && vectors.vectors.rank() == 2 && !vectors.words.empty() &&
            vectors.vectors.shape()[0] == static_cast<int64_t>(vectors.words.size()) &&
            vectors.vectors.dtype() == Dtype::f32 && vectors.vectors.contiguous(),
        "embedding_of", "wanted a row of f32 for each of {} words, at least one", vectors.words.size());
  tokenize::TextMap<size_t> rows;
  for (size_t i = 0; i < vectors.words.size(); ++i) rows.emplace(vectors.words[i], i);
  const int64_t width = vectors.vectors.shape()[1];
  const std::span<const float> values{vectors.vectors.data<float>(), static_cast<size_t>(vectors.vectors.numel())};
  WordEmbedding made{randn({tokenizer.size(), width}, from), {}};
  float* weight = made.weight.data<float>();
  const double deviation = tokenize::deviation_of(values);
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    float* row = weight + id * width;
    std::string token = tokenizer.token_of(id);
    if (token.starts_with("\u2581")) token.erase(0, 3);
    auto found = rows.find(token);
    if (found == rows.end()) found = rows.find(tokenize::lower(token));
    if (found != rows.end()) {
      std::memcpy(row, values.data() + static_cast<int64_t>(found->second) * width,
                  static_cast<size_t>(width) * sizeof(float));
      continue;
    }
    for (int64_t i = 0; i < width; ++i) row[i] = static_cast<float>(row[i] * deviation);
    made.missing.push_back(id);
  }
  return made;
}

}  // namespace heed
