// general: s = qᵀ W k, W (D_q, D_k), or one a head (H, D_q, D_k): queries and keys need not be equally wide.
// It is the dot product of q W and k; the tape brings ∂s/∂W = q kᵀ. Luong, Pham & Manning 2015, arXiv:1508.04025.
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class General final : public ScoreRoom {
 public:
  explicit General(Tensor w) : w_(std::move(w)) {
    check(w_.rank() == 2 || w_.rank() == 3, "general", "W has shape {}, wanted (D_q, D_k) or (H, D_q, D_k)",
          w_.shape());
  }
  const char* name() const override { return "general"; }
  void prepare(Pipeline& p) const override {
    check(w_.dim(-2) == p.q.dim(3) && w_.dim(-1) == p.k.dim(3), "attend",
          "general: W has shape {}, q is {} wide and k is {}", w_.shape(), p.q.dim(3), p.k.dim(3));
    check(w_.rank() == 2 || w_.dim(0) == p.n.heads, "attend", "general: W is for {} heads, q has {}", w_.dim(0),
          p.n.heads);
    p.q = matmul(p.q, w_);
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    const Tensor w = w_.rank() == 3 ? w_.detach()[x.head] : w_.detach();
    double s = 0;
    for (int64_t a = 0; a < x.width; ++a)
      for (int64_t b = 0; b < x.key_width; ++b) s += x.query(i)[a] * w.value({a, b}) * x.key(j)[b];
    return s;
  }

 private:
  Tensor w_;
};

}  // namespace

Mechanism general_row() {
  return {.name = "general",
          .year = 2015,
          .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
          .formula = "softmax(Q W Kᵀ) V",
          .cost = "O(T·S·D + T·D²) time, O(T·D) memory",
          .purpose = {"Query and key live in different spaces, of different widths; W learns how they match.",
                      "查询与键处于不同空间、宽度也可不同；由 W 学习二者如何匹配。"},
          .trap = {"There is no 1/√D: W learns the scale, so start it small.",
                   "公式里没有 1/√D：缩放由 W 学习，因此初始值要小。"},
          .code = "heed::attend(q, k, v, {.scores = heed::general(w)})",
          .learned = {{"w",
                       [](const Sizes& n) {
                         return Shape{n.width, any_size(n.width)};
                       },
                       -0.4, 0.4}},
          .options = [](const LearnedTensors& w, const Sizes&) { return AttendOptions{.scores = general(w.at("w"))}; }};
}

}  // namespace heed::attention

namespace heed {

Scores general(const Tensor& w) { return {std::make_shared<attention::General>(w)}; }

}  // namespace heed
