// What the steps of a tokeniser hand on: a stretch of the text, cut into pieces.
#pragma once

#include <vector>

#include "text/aligned.h"

namespace heed::tokenize {

struct Section {
  Aligned text;
  std::vector<Span> pieces;   // of text, in order
  int32_t token = -1;         // an added token, which no step looks into
  bool bytes_mapped = false;  // pieces stand for themselves with each byte as its character of byte-level BPE

  std::string_view piece(Span at) const { return text.text().substr(at.begin, at.end - at.begin); }
};

// Replaces each piece by those that body(piece, cut) gives: cut(begin, end) in bytes of the text.
template <class Body>
void split_pieces(Section& section, const Body& body) {
  std::vector<Span> pieces;
  pieces.reserve(section.pieces.size());
  for (const Span piece : section.pieces)
    body(piece, [&pieces](size_t begin, size_t end) {
      if (begin < end) pieces.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    });
  section.pieces = std::move(pieces);
}

// Replaces the text of each piece: body(piece, rewrite) writes the new one. What lies between pieces is gone.
template <class Body>
void rewrite_pieces(Section& section, const Body& body) {
  Rewrite rewrite(section.text);
  std::vector<Span> pieces;
  pieces.reserve(section.pieces.size());
  for (const Span piece : section.pieces) {
    const size_t begin = rewrite.size();
    body(piece, rewrite);
    if (rewrite.size() > begin) pieces.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(rewrite.size())});
  }
  section.text = rewrite.done();
  section.pieces = std::move(pieces);
}

}  // namespace heed::tokenize
