// Does heed's tokenizer.json do what Hugging Face's tokenizers do, on 10,000 lines of mixed text? make_tokenizers.py
// says what the files hold.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <heed/io.h>
#include <heed/text.h>

#include <map>

#include "tensor/unicode.h"

namespace heed {
namespace {

uint64_t fnv(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325u) {
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}
template <class T>
uint64_t fnv_of(const std::vector<T>& values) {
  return fnv({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}
template <class T>
std::span<const T> elements(const Tensor& tensor) {
  return {tensor.data<T>(), static_cast<size_t>(tensor.numel())};
}
std::string bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data<uint8_t>()), static_cast<size_t>(tensor.numel())};
}

const TensorFile& golden(const std::string& name) {
  static std::map<std::string, TensorFile> files;
  const auto found = files.find(name);
  return found != files.end() ? found->second : files.emplace(name, load_npz(HEED_GOLDEN "/" + name)).first->second;
}

const std::vector<std::string>& lines() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> lines;
    const std::string text = bytes_of(golden("tokenizers.npz")["lines"]);
    size_t at = 0;
    for (const int32_t length : elements<int32_t>(golden("tokenizers.npz")["line_lengths"]))
      lines.push_back(text.substr(at, static_cast<size_t>(length))), at += static_cast<size_t>(length);
    return lines;
  }();
  return all;
}

std::vector<int32_t> ids_of(const std::vector<Token>& tokens) {
  std::vector<int32_t> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  return ids;
}

struct Golden {
  std::string file, name;
};
std::ostream& operator<<(std::ostream& out, const Golden& golden) { return out << golden.name; }

class Tokenizers : public ::testing::TestWithParam<Golden> {
 protected:
  const Tensor& value(const std::string& key) const { return golden(GetParam().file)[GetParam().name + "/" + key]; }
  Tokenizer tokenizer() const { return Tokenizer::from_bytes(bytes_of(value("json")), GetParam().name); }
  void expect_all(const Tokenizer& tokenizer) const;
};

void Tokenizers::expect_all(const Tokenizer& tokenizer) const {
  ASSERT_EQ(lines().size(), 10000u);
  const auto want = elements<uint8_t>(value("line_sums"));
  const auto encoded = tokenizer.encode_all(lines());
  std::vector<uint64_t> sums;
  int wrong = 0;
  std::string decoded;
  for (size_t i = 0; i < encoded.size(); ++i) {
    const std::vector<int32_t> ids = ids_of(encoded[i]);
    sums.push_back(fnv_of(ids));
    if ((sums.back() & 255) != want[i] && ++wrong < 5)
      ADD_FAILURE() << "line " << i << ": '" << printable(lines()[i]) << "' got "
                    << fmt::format("{}", fmt::join(ids, " "));
    decoded += (i > 0 ? "\n" : "") + tokenizer.decode(ids);
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(static_cast<int64_t>(fnv_of(sums)), value("sum").at<int64_t>({0}));
  EXPECT_EQ(static_cast<int64_t>(fnv(decoded)), value("text_sum").at<int64_t>({0}));
}

TEST_P(Tokenizers, IdsAndTextOfAllLines) { expect_all(tokenizer()); }

TEST_P(Tokenizers, WrittenAndReadAgain) {
  const std::string written = tokenizer().to_bytes();
  const Tokenizer again = Tokenizer::from_bytes(written, "again");
  EXPECT_EQ(again.to_bytes(), written);
  expect_all(again);
}

TEST_P(Tokenizers, IdsOfTheFirstLines) {
  const Tokenizer own = tokenizer();
  const auto want = elements<int32_t>(value("ids"));
  size_t line = 0, at = 0;
  for (const int32_t length : elements<int32_t>(value("lengths"))) {
    const auto ids = want.subspan(at, static_cast<size_t>(length));
    EXPECT_EQ(own.ids(lines()[line]), std::vector<int32_t>(ids.begin(), ids.end())) << printable(lines()[line]);
    at += static_cast<size_t>(length), ++line;
  }
  EXPECT_EQ(line, 200u);
}

struct Place {
  int64_t begin, end;
  bool operator==(const Place&) const = default;
  bool empty() const { return begin == end; }
  bool contains(const Place& other) const { return begin <= other.begin && other.end <= end; }
};
// Hugging Face's places are whole characters.
Place widened(const Token& token, const std::string& line) {
  const auto inside = [&](int64_t at) {
    return at > 0 && at < static_cast<int64_t>(line.size()) &&
           (static_cast<uint8_t>(line[static_cast<size_t>(at)]) & 0xc0) == 0x80;
  };
  Place place{token.begin, token.end};
  if (place.begin == place.end) return place;
  while (inside(place.begin)) --place.begin;
  while (inside(place.end)) ++place.end;
  return place;
}

// The places differ in few tokens and on purpose: a character that was put together from several (é from e and its
// mark, a space from three) comes from all of them, not from the first; a byte of a character that is no token comes
// from that character, not from all unknown ones around it; a mark that was put before the text comes from nothing.
TEST_P(Tokenizers, PlacesInTheInput) {
  const Tokenizer own = tokenizer();
  const auto begins = elements<int32_t>(value("begins")), ends = elements<int32_t>(value("ends"));
  size_t line = 0, at = 0, compared = 0, same = 0;
  for (const int32_t length : elements<int32_t>(value("lengths"))) {
    const std::vector<Token> tokens = own.encode(lines()[line]);
    ASSERT_EQ(tokens.size(), static_cast<size_t>(length));
    for (size_t i = 0; i < tokens.size(); ++i) {
      const Place want{begins[at + i], ends[at + i]}, got = widened(tokens[i], lines()[line]);
      if (want.begin < 0) continue;
      ++compared, same += got == want;
      EXPECT_TRUE(got.contains(want) || want.contains(got) || (got.empty() && want.empty()))
          << "token " << i << " '" << own.token_of(tokens[i].id) << "' of '" << printable(lines()[line])
          << "': " << got.begin << "-" << got.end << ", wanted " << want.begin << "-" << want.end;
    }
    at += static_cast<size_t>(length), ++line;
  }
  EXPECT_GT(compared, 500u);
  EXPECT_GT(static_cast<double>(same), 0.95 * static_cast<double>(compared));
}

TEST_P(Tokenizers, Pairs) {
  const Tokenizer own = tokenizer();
  std::vector<int32_t> got;
  for (size_t i = 0; i < 50; ++i) {
    const std::vector<Token> tokens = own.encode_pair(lines()[2 * i], lines()[2 * i + 1]);
    for (const Token& token : tokens) got.push_back(token.id);
    for (const Token& token : tokens) got.push_back(token.segment);
  }
  const auto want = elements<int32_t>(value("pairs"));
  EXPECT_EQ(got, std::vector<int32_t>(want.begin(), want.end()));
}

INSTANTIATE_TEST_SUITE_P(All, Tokenizers,
                         ::testing::Values(Golden{"tokenizers.npz", "word_level"}, Golden{"tokenizers.npz", "byte_bpe"},
                                           Golden{"tokenizers.npz", "bert"}, Golden{"tokenizers.npz", "llama"},
                                           Golden{"tokenizers_more.npz", "roberta"},
                                           Golden{"tokenizers_more.npz", "split_bpe"},
                                           Golden{"tokenizers_more.npz", "ended_words"},
                                           Golden{"tokenizers_more.npz", "byte_unigram"},
                                           Golden{"tokenizers_unigram.npz", "unigram"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace heed
