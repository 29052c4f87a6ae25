// Any bytes as word vectors: an Error, or as many rows as words.
#include "text/word_vectors.h"

#include <heed/base.h>

#include "support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using heed::VectorFormat;
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  const std::string_view content(reinterpret_cast<const char*>(file.data), size);
  for (const VectorFormat format :
       {VectorFormat::detect, VectorFormat::word2vec_text, VectorFormat::word2vec_binary, VectorFormat::glove})
    try {
      const heed::WordVectors got = heed::tokenize::word_vectors_of(content, "fuzz", {.format = format});
      heed::testing::must(got.vectors.shape()[0] == static_cast<int64_t>(got.words.size()), "a row for each word");
    } catch (const heed::Error& error) {
      heed::testing::must(error.kind() == heed::ErrorKind::format, "a broken file is Error(format)");
    }
  return 0;
}
