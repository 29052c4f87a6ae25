// Random letters, and the same once more: what a model with attention learns at once, and one without only for few.
#include "data/made/letters.h"

namespace heed::data {

std::vector<std::string> make_copy(Draw& draw, const MadeLine& how) {
  const std::string letters = random_letters(draw, how.length);
  return {letters, letters};
}

}  // namespace heed::data
