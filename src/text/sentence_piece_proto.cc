#include "text/sentence_piece_proto.h"

#include <cmath>
#include <cstring>
#include <map>

#include "base/check.h"
#include "tensor/unicode.h"
#include "text/normalizers/charsmap.h"
#include "text/vocabulary.h"

namespace heed::tokenize {
namespace {

enum class PieceType { normal = 1, unknown, control, user_defined, unused, byte };

// Fields of a message (protobuf.dev, "Encoding").
class Message {
 public:
  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;      // of a number
    std::string_view bytes;  // of a text, bytes or a message
  };
  Message(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  bool next(Field* field) {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    *field = {tag >> 3, 0, {}};
    switch (tag & 7) {
      case 0: field->value = varint(); break;
      case 1: std::memcpy(&field->value, take(8).data(), 8); break;
      case 2: field->bytes = take(varint()); break;
      case 5: std::memcpy(&field->value, take(4).data(), 4); break;
      default: fail(ErrorKind::format, where_, "is no SentencePiece model: a field has the type {}", tag & 7);
    }
    return true;
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail(ErrorKind::format, where_, "is no SentencePiece model: a number has more than 64 bits");
  }
  std::string_view take(uint64_t count) {
    check_format(count <= rest_.size(), where_, "is no SentencePiece model, or its end is missing");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
  const std::string& where_;
};

std::string text_of_piece(std::string_view bytes, const std::string& where) {
  std::string text;
  Message piece(bytes, where);
  for (Message::Field field; piece.next(&field);)
    if (field.number == 1) text = field.bytes;
  return text;
}

void append_number(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void append_bytes(std::string& out, uint64_t field, std::string_view bytes) {
  append_number(out, field << 3 | 2), append_number(out, bytes.size());
  out += bytes;
}
// A piece that is asked for, but not by the model.
std::string new_piece(const std::string& text) {
  const bool control = text == "<s>" || text == "</s>" || text == "<pad>", code = text.starts_with("▁>>");
  const float last = -1e6f;  // of all merges
  std::string piece;
  append_bytes(piece, 1, text);
  append_number(piece, 2 << 3 | 5);
  piece.append(reinterpret_cast<const char*>(&last), sizeof last);
  append_number(piece, 3 << 3);
  append_number(piece, static_cast<uint64_t>(control ? PieceType::control
                                             : code  ? PieceType::user_defined
                                                     : PieceType::unused));
  return piece;
}

void look_at_piece(std::string_view bytes, int64_t index, const std::string& where) {
  Message piece(bytes, where);
  for (Message::Field field; piece.next(&field);) {
    if (field.number == 1)
      check_format(valid_utf8(field.bytes) && !field.bytes.empty() && field.bytes.find('\0') == std::string_view::npos,
                   where, "piece {} is empty, no UTF-8, or has a zero in it", index);
    if (field.number != 2) continue;
    float score;
    const auto bits = static_cast<uint32_t>(field.value);
    std::memcpy(&score, &bits, sizeof score);
    check_format(std::isfinite(score), where, "piece {} has the score {}", index, score);
  }
}

void look_at_rules(std::string_view bytes, const std::string& where) {
  Message rules(bytes, where);
  for (Message::Field field; rules.next(&field);)
    if (field.number == 2 && !field.bytes.empty())
      check_format(Charsmap(field.bytes, where).safe_to_follow(), where, "the charsmap leads out of its own table");
}

}  // namespace

SentencePieceAbout look_through(std::string_view bytes, const std::string& where) {
  SentencePieceAbout about;
  Message model(bytes, where);
  for (Message::Field field; model.next(&field);) {
    if (field.number == 1) look_at_piece(field.bytes, about.pieces++, where);
    if (field.number == 3 || field.number == 5) look_at_rules(field.bytes, where);
    if (field.number != 2) continue;
    Message trainer(field.bytes, where);
    for (Message::Field of; trainer.next(&of);)
      if (of.number == 3) about.bpe = of.value == 2;
  }
  check_format(about.pieces > 0 && about.pieces <= Vocabulary::kMostIds, where, "has {} pieces, wanted 1 to {}",
               about.pieces, Vocabulary::kMostIds);
  return about;
}

std::string renumbered(std::string_view bytes, std::span<const std::string> order, const std::string& where) {
  std::map<std::string, std::string_view> pieces;
  std::string all, rest;
  Message model(bytes, where);
  for (Message::Field field; model.next(&field);) {
    if (field.number == 1)
      pieces[text_of_piece(field.bytes, where)] = field.bytes;
    else
      append_bytes(rest, field.number, field.bytes);
  }
  for (const std::string& text : order) {
    const auto piece = pieces.find(text);
    append_bytes(all, 1, piece != pieces.end() ? std::string(piece->second) : new_piece(text));
  }
  return all + rest;
}

}  // namespace heed::tokenize
