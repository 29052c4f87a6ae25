// Tokenisers on one core: words a second and megabytes a second beside what is promised (a million words, ten
// megabytes), SentencePiece beside the library called by itself, as its command-line tool calls it.
#include <fmt/format.h>
#include <heed/text.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/philox.h"
#include "bench/bench.h"
#include "bench/cases.h"

namespace heed::bench {
namespace {

constexpr size_t kWords = 20000, kLines = 20000, kWordsOfLine = 16;

// Made-up words of two to four syllables; as in a language, the n-th most frequent word is 1/n as frequent as the first
// (Zipf), with capitals at the beginning of a line and a full stop at its end.
class Language {
 public:
  Language() {
    for (uint64_t i = 0; i < kWords; ++i) {
      words_.push_back(word(i));
      sums_.push_back((i > 0 ? sums_.back() : 0) + 1.0 / static_cast<double>(i + 2));
    }
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines(kLines);
    for (size_t i = 0; i < kLines; ++i) {
      for (size_t k = 0; k < kWordsOfLine; ++k)
        lines[i] += (k == 0 ? "" : k % 7 == 6 ? ", " : " ") + drawn(i * kWordsOfLine + k);
      lines[i][0] = static_cast<char>(lines[i][0] - 'a' + 'A'), lines[i] += '.';
    }
    return lines;
  }

 private:
  static std::string word(uint64_t i) {
    constexpr std::string_view kFirst = "bcdfghjklmnprstvwz", kSecond = "aeiou", kThird = "  nrstl";
    std::string word;
    const auto draw = philox(1, 0, i);
    for (uint32_t k = 0, rest = draw[0]; k < 1 + draw[1] % 3; ++k, rest = draw[2] >> (8 * k)) {
      word += kFirst[rest % kFirst.size()];
      word += kSecond[rest / 32 % kSecond.size()];
      if (const char last = kThird[rest / 256 % kThird.size()]; last != ' ') word += last;
    }
    return word;
  }
  const std::string& drawn(uint64_t position) const {
    const double at = philox(2, 0, position)[0] * 0x1p-32 * sums_.back();
    return words_[static_cast<size_t>(std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin())];
  }
  std::vector<std::string> words_;
  std::vector<double> sums_;
};

using Parts = std::vector<std::string>;

// The most frequent pair of neighbours, the first of several.
std::pair<std::string, std::string> best_pair(const std::map<std::string, std::pair<Parts, int>>& words) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto& [word, entry] : words)
    for (size_t i = 0; i + 1 < entry.first.size(); ++i) counts[{entry.first[i], entry.first[i + 1]}] += entry.second;
  return std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; })->first;
}

// A byte-level tokeniser whose merges are learned from some of the lines (Sennrich et al. 2016, figure 1).
Tokenizer byte_level_bpe(const std::vector<std::string>& lines) {
  const Tokenizer bytes = train_tokenizer({}, {.cut = Cut::bytes, .form = Form::none, .vocabulary = {.special = {}}});
  auto json = nlohmann::json::parse(bytes.to_bytes());
  json["pre_tokenizer"]["use_regex"] = true;
  std::map<std::string, std::pair<Parts, int>> words;
  for (size_t i = 0; i < 1000; ++i)
    for (size_t begin = 0, end; begin < lines[i].size(); begin = end) {
      end = std::min(lines[i].find(' ', begin + 1), lines[i].size());
      auto& [parts, count] = words[lines[i].substr(begin, end - begin)];
      if (count++ > 0) continue;
      for (const char byte : lines[i].substr(begin, end - begin))
        parts.push_back(byte == ' ' ? "Ġ" : std::string(1, byte));
    }
  for (int merge = 0; merge < 1000; ++merge) {
    const auto [left, right] = best_pair(words);
    json["model"]["merges"].push_back({left, right});
    json["model"]["vocab"].emplace(left + right, json["model"]["vocab"].size());
    for (auto& [word, entry] : words)
      for (size_t i = 0; i + 1 < entry.first.size(); ++i)
        if (entry.first[i] == left && entry.first[i + 1] == right) {
          entry.first[i] += right;
          entry.first.erase(entry.first.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
  return Tokenizer::from_bytes(json.dump(), "bench");
}

void encode_each(const Tokenizer& tokenizer, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) tokenizer.encode(line);
}

void bench_sentence_piece(Bench& bench, const std::vector<std::string>& lines, double megabytes) {
  for (const auto& [name, model] : {std::pair{"text: SentencePiece unigram", SubwordModel::unigram},
                                    std::pair{"text: SentencePiece BPE", SubwordModel::bpe}}) {
    if (!bench.wants(name)) continue;
    const std::vector<std::string> some(lines.begin(), lines.begin() + 4000);
    const Tokenizer tokenizer = train_subwords(some, {.model = model, .size = 2000});
    sentencepiece::SentencePieceProcessor plain;
    plain.LoadFromSerializedProto(tokenizer.to_bytes()).IgnoreError();
    bench.against(
        name, fmt::format("{} subwords", tokenizer.size()), 4000 * megabytes / kLines, "MB/s",
        [&] {
          for (const std::string& line : some) tokenizer.ids(line);
        },
        [&] {
          std::vector<int> ids;
          for (const std::string& line : some) plain.Encode(line, &ids).IgnoreError();
        });
  }
}

}  // namespace

void run_text(const Options& options) {
  Bench bench(options);
  const std::vector<std::string> lines = Language().lines();
  double megabytes = 0;
  for (const std::string& line : lines) megabytes += static_cast<double>(line.size()) * 1e-6;
  const std::string shape = fmt::format("{:.1f} MB", megabytes);
  constexpr double kMillionWords = kLines * kWordsOfLine * 1e-6;
  const auto words = [&](const char* name, const TokenizerOptions& of) {
    if (!bench.wants(name)) return;
    const Tokenizer tokenizer = train_tokenizer(lines, of);
    bench.promised(name, shape, kMillionWords, "Mwords/s", 1, [&] { encode_each(tokenizer, lines); });
  };
  words("text: words", {});
  words("text: words, NFKC, lower case", {.form = Form::nfkc, .lower = true, .keep_spaces = false});
  words("text: words, stop words, stems", {.lower = true, .stop_words = "en", .stem = "english"});
  words("text: white space", {.cut = Cut::whitespace});
  words("text: characters", {.cut = Cut::characters});
  const char* const kBpe = "text: byte-level BPE";
  if (bench.wants(kBpe)) {
    const Tokenizer tokenizer = byte_level_bpe(lines);
    bench.promised(kBpe, shape, megabytes, "MB/s", 10, [&] { encode_each(tokenizer, lines); });
    bench.scaling("text: byte-level BPE, all cores", shape, [&] { tokenizer.encode_all(lines); });
  }
  bench_sentence_piece(bench, lines, megabytes);
}

}  // namespace heed::bench
