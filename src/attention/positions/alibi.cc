// alibi: s_ij += −m_h·|i' − j|, i' = i + S − T, m_h = 2^(−8h/H) for h = 1 … H. Where H is no power of two, the slopes
// of the largest power of two below it, then every other one of twice as many.
// Press, Smith & Lewis 2021, arXiv:2108.12409. Nothing is learned.
#include <bit>
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

std::vector<double> slopes(int64_t heads) {
  const auto whole = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<double> m;
  for (int64_t h = 1; h <= whole; ++h)
    m.push_back(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(whole)));
  for (int64_t h = 1; static_cast<int64_t>(m.size()) < heads; h += 2)
    m.push_back(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(2 * whole)));
  return m;
}

class Alibi final : public PositionRoom {
 public:
  explicit Alibi(int64_t heads) : slopes_(slopes(heads)) {}
  const char* name() const override { return "alibi"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    const auto heads = static_cast<int64_t>(slopes_.size());
    check(heads == p.n.heads, "attend", "alibi was made for {} heads, q has {}", heads, p.n.heads);
    const int64_t distances = p.n.queries + p.n.keys - 1;
    if (distances <= 0) return;
    Tensor bias({heads, distances}, Dtype::f64);
    double* to = bias.span<double>().data();
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t x = 0; x < distances; ++x)  // x = j − i + T − 1 = j − i' + S − 1
        *to++ = -slopes_[static_cast<size_t>(h)] * std::abs(static_cast<double>(x - (p.n.keys - 1)));
    p.biases.push_back({bias.to(p.number), true});
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    return -slopes_[static_cast<size_t>(x.head)] * std::abs(static_cast<double>(x.place(i) - j));
  }

 private:
  std::vector<double> slopes_;
};

}  // namespace

Mechanism alibi_row() {
  return {.name = "alibi",
          .year = 2021,
          .paper = "Press, Smith & Lewis 2021, arXiv:2108.12409",
          .formula = "softmax(Q Kᵀ / √D − m_h·|i − j|) V",
          .cost = "O(T·S·D) time, O(T + S) memory",
          .purpose =
              {"A position without embeddings: the further, the less. Goes on to texts longer than those trained on.",
               "不用位置向量的位置信息：越远权重越小。能外推到比训练时更长的文本。"},
          .trap = {"The slopes belong to heads, not to layers; where the number of heads is no power of two they are "
                   "interleaved.",
                   "斜率属于各个头而非各层；头数不是 2 的幂时斜率需交错选取。"},
          .code = "heed::attend(q, k, v, {.position = heed::alibi(8), .span = heed::causal()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            return AttendOptions{.position = alibi(n.heads), .span = causal()};
          }};
}

}  // namespace heed::attention

namespace heed {

Position alibi(int64_t heads) {
  check(heads > 0, "alibi", "got {} heads, wanted at least one", heads);
  return {std::make_shared<attention::Alibi>(heads)};
}

}  // namespace heed
