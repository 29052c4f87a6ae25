#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

struct NormalizerSequence : Normalizer {
  std::vector<std::unique_ptr<Normalizer>> steps;
  void apply(Aligned& text) const override {
    for (const auto& step : steps) step->apply(text);
  }
};

std::unique_ptr<Normalizer> make_sequence(const Object& object) {
  auto sequence = std::make_unique<NormalizerSequence>();
  sequence->steps = make_list(object, "normalizers", &make_normalizer);
  return sequence;
}

constexpr Maker<Normalizer> kNormalizers[] = {
    {"NFC", make_nfc},
    {"NFD", make_nfd},
    {"NFKC", make_nfkc},
    {"NFKD", make_nfkd},
    {"Lowercase", make_lowercase},
    {"StripAccents", make_strip_accents},
    {"Strip", make_strip},
    {"Replace", make_replace},
    {"Prepend", make_prepend},
    {"BertNormalizer", make_bert},
    {"Nmt", make_nmt},
    {"Precompiled", make_precompiled},
    {"ByteLevel", make_byte_level_normalizer},
    {"Sequence", make_sequence},
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Object& object) {
  return make_step(kNormalizers, "normalizer", object);
}

}  // namespace heed::tokenize
