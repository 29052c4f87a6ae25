// shaw: each distance has a key and a value of its own, those beyond R share the last; x = clip(j − i', −R, R):
//   s_ij += q_i·a_x / √D      o_i += Σ_j p_ij b_x
//   da_x = Σ_{clip(j−i')=x} ds_ij q_i / √D      db_x = Σ_{clip(j−i')=x} p_ij do_i
// Shaw, Uszkoreit & Vaswani 2018, arXiv:1803.02155. The term is divided by √D whatever the scores are, and q is as it
// was given.
#include <algorithm>
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Shaw final : public PositionRoom {
 public:
  Shaw(Tensor keys, Tensor values) : keys_(std::move(keys)), values_(std::move(values)) {}
  const char* name() const override { return "shaw"; }
  void prepare(Pipeline& p) const override {
    check_table("keys", keys_, "q", p.n.width, p.q.dtype());
    const Tensor values = p.n.value_width > 0 ? values_ : Tensor();  // a guided loss reads none
    if (values.defined()) check_table("values", values, "v", p.n.value_width, p.q.dtype());
    p.relative = {p.q, keys_, values, -reach(), 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, p.n.width)))};
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    double s = 0;
    for (int64_t c = 0; c < x.width; ++c) s += x.query(i)[c] * keys_.value({entry(x, i, j), c});
    return s / std::sqrt(static_cast<double>(x.width));
  }
  double value_reference(const Plain& x, int64_t i, int64_t j, int64_t c) const override {
    return values_.defined() ? values_.value({entry(x, i, j), c}) : 0;
  }

 private:
  int64_t reach() const { return keys_.dim(0) / 2; }
  int64_t entry(const Plain& x, int64_t i, int64_t j) const {
    return std::clamp(j - x.place(i), -reach(), reach()) + reach();
  }
  static void check_table(const char* what, const Tensor& table, const char* other, int64_t width, Dtype dtype) {
    check(table.dim(1) == width, "attend", "shaw's {} are {} wide, {} is {}", what, table.dim(1), other, width);
    check(table.dtype() == dtype, "attend", "shaw's {} are {}, {} is {}", what, heed::name(table.dtype()), other,
          heed::name(dtype));
  }
  Tensor keys_, values_;
};

}  // namespace

Mechanism shaw_row() {
  return {.name = "shaw",
          .year = 2018,
          .paper = "Shaw, Uszkoreit & Vaswani 2018, arXiv:1803.02155",
          .formula = "softmax(q_i·(k_j + a_x) / √D) (v_j + b_x),  x = clip(j − i, −R, R)",
          .cost = "O(T·S·D) time, O(T + S + R·(D + E)) memory",
          .purpose = {"The first relative positions: what stands at which distance is learned, in the scores and in "
                      "what is read.",
                      "最早的相对位置：在打分和读取的内容中都学习“什么在多远处”。"},
          .trap = {"Distances are j − i: negative to the left. Beyond ±R all distances are one, so the order out there "
                   "is lost.",
                   "距离是 j − i：左侧为负。超出 ±R 的距离都相同，那里的次序信息就丢失了。"},
          .code = "heed::attend(q, k, v, {.position = heed::shaw(keys, values)})",
          .learned = {{"relative_keys",
                       [](const Sizes& n) {
                         return Shape{inner_width(2 * 3 + 1), n.width};
                       }},
                      {"relative_values",
                       [](const Sizes& n) {
                         return Shape{inner_width(2 * 3 + 1), n.value_width};
                       }}},
          .options = [](const LearnedTensors& w, const Sizes&) {
            return AttendOptions{.position = shaw(w.at("relative_keys"), w.at("relative_values"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Position shaw(const Tensor& keys, const Tensor& values) {
  check(keys.rank() == 2 && keys.dim(0) % 2 == 1, "shaw", "the keys have shape {}, wanted (2R + 1, D)", keys.shape());
  if (values.defined())
    check(values.rank() == 2 && values.dim(0) == keys.dim(0), "shaw", "the values have shape {}, wanted ({}, E)",
          values.shape(), keys.dim(0));
  return {std::make_shared<attention::Shaw>(keys, values)};
}

}  // namespace heed
