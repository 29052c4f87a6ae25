// The normalisers of tokenizer.json, a maker each; make_normalizer() picks from them by type.
#pragma once

#include "text/steps.h"

namespace heed::tokenize {

std::unique_ptr<Normalizer> make_nfc(const Object&);
std::unique_ptr<Normalizer> make_nfd(const Object&);
std::unique_ptr<Normalizer> make_nfkc(const Object&);
std::unique_ptr<Normalizer> make_nfkd(const Object&);
std::unique_ptr<Normalizer> make_lowercase(const Object&);
std::unique_ptr<Normalizer> make_strip_accents(const Object&);
std::unique_ptr<Normalizer> make_strip(const Object&);
std::unique_ptr<Normalizer> make_replace(const Object&);
std::unique_ptr<Normalizer> make_prepend(const Object&);
std::unique_ptr<Normalizer> make_bert(const Object&);
std::unique_ptr<Normalizer> make_nmt(const Object&);
std::unique_ptr<Normalizer> make_precompiled(const Object&);
std::unique_ptr<Normalizer> make_byte_level_normalizer(const Object&);

// What BERT's normaliser is made of.
void decompose(Aligned& text);  // NFD
void lowercase(Aligned& text);
void drop_marks(Aligned& text, uint32_t categories);

}  // namespace heed::tokenize
