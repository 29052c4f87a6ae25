// t5: s_ij += table[h][bucket(j − i')], i' = i + S − T. Raffel et al. 2019, arXiv:1910.10683.
// With n buckets for a direction, e = n / 2 and distance x >= 0:
//   bucket(x) = x                                                  where x < e
//   bucket(x) = min(n − 1, e + ⌊(n − e)·ln(x/e) / ln(max/e)⌋)       elsewhere
// Bidirectional: half of the buckets for keys up to i', half for those after it. Causal: keys after i' count as x = 0.
//   dtable[h][b] = Σ ds_ij where bucket(j − i') = b
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class T5 final : public PositionRoom {
 public:
  T5(Tensor table, const T5Options& options) : table_(std::move(table)), options_(options) {}
  const char* name() const override { return "t5"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    check(table_.dim(0) == p.n.heads, "attend", "the table of t5 is for {} heads, q has {}", table_.dim(0), p.n.heads);
    check(table_.dtype() == p.number, "attend", "the table of t5 is {}, q is {}", heed::name(table_.dtype()),
          heed::name(p.number));
    const int64_t distances = p.n.queries + p.n.keys - 1;
    if (distances <= 0) return;
    Tensor buckets({distances}, Dtype::i64);
    for (int64_t x = 0; x < distances; ++x) buckets.at<int64_t>({x}) = bucket(x - (p.n.keys - 1));
    p.biases.push_back({index_select(table_, 1, buckets), true});
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    return table_.value({x.head, bucket(j - x.place(i))});
  }

 private:
  // In f32, as the checkpoints were trained: where the logarithm is whole but for rounding, f64 takes the next bucket.
  int64_t bucket(int64_t distance) const {
    const int64_t count = options_.bidirectional ? table_.dim(1) / 2 : table_.dim(1), exact = count / 2;
    const int64_t first = options_.bidirectional && distance > 0 ? count : 0;
    const int64_t x = options_.bidirectional ? std::abs(distance) : std::max<int64_t>(0, -distance);
    if (x < exact) return first + x;
    const auto e = static_cast<float>(exact);
    const auto decades = static_cast<float>(std::log(static_cast<double>(options_.max_distance) / e));
    const float more = std::log(static_cast<float>(x) / e) / decades * static_cast<float>(count - exact);
    return first + std::min(count - 1, exact + static_cast<int64_t>(more));
  }
  Tensor table_;
  T5Options options_;
};

}  // namespace

Mechanism t5_row() {
  return {
      .name = "t5",
      .year = 2019,
      .paper = "Raffel et al. 2019, arXiv:1910.10683",
      .formula = "softmax(Q Kᵀ + b_h[bucket(j − i)]) V",
      .cost = "O(T·S·D) time, O(T + S) memory",
      .purpose = {"A learned bias by distance, exact nearby and coarse far away; shared by all layers of T5.",
                  "按距离学习的偏置：近处精确，远处粗略；T5 的所有层共用。"},
      .trap = {"T5 does not scale by √D (its weights start smaller instead); encoders use both directions, decoders "
               "the causal buckets.",
               "T5 不除以 √D（而是用更小的初始权重）；编码器用双向分桶，解码器用因果分桶。"},
      .code = "heed::attend(q, k, v, {.scores = heed::dot(), .position = heed::t5(table)})",
      .learned = {{"buckets",
                   [](const Sizes& n) {
                     return Shape{n.heads, any_size(32)};
                   },
                   -1, 1, at_zero}},
      .options = [](const LearnedTensors& w, const Sizes&) {
        return AttendOptions{.scores = dot(), .position = t5(w.at("buckets"))};
      }};
}

}  // namespace heed::attention

namespace heed {

Position t5(const Tensor& table, const T5Options& options) {
  check(table.rank() == 2, "t5", "the table has shape {}, wanted (H, buckets)", table.shape());
  const int64_t directions = options.bidirectional ? 2 : 1;
  check(table.dim(1) >= 2 * directions && table.dim(1) % directions == 0, "t5", "{} buckets: wanted {}", table.dim(1),
        options.bidirectional ? "an even number from 4 on" : "at least 2");
  const int64_t exact = table.dim(1) / directions / 2;
  check(options.max_distance > exact, "t5", "a max_distance of {}: wanted more than the {} distances with own buckets",
        options.max_distance, exact);
  return {std::make_shared<attention::T5>(table, options)};
}

}  // namespace heed
