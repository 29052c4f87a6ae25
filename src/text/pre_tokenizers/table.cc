#include "text/pre_tokenizers/table.h"

namespace heed::tokenize {
namespace {

struct PreTokenizerSequence : PreTokenizer {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  void apply(Section& section) const override {
    for (const auto& step : steps) step->apply(section);
  }
};

std::unique_ptr<PreTokenizer> make_sequence(const Object& object) {
  auto sequence = std::make_unique<PreTokenizerSequence>();
  sequence->steps = make_list(object, "pretokenizers", &make_pre_tokenizer);
  return sequence;
}

constexpr Maker<PreTokenizer> kPreTokenizers[] = {
    {"Whitespace", make_whitespace},
    {"WhitespaceSplit", make_whitespace_split},
    {"BertPreTokenizer", make_bert_split},
    {"Punctuation", make_punctuation},
    {"Digits", make_digits},
    {"CharDelimiterSplit", make_character_split},
    {"Split", make_split},
    {"ByteLevel", make_byte_level},
    {"Metaspace", make_metaspace},
    {"HeedWords", make_words},
    {"HeedStopWords", make_stop_words},
    {"HeedStem", make_stem},
    {"Sequence", make_sequence},
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Object& object) {
  return make_step(kPreTokenizers, "pre-tokenizer", object);
}

}  // namespace heed::tokenize
