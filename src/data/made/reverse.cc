// Random letters, and from the end: the alignment is a diagonal that falls.
#include "data/made/letters.h"

namespace heed::data {

std::vector<std::string> make_reverse(Draw& draw, const MadeLine& how) {
  const std::string letters = random_letters(draw, how.length);
  return {letters, {letters.rbegin(), letters.rend()}};
}

}  // namespace heed::data
