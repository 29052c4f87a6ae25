// The tokenisers of a translator as Marian's folders hold them: source.spm and target.spm, SentencePiece models, cut
// texts into pieces, and vocab.json says which number a piece has; target_vocab.json those of the target, where the two
// languages share no table.
#pragma once

#include <string>

#include "tasks/translation.h"

namespace heed {

bool has_marian_tokenizers(const std::string& folder);
// As SentencePiece models that number the pieces so. A piece without a number is not cut out: its parts are; one that
// only the other language has is unknown.
Tokenizers read_marian_tokenizers(const std::string& folder);

bool is_sentence_piece(const Tokenizers& tokenizers);
// Of SentencePiece models, with what MarianTokenizer.from_pretrained wants besides.
void write_marian_tokenizers(const Tokenizers& tokenizers, int64_t longest, const std::string& folder);

}  // namespace heed
