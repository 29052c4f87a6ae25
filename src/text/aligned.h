// Text on its way through normalisers, and for each byte of it the bytes of the input that it stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed::tokenize {

// Bytes of a text: [begin, end).
struct Span {
  uint32_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

class Aligned {
 public:
  Aligned() = default;
  Aligned(std::string text, uint32_t first) : text_(std::move(text)), first_(first) {}  // unchanged bytes of the input
  Aligned(std::string text, std::vector<Span> origins) : text_(std::move(text)), origins_(std::move(origins)) {}

  std::string_view text() const { return text_; }
  bool empty() const { return text_.empty(); }
  // What the bytes [begin, end) stand for; nothing stands for the place before byte `begin`.
  Span origin(size_t begin, size_t end) const;
  Aligned part(size_t begin, size_t end) const;
  // Bytes may be exchanged for others as long as none is added or lost.
  char* bytes() { return text_.data(); }

 private:
  std::string text_;
  std::vector<Span> origins_;  // empty: byte i is byte first_ + i of the input
  uint32_t first_ = 0;
};

// The next state of a text, built from left to right.
class Rewrite {
 public:
  explicit Rewrite(const Aligned& from) : from_(from) {
    text_.reserve(from.text().size() + 16), origins_.reserve(from.text().size() + 16);
  }
  void keep(size_t begin, size_t end);                                  // bytes as they are
  void put(std::string_view text, size_t begin, size_t end);            // stands for what [begin, end) stood for
  void insert(std::string_view text, size_t at) { put(text, at, at); }  // stands for nothing
  size_t size() const { return text_.size(); }
  Aligned done() { return {std::move(text_), std::move(origins_)}; }

 private:
  const Aligned& from_;
  std::string text_;
  std::vector<Span> origins_;
};

}  // namespace heed::tokenize
