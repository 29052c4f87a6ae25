// concat: s_ij = vᵀ tanh(W [q_i; k_j]) = vᵀ tanh(W₁ q_i + W₂ k_j)     Luong, Pham & Manning 2015, arXiv:1508.04025
// W = [W₁ W₂] is never cut into copies: its parts are views, and so are the gradients'.
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/added.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Concat final : public ScoreRoom {
 public:
  Concat(Tensor w, Tensor v) : w_(std::move(w)), v_(std::move(v)) {}
  const char* name() const override { return "concat"; }
  ReadAhead read_ahead(const Tensor& k) const override {
    const int64_t of_query = w_.dim(-1) - k.dim(-1);
    check(w_.rank() == 2 && of_query > 0, "attend", "w of concat has shape {}, k is {} wide", w_.shape(), k.dim(-1));
    return {additive(slice(w_, 1, 0, of_query), {}, v_),
            project(k, slice(w_, 1, of_query, w_.dim(-1)), "w of concat", "k")};
  }
  void prepare(Pipeline& p) const override {
    const int64_t of_query = p.q.dim(-1), width = of_query + p.k.dim(-1);
    check(w_.rank() == 2 && w_.dim(1) == width, "attend",
          "w of concat has shape {}: wanted (A, {}), since q is {} wide and k {}", w_.shape(), width, of_query,
          p.k.dim(-1));
    add_scores(p, project(p.q, slice(w_, 1, 0, of_query), "w of concat", "q"),
               project_keys(p, slice(w_, 1, of_query, width), "w of concat"), v_);
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    std::vector<double> both(x.query(i), x.query(i) + x.width);
    both.insert(both.end(), x.key(j), x.key(j) + x.width);
    const std::vector<double> v = of_head(v_, 1, x);
    std::vector<double> inner(v.size());
    add_product(w_.values(), both.data(), both.size(), inner);
    double s = 0;
    for (size_t a = 0; a < v.size(); ++a) s += v[a] * std::tanh(inner[a]);
    return s;
  }

 private:
  Tensor w_, v_;
};

}  // namespace

Mechanism concat_row() {
  return {.name = "concat",
          .year = 2015,
          .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
          .formula = "softmax(vᵀ tanh(W [q; k])) V",
          .cost = "O(T·S·A) time (a tanh each), O(T) memory",
          .purpose = {"Luong's form of additive attention: one matrix for query and key together.",
                      "Luong 的加性注意力：查询与键拼接后共用一个矩阵。"},
          .trap = {"The query is the decoder's current state. Nothing needs to be concatenated: W splits into the part "
                   "of q and that of k.",
                   "查询是解码器的当前状态。实际无需拼接：W 可拆成作用于 q 与作用于 k 的两部分。"},
          .code = "heed::attend(q, k, v, {.scores = heed::luong_concat(w, vec)})",
          .learned = {{"w",
                       [](const Sizes& n) {
                         return Shape{inner_width(7), any_size(2 * n.width)};
                       }},
                      {"vec", [](const Sizes&) { return Shape{inner_width(7)}; }}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{.scores = luong_concat(t.at("w"), t.at("vec"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores luong_concat(const Tensor& w, const Tensor& vec) { return {std::make_shared<attention::Concat>(w, vec)}; }

}  // namespace heed
