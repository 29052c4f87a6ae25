// ω_c = base^(−2c/w), w the rotated width, c < w/2, and what became of it for longer texts, by s = factor:
//   linear   ω_c / s                                       Chen et al. 2023, arXiv:2306.15595
//   NTK      base·s^(w/(w−2)), so that ω_0 stays and ω_{w/2−1} is divided by s
//   dynamic  the same with s·L/trained − (s − 1) in place of s, where L > trained
//   YaRN     ω_c·(1 − r_c) + ω_c/s·r_c, r the ramp from the pair that turns beta_fast times over `trained` places to
//            the one that turns beta_slow times; cosine and sine times 0.1·ln(s) + 1.  Peng et al. 2023,
//            arXiv:2309.00071
//   Llama 3  ω_c·k_c + ω_c/s·(1 − k_c), k from 0, for the pairs that turn `slow` times over `trained` places or less,
//   to 1,
//            for those that turn `fast` times or more, linear in the number of turns.    Meta 2024, arXiv:2407.21783
#include "attention/positions/frequencies.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace heed::attention {
namespace {

Frequencies plain(double base, int64_t width) {
  Frequencies f;
  for (int64_t c = 0; c < width; c += 2)
    f.turns.push_back(std::pow(base, -static_cast<double>(c) / static_cast<double>(width)));
  return f;
}

double stretched_base(double base, double factor, int64_t width) {
  check(width > 2, "attend", "rope scaled by NTK needs a width above 2, got {}", width);
  return base * std::pow(factor, static_cast<double>(width) / static_cast<double>(width - 2));
}

// The pair, counted in columns by 2, that turns so many times over the trained places.
double pair_that_turns(double times, const RopeYarn& yarn, double base, int64_t width) {
  return static_cast<double>(width) * std::log(static_cast<double>(yarn.trained) / (times * 2 * M_PI)) /
         (2 * std::log(base));
}

struct Scaled {
  double base;
  int64_t width, length;

  Frequencies operator()(std::monostate) const { return plain(base, width); }
  Frequencies operator()(const RopeLinear& linear) const {
    Frequencies f = plain(base, width);
    for (double& turn : f.turns) turn /= linear.factor;
    return f;
  }
  Frequencies operator()(const RopeNtk& ntk) const { return plain(stretched_base(base, ntk.factor, width), width); }
  Frequencies operator()(const RopeDynamicNtk& ntk) const {
    if (length <= ntk.trained) return plain(base, width);
    const double longer = static_cast<double>(length) / static_cast<double>(ntk.trained);
    return plain(stretched_base(base, ntk.factor * longer - (ntk.factor - 1), width), width);
  }
  Frequencies operator()(const RopeYarn& yarn) const {
    Frequencies f = plain(base, width);
    const double low = std::max(0.0, std::floor(pair_that_turns(yarn.beta_fast, yarn, base, width))),
                 most = static_cast<double>(width - 1),
                 high = std::min(most, std::ceil(pair_that_turns(yarn.beta_slow, yarn, base, width)));
    for (size_t c = 0; c < f.turns.size(); ++c) {
      const double ramp = (static_cast<double>(c) - low) / (high == low ? 0.001 : high - low);
      const double r = std::clamp(ramp, 0.0, 1.0);
      f.turns[c] *= 1 - r + r / yarn.factor;
    }
    f.amplitude = yarn.attention_factor.value_or(yarn.factor <= 1 ? 1 : 0.1 * std::log(yarn.factor) + 1);
    return f;
  }
  Frequencies operator()(const RopeLlama3& llama) const {
    Frequencies f = plain(base, width);
    for (double& turn : f.turns) {
      const double turns = static_cast<double>(llama.trained) * turn / (2 * M_PI);
      const double kept = std::clamp((turns - llama.slow) / (llama.fast - llama.slow), 0.0, 1.0);
      turn *= kept + (1 - kept) / llama.factor;
    }
    return f;
  }
};

struct Checked {
  void operator()(std::monostate) const {}
  void operator()(const RopeLinear& x) const { factor(x.factor); }
  void operator()(const RopeNtk& x) const { factor(x.factor); }
  void operator()(const RopeDynamicNtk& x) const { factor(x.factor), trained(x.trained); }
  void operator()(const RopeYarn& x) const {
    factor(x.factor), trained(x.trained);
    check(x.beta_slow > 0 && x.beta_fast >= x.beta_slow, "rope",
          "a beta_fast of {} and a beta_slow of {}: wanted beta_fast >= beta_slow > 0", x.beta_fast, x.beta_slow);
    const double amplitude = x.attention_factor.value_or(1);
    check(std::isfinite(amplitude) && amplitude > 0, "rope", "an attention factor of {}: wanted a positive number",
          amplitude);
  }
  void operator()(const RopeLlama3& x) const {
    factor(x.factor), trained(x.trained);
    check(x.slow > 0 && x.fast > x.slow && std::isfinite(x.fast), "rope",
          "fast is {} and slow {}: wanted fast > slow > 0", x.fast, x.slow);
  }

 private:
  static void factor(double x) {
    check(std::isfinite(x) && x >= 1, "rope", "a scaling factor of {}: wanted a number from 1 on", x);
  }
  static void trained(int64_t x) { check(x > 0, "rope", "trained on {} places: wanted at least one", x); }
};

}  // namespace

Frequencies frequencies(const RopeOptions& options, int64_t width, int64_t length) {
  return std::visit(Scaled{options.base, width, length}, options.scaling);
}

void check_frequencies(const RopeOptions& options) {
  check(std::isfinite(options.base) && options.base > 1, "rope", "a base of {}: wanted a number above 1", options.base);
  std::visit(Checked(), options.scaling);
}

}  // namespace heed::attention
