// ICU works on UTF-16: a text in it, and which byte of the UTF-8 each unit came from.
#pragma once

#include <unicode/utypes.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace heed::tokenize {

struct Utf16 {
  std::u16string text;
  std::vector<uint32_t> bytes;  // of each unit, and of the end

  void assign(std::string_view utf8);
  int32_t size() const { return static_cast<int32_t>(text.size()); }
};

std::string to_utf8(std::u16string_view text);

inline void check_icu(UErrorCode status, std::string_view where, std::string_view what) {
  if (U_FAILURE(status)) fail(ErrorKind::data, where, "{}: ICU says {}", what, u_errorName(status));
}

}  // namespace heed::tokenize
