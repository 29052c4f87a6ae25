// learned: q_i += e_{i'}, k_j += e_j with a table e (places, D), i' = i + S − T. Gehring et al. 2017, arXiv:1705.03122.
//   de_p = Σ dq_i where i' = p  +  Σ dk_j where j = p
#include "attention/positions/absolute.h"
#include "attention/rows.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class LearnedPositions final : public PositionRoom {
 public:
  explicit LearnedPositions(Tensor table) : table_(std::move(table)) {}
  const char* name() const override { return "learned_positions"; }
  bool counts_from_first() const override { return true; }
  void prepare(Pipeline& p) const override {
    check(table_.dtype() == p.q.dtype(), "attend", "the table of positions is {}, q is {}", heed::name(table_.dtype()),
          heed::name(p.q.dtype()));
    check(table_.dim(1) == p.n.width, "attend", "the positions are {} wide, q is {}", table_.dim(1), p.n.width);
    check(table_.dim(0) >= places(p.n), "attend", "the table has {} positions, {} queries and {} keys want {}",
          table_.dim(0), p.n.queries, p.n.keys, places(p.n));
    add_places(p, table_);
  }
  void move(Plain& x) const override {
    add_places(x, [&](int64_t place, int64_t column) { return table_.value({place, column}); });
  }

 private:
  Tensor table_;
};

}  // namespace

Mechanism learned_positions_row() {
  return {
      .name = "learned_positions",
      .year = 2017,
      .paper = "Gehring et al. 2017, arXiv:1705.03122",
      .formula = "softmax((Q + E)(K + E)ᵀ / √D) V",
      .cost = "O(T·S·D) time, O((T + S)·D) memory",
      .purpose = {"Each place has a vector of its own, learned like a word's. For texts of a known greatest length.",
                  "每个位置有自己的向量，像词向量一样学习得到。适用于最大长度已知的文本。"},
      .trap = {"There is nothing beyond the table's last place, and places that training seldom saw stay noise.",
               "表中最后一个位置之后什么都没有；训练中很少出现的位置仍是噪声。"},
      .code = "heed::attend(q, k, v, {.position = heed::learned_positions(table)})",
      .learned = {{"positions",
                   [](const Sizes& n) {
                     return Shape{any_size(places(n) + 1), n.width};
                   }}},
      .options = [](const LearnedTensors& w, const Sizes&) {
        return AttendOptions{.position = learned_positions(w.at("positions"))};
      }};
}

}  // namespace heed::attention

namespace heed {

Position learned_positions(const Tensor& table) {
  check(table.rank() == 2, "learned_positions", "the table has shape {}, wanted (places, D)", table.shape());
  return {std::make_shared<attention::LearnedPositions>(table)};
}

}  // namespace heed
