// sinusoidal: q_i += e_{i'}, k_j += e_j, i' = i + S − T, with
//   e_p[2c] = sin(p·base^(−2c/D)),  e_p[2c + 1] = cos(p·base^(−2c/D))
// Vaswani et al. 2017, arXiv:1706.03762. Nothing is learned.
#include <cmath>

#include "attention/positions/absolute.h"
#include "attention/rows.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Sinusoidal final : public PositionRoom {
 public:
  explicit Sinusoidal(double base) : base_(base) {}
  const char* name() const override { return "sinusoidal"; }
  bool counts_from_first() const override { return true; }
  void prepare(Pipeline& p) const override {
    // The cosine is a sine a quarter of a turn on.
    Tensor frequencies({p.n.width}, Dtype::f64), turns({p.n.width}, Dtype::f64);
    for (int64_t c = 0; c < p.n.width; ++c) {
      frequencies.at<double>({c}) = frequency(c, p.n.width);
      turns.at<double>({c}) = c % 2 * M_PI_2;
    }
    const Tensor place = reshape(arange(places(p.n), Dtype::f64), {-1, 1});
    add_places(p, sin(place * frequencies + turns).to(p.q.dtype()));
  }
  void move(Plain& x) const override {
    add_places(x, [&](int64_t place, int64_t column) {
      const double angle = static_cast<double>(place) * frequency(column, x.width);
      return column % 2 == 0 ? std::sin(angle) : std::cos(angle);
    });
  }

 private:
  double frequency(int64_t column, int64_t width) const {
    const int64_t pair = column / 2;
    return std::pow(base_, -2 * static_cast<double>(pair) / static_cast<double>(width));
  }
  double base_;
};

}  // namespace

Mechanism sinusoidal_row() {
  return {.name = "sinusoidal",
          .year = 2017,
          .paper = "Vaswani et al. 2017, arXiv:1706.03762",
          .formula = "softmax((Q + P)(K + P)ᵀ / √D) V,  P_p = [sin pω₀, cos pω₀, sin pω₁, …],  ω_c = 10000^(−2c/D)",
          .cost = "O(T·S·D) time, O((T + S)·D) memory",
          .purpose = {"Places without weights: every place has its vector, and a step is the same turn everywhere.",
                      "无需权重的位置：每个位置都有向量，移动一步在任何地方都是同样的旋转。"},
          .trap = {"Sine and cosine stand side by side; some code puts all sines before all cosines, which is another "
                   "table.",
                   "正弦与余弦相邻排列；有些代码把全部正弦放在全部余弦之前，那是另一张表。"},
          .code = "heed::attend(q, k, v, {.position = heed::sinusoidal()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.position = sinusoidal()}; }};
}

}  // namespace heed::attention

namespace heed {

Position sinusoidal(double base) {
  check(std::isfinite(base) && base > 1, "sinusoidal", "a base of {}: wanted a number above 1", base);
  return {std::make_shared<attention::Sinusoidal>(base)};
}

}  // namespace heed
