// distance: s = −τ‖q − k‖² = τ (2 q·k − ‖q‖² − ‖k‖²), a dot product of vectors wider by two:
//   q' = τ [2q, −‖q‖², −1]      k' = [k, 1, ‖k‖²]
// so that every normaliser and the log-sum-exp are right. Kim, Papamakarios & Mnih 2021, arXiv:2006.04710.
#include "attention/rows.h"
#include "attention/scores/factor.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Distance final : public ScoreRoom {
 public:
  explicit Distance(Factor factor) : factor_(std::move(factor)) {}
  const char* name() const override { return "distance"; }
  void prepare(Pipeline& p) const override {
    check(p.q.dim(3) == p.k.dim(3), "attend", "q is {} wide, k is {}", p.q.dim(3), p.k.dim(3));
    const Tensor k = without_padding(p, p.k), squares = sum(p.q * p.q, -1, true), key_squares = sum(k * k, -1, true);
    const auto ones = [](const Tensor& like) { return heed::ones(like.shape(), like.dtype()); };
    p.q = factor_.times(concat({p.q * 2, -squares, -ones(squares)}, 3), p.n.heads);
    p.k = concat({k, ones(key_squares), key_squares}, 3);
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    double squares = 0;
    for (int64_t c = 0; c < x.width; ++c) {
      const double away = x.query(i)[c] - x.key(j)[c];
      squares += away * away;
    }
    return -factor_.of(x.head) * squares;
  }

 private:
  Factor factor_;
};

}  // namespace

Mechanism distance_row() {
  return {.name = "distance",
          .year = 2021,
          .paper = "Kim, Papamakarios & Mnih 2021, arXiv:2006.04710",
          .formula = "softmax(−τ ‖q − k‖²) V",
          .cost = "O(T·S·D) time, O((T + S)·D) memory",
          .purpose = {"The nearest keys: a kernel regression. With the same projection for q and k it is Lipschitz.",
                      "看最近的键，即核回归。q 与 k 使用同一投影时满足 Lipschitz 条件。"},
          .trap = {"Distances of wide vectors grow with D: take τ about 1/√D.", "向量越宽距离越大：τ 宜取约 1/√D。"},
          .code = "heed::attend(q, k, v, {.scores = heed::distance(0.125)})",
          .learned = {{"scale", [](const Sizes& n) { return Shape{n.heads}; }, 0.05, 0.3, one_over_root}},
          .options = [](const LearnedTensors& w, const Sizes&) {
            return AttendOptions{.scores = distance(w.at("scale"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores distance(double scale) { return {std::make_shared<attention::Distance>(attention::Factor("distance", scale))}; }
Scores distance(const Tensor& scale) { return {std::make_shared<attention::Distance>(attention::Factor(scale))}; }

}  // namespace heed
