// The score of a key by itself: a sentence, an image, a set becomes one vector. The query says nothing but how many
// rows there are, usually one.
//   pooling         s_j = vᵀ tanh(W k_j + b)     Raffel & Ellis 2015, arXiv:1512.08756
//   linear_pooling  s_j = w·k_j + b              a Dense layer of one unit
// They are additive with q' = b and dot with q' = w.
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/added.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

// One row, or one for each head, (…,A), for all queries: a view.
Tensor for_queries(const Pipeline& p, const Tensor& row) {
  const int64_t width = row.dim(-1);
  return expand(reshape(row, {1, row.numel() / std::max<int64_t>(1, width), 1, width}),
                {p.n.batch, p.n.heads, p.n.queries, width});
}

class Pooling final : public ScoreRoom {
 public:
  Pooling(Tensor w, Tensor v, Tensor bias) : w_(std::move(w)), v_(std::move(v)), bias_(std::move(bias)) {}
  const char* name() const override { return "pooling"; }
  bool uses_queries() const override { return false; }
  ReadAhead read_ahead(const Tensor& k) const override {
    return {pooling({}, v_, bias_), project(k, w_, "w of pooling", "k")};
  }
  void prepare(Pipeline& p) const override {
    const Tensor k = project_keys(p, w_, "w of pooling");
    const Tensor bias = bias_.defined() ? bias_ : Tensor::zeros({k.dim(-1)}, k.dtype());
    check(bias.shape() == Shape{k.dim(-1)}, "attend", "the bias of pooling has shape {}, wanted ({})", bias.shape(),
          k.dim(-1));
    add_scores(p, for_queries(p, bias), k, v_);
  }
  double reference(const Plain& x, int64_t, int64_t j) const override {
    const std::vector<double> v = of_head(v_, 1, x);
    std::vector<double> inner = bias_.defined() ? bias_.values() : std::vector<double>(v.size());
    add_product(of_head(w_, 2, x), x.key(j), static_cast<size_t>(x.width), inner);
    double s = 0;
    for (size_t a = 0; a < v.size(); ++a) s += v[a] * std::tanh(inner[a]);
    return s;
  }

 private:
  Tensor w_, v_, bias_;
};

class LinearPooling final : public ScoreRoom {
 public:
  LinearPooling(Tensor w, Tensor bias) : w_(std::move(w)), bias_(std::move(bias)) {}
  const char* name() const override { return "linear_pooling"; }
  bool uses_queries() const override { return false; }
  void prepare(Pipeline& p) const override {
    const int64_t width = p.k.dim(-1);
    check(w_.shape() == Shape{width} || w_.shape() == Shape{p.n.heads, width}, "attend",
          "w of linear_pooling has shape {}, wanted ({}), or ({}, {}) for each head", w_.shape(), width, p.n.heads,
          width);
    p.q = for_queries(p, w_), p.n.width = width, p.scale = 1;
    if (!bias_.defined()) return;
    check(bias_.numel() == 1, "attend", "the bias of linear_pooling has shape {}, wanted one number", bias_.shape());
    p.biases.push_back({reshape(bias_, {1, 1, 1, 1}) + Tensor::zeros({p.n.keys}, bias_.dtype()), false});
  }
  double reference(const Plain& x, int64_t, int64_t j) const override {
    std::vector<double> s = {bias_.defined() ? bias_.values()[0] : 0};
    add_product(of_head(w_, 1, x), x.key(j), static_cast<size_t>(x.width), s);
    return s[0];
  }

 private:
  Tensor w_, bias_;
};

}  // namespace

Mechanism pooling_row() {
  return {.name = "pooling",
          .year = 2015,
          .paper = "Raffel & Ellis 2015, arXiv:1512.08756",
          .formula = "softmax(vᵀ tanh(W k + b)) V",
          .cost = "O(S·A) time (a tanh each), O(1) memory",
          .purpose = {"One vector of a sequence, for classification and tagging: the words that matter weigh most.",
                      "把一个序列汇成一个向量，用于分类与标注：重要的词权重最大。"},
          .trap = {"Give one query: each further one would be the same row again. Hide padding, or it gets weight.",
                   "只需给一个查询：更多查询只会得到相同的行。填充必须被遮住，否则会得到权重。"},
          .code = "heed::attend(one, k, v, {.scores = heed::pooling(w, vec, b)})",
          .learned = {{"w",
                       [](const Sizes& n) {
                         return Shape{inner_width(5), any_size(n.width)};
                       }},
                      {"vec", [](const Sizes&) { return Shape{inner_width(5)}; }},
                      {"b", [](const Sizes&) { return Shape{inner_width(5)}; }, -1, 1, at_zero}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{.scores = pooling(t.at("w"), t.at("vec"), t.at("b"))};
          }};
}

Mechanism linear_pooling_row() {
  return {.name = "linear_pooling",
          .year = 2015,
          .paper = "Raffel & Ellis 2015, arXiv:1512.08756, without the tanh",
          .paper_zh = "Raffel & Ellis 2015, arXiv:1512.08756，去掉 tanh",
          .formula = "softmax(w·k + b) V",
          .cost = "O(S·D) time, O(1) memory",
          .purpose = {"The cheapest pooling: a Dense layer of one unit scores each position.",
                      "最省的汇聚方式：用单个单元的 Dense 层给每个位置打分。"},
          .trap = {"The softmax does not see b: its gradient is 0. It counts with sigmoid weights alone.",
                   "softmax 不受 b 影响，其梯度为 0；只有使用 sigmoid 权重时 b 才起作用。"},
          .code = "heed::attend(one, k, v, {.scores = heed::linear_pooling(w, b)})",
          .learned = {{"w",
                       [](const Sizes& n) {
                         return Shape{n.heads, any_size(n.width)};
                       }},
                      {"b", [](const Sizes&) { return Shape{1}; }, -1, 1, at_zero}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{.scores = linear_pooling(t.at("w"), t.at("b"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores pooling(const Tensor& w, const Tensor& vec, const Tensor& bias) {
  return {std::make_shared<attention::Pooling>(w, vec, bias)};
}
Scores linear_pooling(const Tensor& w, const Tensor& bias) {
  return {std::make_shared<attention::LinearPooling>(w, bias)};
}

}  // namespace heed
