// The dictionary at the front of a npy file: the part of Python's literals that NumPy writes there, read strictly.
#include <algorithm>

#include "base/check.h"
#include "tensor/npy.h"
#include "tensor/unicode.h"

namespace heed::npy {
namespace {

constexpr int64_t kMostHeader = 1 << 20;
constexpr size_t kMostDimensions = 64;  // as many as NumPy allows

class Literal {
 public:
  Literal(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  // The next character that is no space; 0 at the end.
  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) { check_format(take(wanted), where_, "header: '{}' is missing at byte {}", wanted, at_); }
  bool at_end() { return peek() == '\0' && at_ >= text_.size(); }

  std::string_view string() {
    const char quote = peek();
    check_format(quote == '\'' || quote == '"', where_, "header: text is missing at byte {}", at_);
    const size_t begin = ++at_;
    const size_t end = text_.find_first_of(std::string{quote, '\\'}, begin);
    check_format(end != std::string_view::npos && text_[end] == quote, where_, "header: unfinished text at byte {}",
                 begin);
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }

  bool boolean() {
    if (word("True")) return true;
    check_format(word("False"), where_, "fortran_order: neither True nor False");
    return false;
  }

  // Passes over a list or tuple: its brackets are counted, what is in it is not looked at.
  void skip_brackets() {
    int64_t depth = 0;
    do {
      const char next = peek();
      check_format(next != '\0', where_, "header: unfinished list");
      if (next == '\'' || next == '"') {
        string();
        continue;
      }
      depth += (next == '[' || next == '(') - (next == ']' || next == ')');
      ++at_;
    } while (depth > 0);
  }

  int64_t size() {
    check_format(peek() >= '0' && peek() <= '9', where_, "shape: a size is no whole number of zero or more");
    int64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      check_format(!multiply_overflows(value, 10, &value) && !add_overflows(value, text_[at_] - '0', &value), where_,
                   "shape: a size does not fit into 64 bits");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
    return value;
  }

  std::vector<int64_t> shape() {
    check_format(take('('), where_, "shape: not in parentheses");
    std::vector<int64_t> sizes;
    while (!take(')')) {
      sizes.push_back(size());
      check_format(sizes.size() <= kMostDimensions, where_, "shape: more than {} dimensions", kMostDimensions);
      if (!take(',')) {
        check_format(sizes.size() > 1, where_, "shape: one size without a comma is no tuple");
        expect(')');
        break;
      }
    }
    return sizes;
  }

 private:
  bool word(std::string_view wanted) {
    peek();
    if (text_.substr(std::min(at_, text_.size()), wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  std::string_view text_, where_;
  size_t at_ = 0;
};

// '<f4': byte order, kind, bytes of an element.
void read_dtype(std::string_view text, std::string_view where, Header* header) {
  const std::string shown = shortened(printable(text), 40);
  check_format(text.size() >= 2 && std::string_view("<>=|").find(text[0]) != std::string_view::npos, where,
               "dtype: '{}' has no byte order", shown);
  struct Kind {
    std::string_view name;
    Encoding encoding;
  };
  constexpr Kind kKinds[] = {{"b1", Encoding::boolean}, {"i1", Encoding::i8},  {"u1", Encoding::u8},
                             {"i2", Encoding::i16},     {"u2", Encoding::u16}, {"f2", Encoding::f16},
                             {"i4", Encoding::i32},     {"u4", Encoding::u32}, {"f4", Encoding::f32},
                             {"i8", Encoding::i64},     {"u8", Encoding::u64}, {"f8", Encoding::f64},
                             {"c8", Encoding::c64}};
  header->dtype = shown;
  header->swapped = text[0] == '>';
  const auto kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == text.substr(1); });
  if (kind != std::end(kKinds)) header->encoding = kind->encoding;
}

void parse_dictionary(std::string_view text, std::string_view where, Header* header) {
  Literal literal(text, where);
  unsigned seen = 0;
  const auto once = [&](unsigned bit, std::string_view key) {
    check_format(!(seen & bit), where, "duplicate: '{}' is in the header twice", key);
    seen |= bit;
  };
  literal.expect('{');
  while (!literal.take('}')) {
    const std::string_view key = literal.string();
    literal.expect(':');
    if (key == "descr") {
      once(1, key);
      if (literal.peek() == '[' || literal.peek() == '(')
        literal.skip_brackets(), header->dtype = "record";
      else
        read_dtype(literal.string(), where, header);
    } else if (key == "fortran_order") {
      once(2, key);
      header->columns_first = literal.boolean();
    } else if (key == "shape") {
      once(4, key);
      header->shape = literal.shape();
    } else {
      fail(ErrorKind::format, where, "header: unknown key '{}'", shortened(printable(key), 40));
    }
    if (!literal.take(',')) {
      literal.expect('}');
      break;
    }
  }
  check_format(literal.at_end(), where, "header: something follows the dictionary");
  check_format(seen == 7, where, "missing: descr, fortran_order or shape is not in the header");
}

}  // namespace

bool is_npy(std::span<const uint8_t> file) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  return file.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), reinterpret_cast<const char*>(file.data()));
}

Header parse(std::span<const uint8_t> file, std::string_view where) {
  check_format(is_npy(file), where, "no npy file: it does not begin with \\x93NUMPY");
  check_format(file.size() >= 10, where, "header length: the file ends within it");
  const int major = file[6], minor = file[7];
  check_format(major >= 1 && major <= 3 && minor == 0, where, "version: {}.{}, wanted 1.0, 2.0 or 3.0", major, minor);
  const size_t length_bytes = major == 1 ? 2 : 4;
  check_format(file.size() >= 8 + length_bytes, where, "header length: the file ends within it");
  int64_t length = 0;
  for (size_t i = length_bytes; i-- > 0;) length = length << 8 | file[8 + i];
  Header header;
  header.data_begin = static_cast<int64_t>(8 + length_bytes) + length;
  check_format(length <= kMostHeader, where, "header length: {} bytes, at most {} are allowed", length, kMostHeader);
  check_format(header.data_begin <= static_cast<int64_t>(file.size()), where,
               "header length: {} bytes, the file has {} after it", length, file.size() - 8 - length_bytes);
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8 + length_bytes,
                              static_cast<size_t>(length));
  check_format(major < 3 || valid_utf8(text), where, "header: is not UTF-8");
  parse_dictionary(text, where, &header);
  return header;
}

}  // namespace heed::npy
