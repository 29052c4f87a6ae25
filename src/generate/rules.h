// Rules of decoding: each a function over a row of logits, one for each word. What may not be said becomes −inf.
#pragma once

#include <cstdint>
#include <span>

namespace heed::rules {

using Row = std::span<float>;
using Said = std::span<const int32_t>;  // by the row's hypothesis so far

// What was said: x > 0 becomes x / penalty, else x · penalty.      Keskar et al. 2019 (CTRL), arXiv:1909.05858, §4.1
void repetition_penalty(Row logits, Said said, double penalty);
// x / temperature
void temperature(Row logits, double temperature);

// Nothing but `ids`.
void keep_only(Row logits, std::span<const int32_t> ids);
// No w that makes the last n tokens, w the last of them, tokens that were said before.        Paulus et al. 2017, §2.5
void no_repeat(Row logits, Said said, int64_t n);
// The k largest; of equal ones the first.                                              Fan et al. 2018,
// arXiv:1805.04833
void top_k(Row logits, int64_t k);
// The fewest that together have the probability p of all that may be said.      Holtzman et al. 2019, arXiv:1904.09751
void top_p(Row logits, double p);
// Those with at least p times the probability of the most probable one.          Nguyen et al. 2024, arXiv:2407.01082
void min_p(Row logits, double p);

}  // namespace heed::rules
