// Scales of the dot product that depend on something; all are part of q, and the tape brings their gradients.
//   log_length  s = c log S · q·k/√D, S the keys that are no padding: weights as sharp among many keys as among few.
//               Chiang & Cholak 2022, arXiv:2202.12172 (c = 1); Nakanishi 2025, arXiv:2501.19399 (c learned)
//   switchable  s = c_i · q·k, c_i = Σ_m softmax(G q_i)_m c_m: a gate chooses among a set of scales, for each query.
//               A temperature of each query's own: Lin et al. 2018, arXiv:1808.07374
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/factor.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

double dot_of(const Plain& x, int64_t i, int64_t j) {
  double s = 0;
  for (int64_t c = 0; c < x.width; ++c) s += x.query(i)[c] * x.key(j)[c];
  return s;
}

class LogLength final : public ScoreRoom {
 public:
  explicit LogLength(Factor factor) : factor_(std::move(factor)) {}
  const char* name() const override { return "log_length"; }
  void prepare(Pipeline& p) const override {
    p.scale = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, p.n.width)));
    p.q = factor_.times(p.q, p.n.heads) * logs(p);
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    const double log_length = std::log(static_cast<double>(std::max<int64_t>(1, x.length)));
    return factor_.of(x.head) * log_length * dot_of(x, i, j) / std::sqrt(static_cast<double>(x.width));
  }

 private:
  // (B,1,1,1) or one number.
  static Tensor logs(const Pipeline& p) {
    if (!p.lengths.defined())
      return Tensor::full({1}, std::log(static_cast<double>(std::max<int64_t>(1, p.n.keys))), p.q.dtype());
    return log(clamp(reshape(p.lengths.to(p.q.dtype()), {p.n.batch, 1, 1, 1}), 1));
  }
  Factor factor_;
};

class Switchable final : public ScoreRoom {
 public:
  Switchable(Tensor gate, Tensor scales) : gate_(std::move(gate)), scales_(std::move(scales)) {
    check(gate_.rank() == 2 && scales_.shape() == Shape{gate_.dim(0)}, "switchable_scale",
          "the gate has shape {}, the scales {}: wanted (M, D) and (M)", gate_.shape(), scales_.shape());
  }
  const char* name() const override { return "switchable_scale"; }
  void prepare(Pipeline& p) const override {
    check(gate_.dim(1) == p.q.dim(3), "attend", "switchable_scale: the gate takes vectors of {}, q is {} wide",
          gate_.dim(1), p.q.dim(3));
    const Tensor chosen = softmax(linear(p.q, gate_));  // (B,H,T,M)
    p.q = p.q * sum(chosen * scales_, -1, true);
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    std::vector<double> odds;
    double all = 0, scale = 0;
    for (int64_t m = 0; m < gate_.dim(0); ++m) {
      double s = 0;
      for (int64_t c = 0; c < x.width; ++c) s += gate_.value({m, c}) * x.query(i)[c];
      odds.push_back(std::exp(s));
      all += odds.back();
    }
    for (int64_t m = 0; m < gate_.dim(0); ++m) scale += odds[static_cast<size_t>(m)] / all * scales_.value({m});
    return scale * dot_of(x, i, j);
  }

 private:
  Tensor gate_, scales_;
};

}  // namespace

Mechanism log_length_row() {
  return {
      .name = "log_length",
      .year = 2022,
      .paper = "Chiang & Cholak 2022, arXiv:2202.12172",
      .formula = "softmax(c_h log S · Q Kᵀ / √D) V",
      .cost = "O(T·S·D) time, O(T·D) memory",
      .purpose = {"Weights do not fade as texts grow longer than those trained on.",
                  "文本比训练时更长时，权重也不会被摊薄。"},
      .trap = {"S counts the keys of the call, not those that a query may see: step by step, with a cache, it grows.",
               "S 是本次调用的键数，而非某个查询可见的键数：逐步生成并使用缓存时，它会增长。"},
      .code = "heed::attend(q, k, v, {.scores = heed::log_length()})",
      .learned = {{"scale", [](const Sizes& n) { return Shape{n.heads}; }, 0.3, 1,
                   [](const Sizes&, int64_t) { return 0.3; }}},
      .options = [](const LearnedTensors& w, const Sizes&) {
        return AttendOptions{.scores = log_length(w.at("scale"))};
      }};
}

Mechanism switchable_scale_row() {
  return {.name = "switchable_scale",
          .year = 2018,
          .paper = "Lin et al. 2018, arXiv:1808.07374",
          .formula = "softmax(c_i Q Kᵀ) V, c_i = Σ_m softmax(G q_i)_m c_m",
          .cost = "O(T·S·D + T·M·D) time, O(T·D) memory",
          .purpose = {"Each query decides whether to look sharply at a word or broadly at a phrase.",
                      "每个查询自行决定：是锐利地看一个词，还是宽泛地看一个短语。"},
          .trap = {"Scales that lie close together are never told apart; take powers of two around 1/√D.",
                   "彼此接近的缩放难以区分；宜取 1/√D 附近的 2 的幂。"},
          .code = "heed::attend(q, k, v, {.scores = heed::switchable_scale(gate, scales)})",
          .learned = {{"gate",
                       [](const Sizes& n) {
                         return Shape{inner_width(3), n.width};
                       }},
                      {"scales", [](const Sizes&) { return Shape{inner_width(3)}; }, 0.1, 1,
                       [](const Sizes& n, int64_t i) {
                         return std::exp2(static_cast<double>(i % 5 - 2)) * one_over_root(n, i);
                       }}},
          .options = [](const LearnedTensors& w, const Sizes&) {
            return AttendOptions{.scores = switchable_scale(w.at("gate"), w.at("scales"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores log_length(double scale) {
  return {std::make_shared<attention::LogLength>(attention::Factor("log_length", scale))};
}
Scores log_length(const Tensor& scale) { return {std::make_shared<attention::LogLength>(attention::Factor(scale))}; }
Scores switchable_scale(const Tensor& gate, const Tensor& scales) {
  return {std::make_shared<attention::Switchable>(gate, scales)};
}

}  // namespace heed
