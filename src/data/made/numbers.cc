// Numbers in words to digits, and digits to words. In words to read there is more than one way to say it; those to
// write are always the same. Where both languages are mixed, <en> or <zh> says which one digits are to become.
#include <fmt/format.h>

#include "data/made/made.h"
#include "data/made/words.h"

namespace heed::data {
namespace {

// Each number of so many digits is as likely as the other.
int64_t number_of(Draw& draw, int64_t digits) {
  int64_t least = 1;
  for (int64_t i = 1; i < digits; ++i) least *= 10;
  return digits == 1 ? draw.below(10) : draw.between(least, 10 * least - 1);
}

std::string said(Draw& draw, int64_t number, Language language) {
  const bool other = draw.once_in(2);
  return language == Language::english ? english(number, other ? And::left_out : And::said)
                                       : chinese(number, other ? Two::counting : Two::plain);
}

}  // namespace

std::vector<std::string> make_number(Draw& draw, const MadeLine& how) {
  const bool is_english = how.language == Language::english;
  const int64_t number = number_of(draw, how.length);
  if (draw.once_in(2)) return {said(draw, number, how.language), std::to_string(number)};
  const char* to = !how.mixed ? "" : is_english ? "<en> " : "<zh> ";
  return {fmt::format("{}{}", to, number), is_english ? english(number) : chinese(number)};
}

}  // namespace heed::data
