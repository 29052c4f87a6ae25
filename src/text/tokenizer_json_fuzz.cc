// Any bytes as a tokenizer.json: an Error, or a tokeniser that knows where its tokens came from and is written as it
// was read.
#include <heed/base.h>
#include <heed/text.h>

#include "support/fuzz.h"

using heed::testing::must;

namespace {

constexpr std::string_view kTexts[] = {"", "a b", "The 中文 e\u0301 it's 12 \xff\xe4\xb8 👍🏽  \t<s>",
                                       " [MASK] aaaaab##\u2581\u2581x\n"};

void encode_and_decode(const heed::Tokenizer& tokenizer, std::string_view text) try {
  std::vector<int32_t> ids;
  for (const heed::Token& token : tokenizer.encode_pair(text, "b")) {
    const auto size = static_cast<int64_t>(token.segment == 0 ? std::max<size_t>(text.size(), 1) : text.size() + 1);
    must(0 <= token.begin && token.begin <= token.end && token.end <= size, "a place within the text");
    ids.push_back(token.id);
  }
  tokenizer.decode(ids);
} catch (const heed::Error&) {
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  const std::string_view content(reinterpret_cast<const char*>(file.data), size);
  if (!content.empty() && content[0] == '\n') return 0;  // SentencePiece's library is not heed's to test
  std::optional<heed::Tokenizer> tokenizer;
  try {
    tokenizer = heed::Tokenizer::from_bytes(content, "fuzz");
  } catch (const heed::Error&) {
    return 0;
  }
  for (const std::string_view text : kTexts) encode_and_decode(*tokenizer, text);
  const std::string written = tokenizer->to_bytes();
  must(heed::Tokenizer::from_bytes(written, "again").to_bytes() == written, "written as read");
  return 0;
}
