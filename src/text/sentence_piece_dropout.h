// BPE-dropout (Provilkov, Emelianenko & Voita 2020) for SentencePiece's byte pair encoding. The library draws from a
// generator of its own; here the numbers come from a counter, so that they depend on nothing else.
#pragma once

#include <heed/text.h>
#include <sentencepiece_processor.h>

namespace heed::tokenize {

inline constexpr int64_t kMostPieces = 1 << 20;

// The text that `pieces` are of, cut again with each merge passed over with the probability `share`.
std::vector<Token> with_dropout(const sentencepiece::SentencePieceProcessor& processor,
                                const sentencepiece::ImmutableSentencePieceText& pieces, double share, Random& random);

}  // namespace heed::tokenize
