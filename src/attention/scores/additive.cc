// additive: s_ij = vᵀ tanh(W q_i + U k_j + b)              Bahdanau, Cho & Bengio 2014, arXiv:1409.0473
// Options: v becomes g·v/‖v‖ (Salimans & Kingma 2016, arXiv:1602.07868); a term W_v v_j of the value within; σ in place
// of tanh, which is the same computation, since σ(x) = (1 + tanh(x/2)) / 2.
// Gradient, with t = tanh(…): ∂s/∂v = t, ∂s/∂(W q_i) = ∂s/∂(U k_j) = ∂s/∂b = v∘(1 − t²); those of W, U and g follow by
// the ops that prepare. O(T·S·A) time; U k is computed once a key.
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/added.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Additive final : public ScoreRoom {
 public:
  Additive(Tensor w, Tensor u, Tensor v, AdditiveOptions options)
      : w_(std::move(w)), u_(std::move(u)), v_(std::move(v)), options_(std::move(options)) {}
  const char* name() const override { return "additive"; }
  ReadAhead read_ahead(const Tensor& k) const override {
    return {additive(w_, {}, v_, options_), project(k, u_, "u of additive", "k")};
  }

  void prepare(Pipeline& p) const override {
    Tensor q = project(p.q, w_, "w of additive", "q"), v = v_;
    Tensor k = project_keys(p, u_, "u of additive");
    if (options_.bias.defined()) {
      check(options_.bias.shape() == Shape{q.dim(-1)}, "attend", "the bias of additive has shape {}, wanted ({})",
            options_.bias.shape(), q.dim(-1));
      q = q + options_.bias;
    }
    if (options_.value.defined()) {
      check(
          p.n.value_width > 0, "attend",
          "additive scores of a value and a guided loss, or values of width 0, do not combine: there is none to score");
      const Tensor of_values = project(without_padding(p, p.v), options_.value, "the value's weight of additive", "v");
      check(of_values.dim(-1) == k.dim(-1), "attend", "the projected key is {} wide, the projected value {}", k.dim(-1),
            of_values.dim(-1));
      k = k + of_values;
    }
    if (options_.gain.defined()) v = normed(p, v);
    if (options_.squash == Squash::tanh) return add_scores(p, q, k, v);
    add_scores(p, q * 0.5, k * 0.5, v * 0.5);
    const Tensor constant = reshape(sum(p.features, -1), {1, p.features.dim(0), 1, 1});
    p.biases.push_back({constant + Tensor::zeros({p.n.keys}, constant.dtype()), false});
  }

  double reference(const Plain& x, int64_t i, int64_t j) const override {
    std::vector<double> v = of_head(v_, 1, x);
    std::vector<double> inner(v.size());
    if (options_.bias.defined()) inner = options_.bias.values();
    add_product(of_head(w_, 2, x), x.query(i), static_cast<size_t>(x.width), inner);
    add_product(of_head(u_, 2, x), x.key(j), static_cast<size_t>(x.width), inner);
    if (options_.value.defined())
      add_product(of_head(options_.value, 2, x), x.v.data() + j * x.value_width, static_cast<size_t>(x.value_width),
                  inner);
    double norm = 0, s = 0;
    for (const double a : v) norm += a * a;
    for (size_t a = 0; a < v.size(); ++a)
      s += v[a] * (options_.squash == Squash::tanh ? std::tanh(inner[a]) : 1 / (1 + std::exp(-inner[a])));
    if (!options_.gain.defined()) return s;
    const std::vector<double> gains = options_.gain.values();
    return s * gains[static_cast<size_t>(gains.size() == 1 ? 0 : x.head)] / std::sqrt(norm);
  }

 private:
  // g·v/‖v‖
  Tensor normed(const Pipeline& p, const Tensor& v) const {
    check(options_.gain.numel() == 1 || options_.gain.shape() == Shape{p.n.heads}, "attend",
          "the gain of additive has shape {}, wanted one number or one for each of {} heads", options_.gain.shape(),
          p.n.heads);
    const Tensor unit = v / norm(v, 2, -1, true);
    return options_.gain.numel() == 1 ? unit * reshape(options_.gain, {1}) : unit * unsqueeze(options_.gain, 1);
  }

  Tensor w_, u_, v_;
  AdditiveOptions options_;
};

constexpr int64_t kWidth = inner_width(6);
Shape from_query(const Sizes& n) { return {kWidth, n.width}; }
Shape from_key(const Sizes& n) { return {kWidth, any_size(n.width)}; }
Shape from_value(const Sizes& n) { return {kWidth, n.value_width}; }
Shape one_vector(const Sizes&) { return {kWidth}; }
Shape vector_a_head(const Sizes& n) { return {n.heads, kWidth}; }

}  // namespace

Mechanism additive_row() {
  return {.name = "additive",
          .year = 2014,
          .paper = "Bahdanau, Cho & Bengio 2014, arXiv:1409.0473",
          .formula = "softmax(vᵀ tanh(W q + U k + b)) V",
          .cost = "O(T·S·A) time (a tanh each), O(T) memory",
          .purpose = {"The first attention of translation: a small network compares query and key, which may differ in "
                      "width.",
                      "机器翻译中最早的注意力：用一个小网络比较查询与键，两者的宽度可以不同。"},
          .trap = {"The query is the decoder's state before the step (Bahdanau), not the one after it (Luong).",
                   "查询是该步之前的解码器状态（Bahdanau），而不是该步之后的状态（Luong）。"},
          .code = "heed::attend(q, k, v, {.scores = heed::additive(w, u, vec, {.bias = b})})",
          .learned = {{"w", from_query}, {"u", from_key}, {"vec", vector_a_head}, {"b", one_vector, -1, 1, at_zero}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{.scores = additive(t.at("w"), t.at("u"), t.at("vec"), {.bias = t.at("b")})};
          }};
}

Mechanism normed_additive_row() {
  return {
      .name = "normed_additive",
      .year = 2016,
      .paper = "Bahdanau et al. 2014, arXiv:1409.0473; Salimans & Kingma 2016, arXiv:1602.07868",
      .formula = "softmax(g vᵀ tanh(W q + U k + b) / ‖v‖) V",
      .cost = "O(T·S·A) time (a tanh each), O(T) memory",
      .purpose = {"Additive attention whose sharpness g is learned apart from the direction of v: it trains faster.",
                  "加性注意力，其锐度 g 与 v 的方向分开学习，训练更快。"},
      .trap = {"Start g at √(1/A), as v would begin, not at 1; and this form has a bias.",
               "g 应从 √(1/A)（即 v 的初始尺度）开始而不是 1；并且这种形式带偏置。"},
      .code = "heed::attend(q, k, v, {.scores = heed::additive(w, u, vec, {.bias = b, .gain = g})})",
      .learned = {{"w", from_query},
                  {"u", from_key},
                  {"vec", one_vector, 0.2, 1},
                  {"b", one_vector, -1, 1, at_zero},
                  {"g", [](const Sizes& n) { return Shape{n.heads}; }, 0.5, 1.5, one_over_root}},
      .options = [](const LearnedTensors& t, const Sizes&) {
        return AttendOptions{.scores =
                                 additive(t.at("w"), t.at("u"), t.at("vec"), {.bias = t.at("b"), .gain = t.at("g")})};
      }};
}

Mechanism additive_value_row() {
  return {.name = "additive_value",
          .year = 2014,
          .paper = "after Bahdanau, Cho & Bengio 2014, arXiv:1409.0473; a form that tutorials give",
          .paper_zh = "源自 Bahdanau, Cho & Bengio 2014, arXiv:1409.0473；这是教程中常见的形式",
          .formula = "softmax(vᵀ σ(W q + U k + W_v v)) V",
          .cost = "O(T·S·A) time (a σ each), O(T) memory",
          .purpose = {"Additive attention in which the value has a say in its own weight.",
                      "加性注意力的一种变体：值本身也参与决定自己的权重。"},
          .trap = {"σ lies between 0 and 1: scores of one sign, so the weights are flatter than those of tanh.",
                   "σ 的取值在 0 与 1 之间，分数同号，因此权重比用 tanh 时更平缓。"},
          .code =
              "heed::attend(q, k, v, {.scores = heed::additive(w, u, vec, {.value = wv, .squash = "
              "heed::Squash::sigma})})",
          .learned = {{"w", from_query}, {"u", from_key}, {"vec", one_vector}, {"wv", from_value}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{
                .scores = additive(t.at("w"), t.at("u"), t.at("vec"), {.value = t.at("wv"), .squash = Squash::sigma})};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores additive(const Tensor& w, const Tensor& u, const Tensor& vec, const AdditiveOptions& options) {
  return {std::make_shared<attention::Additive>(w, u, vec, options)};
}

}  // namespace heed
