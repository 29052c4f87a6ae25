// The pre-tokenisers: those of tokenizer.json, and heed's own, whose types begin with "Heed"; a maker each.
#pragma once

#include "text/steps.h"

namespace heed::tokenize {

std::unique_ptr<PreTokenizer> make_whitespace(const Object&);
std::unique_ptr<PreTokenizer> make_whitespace_split(const Object&);
std::unique_ptr<PreTokenizer> make_bert_split(const Object&);
std::unique_ptr<PreTokenizer> make_punctuation(const Object&);
std::unique_ptr<PreTokenizer> make_digits(const Object&);
std::unique_ptr<PreTokenizer> make_character_split(const Object&);
std::unique_ptr<PreTokenizer> make_split(const Object&);
std::unique_ptr<PreTokenizer> make_byte_level(const Object&);
std::unique_ptr<PreTokenizer> make_metaspace(const Object&);
std::unique_ptr<PreTokenizer> make_words(const Object&);
std::unique_ptr<PreTokenizer> make_stop_words(const Object&);
std::unique_ptr<PreTokenizer> make_stem(const Object&);

}  // namespace heed::tokenize
