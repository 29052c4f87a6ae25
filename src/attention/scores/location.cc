// location: s_ij = (W q_i)_j, W (S_max, D), or one for each of k's heads (G, S_max, D): the keys' contents do not
// matter, only where they stand. The rows of W are the keys. Luong, Pham & Manning 2015, arXiv:1508.04025.
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Location final : public ScoreRoom {
 public:
  explicit Location(Tensor w) : w_(std::move(w)) {
    check(w_.rank() == 2 || w_.rank() == 3, "location", "W has shape {}, wanted (S, D) or (G, S, D)", w_.shape());
  }
  const char* name() const override { return "location"; }
  bool counts_from_first() const override { return true; }
  void prepare(Pipeline& p) const override {
    check(w_.dim(-2) >= p.n.keys, "attend", "location: W has {} positions, there are {} keys", w_.dim(-2), p.n.keys);
    check(w_.dim(-1) == p.q.dim(3), "attend", "location: W takes vectors of {}, q is {} wide", w_.dim(-1), p.q.dim(3));
    check(w_.rank() == 2 || w_.dim(0) == p.n.groups, "attend", "location: W is for {} heads, k has {}", w_.dim(0),
          p.n.groups);
    p.k = expand(slice(w_, -2, 0, p.n.keys), {p.n.batch, p.n.groups, p.n.keys, w_.dim(-1)});
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    const Tensor w = w_.rank() == 3 ? w_.detach()[x.group()] : w_.detach();
    double s = 0;
    for (int64_t c = 0; c < x.width; ++c) s += w.value({j, c}) * x.query(i)[c];
    return s;
  }

 private:
  Tensor w_;
};

}  // namespace

Mechanism location_row() {
  return {
      .name = "location",
      .year = 2015,
      .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
      .formula = "softmax(Q Wᵀ) V",
      .cost = "O(T·S·D) time, O(T) memory",
      .purpose = {"Where to look follows from the query alone, whatever stands there.",
                  "看哪里只由查询决定，与该处的内容无关。"},
      .trap = {"W has a row for each position: a text longer than the longest trained on cannot be attended.",
               "W 的每一行对应一个位置：超过训练时最大长度的文本无法处理。"},
      .code = "heed::attend(q, k, v, {.scores = heed::location(w)})",
      .learned = {{"w",
                   [](const Sizes& n) {
                     return Shape{any_size(n.keys + 2), n.width};
                   }}},
      .options = [](const LearnedTensors& w, const Sizes&) { return AttendOptions{.scores = location(w.at("w"))}; }};
}

}  // namespace heed::attention

namespace heed {

Scores location(const Tensor& w) { return {std::make_shared<attention::Location>(w)}; }

}  // namespace heed
