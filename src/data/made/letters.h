// Random letters with a space between them: each a token.
#pragma once

#include "data/made/made.h"

namespace heed::data {

inline std::string random_letters(Draw& draw, int64_t count) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    text += static_cast<char>('a' + draw.below(26));
  }
  return text;
}

}  // namespace heed::data
