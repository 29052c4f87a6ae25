// Any bytes as a SentencePiece model: an Error, or the library applies it without harm.
#include <heed/base.h>

#include <vector>

#include "support/fuzz.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  try {
    const auto model = heed::tokenize::sentence_piece_of({reinterpret_cast<const char*>(file.data), size}, "fuzz");
    std::vector<int32_t> ids;
    heed::Random from;
    for (heed::Random* random : {static_cast<heed::Random*>(nullptr), &from})
      for (const std::string_view text : {"", "the new 中文", "\xff\xe4\xb8 a  b\u2581<s>"})
        for (const heed::Token& token : model->encode(text, nullptr, {.random = random, .best = 4})) {
          heed::testing::must(
              token.begin >= 0 && token.begin <= token.end && token.end <= static_cast<int64_t>(text.size()),
              "a place within the text");
          ids.push_back(token.id);
        }
    model->decode(ids, false);
  } catch (const heed::Error&) {
  }
  return 0;
}
