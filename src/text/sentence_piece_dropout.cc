#include "text/sentence_piece_dropout.h"

#include <queue>

#include "text/characters.h"
#include "text/draw.h"

namespace heed::tokenize {
namespace {

using Processor = sentencepiece::SentencePieceProcessor;

struct Part {
  std::string text;            // normalised; empty: joined to the part before
  int64_t begin = 0, end = 0;  // bytes of the input
  int32_t fixed = -1;          // a byte or a symbol, which is never joined
  int32_t before = -1, after = -1;
};

// The characters of a piece. What the piece stands for is known; of its characters it is where each byte is one of the
// input's (▁ a space, or nothing at the beginning), else each stands for all of it.
void add_characters(const std::string& piece, int64_t begin, int64_t end, std::vector<Part>& parts) {
  constexpr uint32_t kMark = 0x2581;
  int64_t bytes = 0;
  each_character(piece, [&](uint32_t code, size_t from, size_t to) {
    bytes += code == kMark ? 1 : static_cast<int64_t>(to - from);
  });
  const bool added = bytes - 1 == end - begin && character_at(piece, 0).code == kMark;
  const bool same = added || bytes == end - begin;
  int64_t at = begin;
  each_character(piece, [&](uint32_t code, size_t from, size_t to) {
    const int64_t length = code != kMark ? static_cast<int64_t>(to - from) : added && from == 0 ? 0 : 1;
    parts.push_back({piece.substr(from, to - from), same ? at : begin, same ? at + length : end});
    at += length;
  });
}

std::vector<Part> characters_of(const Processor& processor, const sentencepiece::ImmutableSentencePieceText& pieces) {
  std::vector<Part> parts;
  for (const auto& piece : pieces.pieces()) {
    const auto id = static_cast<int>(piece.id());
    const int64_t begin = piece.begin(), end = piece.end();
    const std::string& text = piece.piece();
    if (processor.IsByte(id) || processor.IsControl(id)) {
      parts.push_back({text, begin, end, id});
      continue;
    }
    add_characters(text, begin, end, parts);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].before = static_cast<int32_t>(i) - 1;
    parts[i].after = i + 1 < parts.size() ? static_cast<int32_t>(i + 1) : -1;
  }
  return parts;
}

class Joiner {
 public:
  Joiner(const Processor& processor, std::vector<Part> parts) : processor_(processor), parts_(std::move(parts)) {
    for (int32_t i = 0; i < static_cast<int32_t>(parts_.size()); ++i) want(i);
  }

  void run(double share, Random& random) {
    std::vector<Wanted> passed;
    while (!queue_.empty()) {
      const Wanted next = queue_.top();
      queue_.pop();
      if (uniform(random) < share) {
        passed.push_back(next);
        continue;
      }
      for (const Wanted& each : passed) queue_.push(each);
      passed.clear();
      join(next);
    }
  }

  std::vector<Token> tokens() const {
    std::vector<Token> tokens;
    for (const Part& part : parts_) {
      if (part.text.empty()) continue;
      const int32_t id = part.fixed >= 0 ? part.fixed : processor_.PieceToId(part.text);
      tokens.push_back({.id = id, .begin = part.begin, .end = part.end});
    }
    return tokens;
  }

 private:
  struct Wanted {
    float score;
    int32_t at;
    size_t bytes;  // of the whole: another number means that the parts have changed
    bool operator<(const Wanted& other) const { return score != other.score ? score < other.score : at > other.at; }
  };
  Part& part(int32_t i) { return parts_[static_cast<size_t>(i)]; }

  void want(int32_t left) {
    if (left < 0 || part(left).after < 0) return;
    const Part &a = part(left), &b = part(a.after);
    if (a.fixed >= 0 || b.fixed >= 0) return;
    const std::string whole = a.text + b.text;
    const int id = processor_.PieceToId(whole);
    if (processor_.IsUnknown(id) || processor_.IsUnused(id)) return;
    queue_.push({processor_.GetScore(id), left, whole.size()});
  }
  void join(const Wanted& next) {
    Part& left = part(next.at);
    if (left.text.empty() || left.after < 0) return;
    Part& right = part(left.after);
    if (left.text.size() + right.text.size() != next.bytes) return;
    left.text += right.text;
    left.begin = std::min(left.begin, right.begin), left.end = std::max(left.end, right.end);
    left.after = right.after, right.text.clear();
    if (left.after >= 0) part(left.after).before = next.at;
    want(next.at), want(left.before);
  }

  const Processor& processor_;
  std::vector<Part> parts_;
  std::priority_queue<Wanted> queue_;
};

}  // namespace

std::vector<Token> with_dropout(const Processor& processor, const sentencepiece::ImmutableSentencePieceText& pieces,
                                double share, Random& random) {
  Joiner joiner(processor, characters_of(processor, pieces));
  joiner.run(share, random);
  return joiner.tokens();
}

}  // namespace heed::tokenize
