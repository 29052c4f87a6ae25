// rope: the pair of columns (a, b) of q_i and of k_j is turned by its place p (i' = i + S − T, or j):
//   (a, b) -> (a cos pω_c − b sin pω_c, b cos pω_c + a sin pω_c),   ω_c = base^(−2c/w)
// so that q_i·k_j depends on the places by j − i' alone. The gradient is turned back by the same angle. Pairs are
// (c, c + w/2) or (2c, 2c + 1). Su et al. 2021, arXiv:2104.09864
#include <cmath>

#include "attention/positions/frequencies.h"
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "base/threads.h"
#include "kernels/rotation.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

// Of each place: (rows, pairs), or (B, rows, pairs).
struct Turns {
  Tensor cosines, sines;
  Turns back() const { return {cosines, -sines}; }
  Turns to(Dtype dtype) const { return {cosines.to(dtype), sines.to(dtype)}; }
};

template <class T>
void rotate_heads(const Tensor& x, Tensor& y, const Turns& turns, kernels::Pairs pairs) {
  const int64_t heads = x.dim(1), rows = x.dim(2), width = x.dim(3), count = turns.cosines.dim(-1);
  const int64_t batch_turns = turns.cosines.rank() == 3 ? rows * count : 0, part = 256;
  const int64_t parts = (rows + part - 1) / part;
  const T *from = x.data<T>(), *cosines = turns.cosines.data<T>(), *sines = turns.sines.data<T>();
  T* to = y.data<T>();
  parallel(x.dim(0) * heads * parts, 16, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t head = item / parts, b = head / heads, row = item % parts * part;
      const int64_t turn = b * batch_turns + row * count;
      kernels::rotate(std::min(part, rows - row), width,
                      from + b * x.strides()[0] + head % heads * x.strides()[1] + row * x.strides()[2], x.strides()[2],
                      to + (head * rows + row) * width, {cosines + turn, sines + turn, count}, pairs);
    }
  });
}

// x (B,H,T,D), its first columns turned. dx = dy turned back.
Tensor rotate(const Tensor& given, const Turns& turns, kernels::Pairs pairs) {
  const Tensor x = given.dim(3) == 1 || given.strides()[3] == 1 ? given.detach() : given.detach().packed();
  Tensor y(x.shape(), x.dtype());
  dispatch_floating(x.dtype(), "rope", [&](auto zero) { rotate_heads<decltype(zero)>(x, y, turns, pairs); });
  return record("rope", y, {given},
                [turns, pairs](const Tensor& dy, Gradients& d) { d.add(0, rotate(dy, turns.back(), pairs)); });
}

class Rope final : public PositionRoom {
 public:
  explicit Rope(const RopeOptions& options) : options_(options) {}
  const char* name() const override { return "rope"; }
  bool counts_from_first() const override { return std::holds_alternative<RopeDynamicNtk>(options_.scaling); }

  void prepare(Pipeline& p) const override {
    const int64_t width = rotated(p.n.width);
    check(width <= p.k.dim(3), "attend", "rope turns {} columns, k has {}", width, p.k.dim(3));
    const Tensor queries = places(options_.queries, "queries", p.n.batch, p.n.queries, p.n.keys - p.n.queries),
                 keys = places(options_.keys, "keys", p.n.batch, p.n.keys, 0);
    const Frequencies f = frequencies(options_, width, length(queries, keys));
    p.q = rotate(p.q, turns(queries, f).to(p.q.dtype()), pairs());
    p.k = rotate(p.k, turns(keys, f).to(p.k.dtype()), pairs());
  }

  void move(Plain& x) const override {
    const auto place = [&](const Tensor& given, int64_t i, int64_t first) {
      if (!given.defined()) return static_cast<double>(first + i + options_.offset);
      return given.value(given.rank() == 2 ? Shape{x.batch, i} : Shape{i}) + static_cast<double>(options_.offset);
    };
    std::vector<double> of_queries, of_keys;
    for (int64_t i = 0; i < x.queries; ++i) of_queries.push_back(place(options_.queries, i, x.place(0)));
    for (int64_t j = 0; j < x.keys; ++j) of_keys.push_back(place(options_.keys, j, 0));
    double last = 0;
    for (const auto* all : {&of_queries, &of_keys})
      for (const double p : *all) last = std::max(last, p);
    const Frequencies f = frequencies(options_, rotated(x.width), static_cast<int64_t>(last) + 1);
    turn(x.q, of_queries, x.width, f), turn(x.k, of_keys, x.key_width, f);
  }

 private:
  kernels::Pairs pairs() const {
    return options_.layout == RopeLayout::half_split ? kernels::Pairs::halves : kernels::Pairs::neighbours;
  }
  int64_t rotated(int64_t width) const {
    const int64_t w = options_.width == 0 ? width : options_.width;
    check(w <= width, "attend", "rope turns {} columns, q has {}", w, width);
    check(w % 2 == 0, "attend", "rope turns pairs of columns, {} is odd", w);
    return w;
  }
  // f64: those given, or first, first + 1, …
  Tensor places(const Tensor& given, const char* what, int64_t batch, int64_t count, int64_t first) const {
    const auto offset = static_cast<double>(options_.offset);
    if (!given.defined()) return arange(count, Dtype::f64) + (static_cast<double>(first) + offset);
    const bool fits = given.shape() == Shape{count} || given.shape() == Shape{batch, count};
    check(given.dtype() == Dtype::i64 && fits, "attend",
          "rope's places of {} are {} of shape {}, wanted i64 of ({}) or {}", what, heed::name(given.dtype()),
          given.shape(), count, Shape{batch, count});
    return given.detach().to(Dtype::f64) + offset;
  }
  static int64_t length(const Tensor& queries, const Tensor& keys) {
    double last = -1;
    for (const Tensor* x : {&queries, &keys})
      if (x->numel() > 0) last = std::max(last, max(*x).item());
    return static_cast<int64_t>(last) + 1;
  }
  static Turns turns(const Tensor& places, const Frequencies& f) {
    const Tensor angles = unsqueeze(places, -1) * tensor_from(f.turns, {static_cast<int64_t>(f.turns.size())});
    return {cos(angles) * f.amplitude, sin(angles) * f.amplitude};
  }
  // The formula.
  void turn(std::vector<double>& rows, const std::vector<double>& places, int64_t width, const Frequencies& f) const {
    const auto half = static_cast<int64_t>(f.turns.size());
    const bool interleaved = options_.layout == RopeLayout::interleaved;
    for (size_t i = 0; i < places.size(); ++i)
      for (int64_t c = 0; c < half; ++c) {
        double* row = rows.data() + static_cast<int64_t>(i) * width;
        double &a = row[interleaved ? 2 * c : c], &b = row[interleaved ? 2 * c + 1 : c + half];
        const double angle = places[i] * f.turns[static_cast<size_t>(c)];
        const double cosine = f.amplitude * std::cos(angle), sine = f.amplitude * std::sin(angle), before = a;
        a = before * cosine - b * sine, b = b * cosine + before * sine;
      }
  }

  RopeOptions options_;
};

// The examples have odd widths, too: there the last column is not turned.
AttendOptions example(const Sizes& n, RopeOptions options) {
  options.width = n.width / 2 * 2;
  return {.position = rope(options)};
}

}  // namespace

Mechanism rope_row() {
  return {
      .name = "rope",
      .year = 2021,
      .paper = "Su et al. 2021, arXiv:2104.09864",
      .formula = "softmax(R_i q_i · R_j k_j / √D) V,  R_p turns columns (c, c + w/2) by p·10000^(−2c/w)",
      .formula_zh = "softmax(R_i q_i · R_j k_j / √D) V，R_p 把列 (c, c + w/2) 旋转 p·10000^(−2c/w)",
      .cost = "O(T·S·D) time, O((T + S)·D) memory",
      .purpose = {"Query and key are turned by their places, so that a score knows the distance alone. What most "
                  "language models use today.",
                  "查询与键按各自位置旋转，分数只取决于相对距离。当今大多数语言模型都在使用。"},
      .trap = {"There are two layouts of the pairs (Llama's files: half-split; the paper, GPT-J: interleaved): with "
               "the wrong one a checkpoint speaks nonsense. Only q and k are turned, never v.",
               "成对方式有两种（Llama 权重为前后对半；论文与 GPT-J 为相邻成对）：用错则模型胡言乱语。只旋转 q 和 "
               "k，绝不旋转 v。"},
      .code = "heed::attend(q, k, v, {.position = heed::rope(), .span = heed::causal()})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes& n) { return example(n, {}); }};
}

Mechanism rope_interleaved_row() {
  return {
      .name = "rope_interleaved",
      .year = 2021,
      .paper = "Su et al. 2021, arXiv:2104.09864",
      .formula = "softmax(R_i q_i · R_j k_j / √D) V,  R_p turns columns (2c, 2c + 1) by p·10000^(−2c/w)",
      .formula_zh = "softmax(R_i q_i · R_j k_j / √D) V，R_p 把列 (2c, 2c + 1) 旋转 p·10000^(−2c/w)",
      .cost = "O(T·S·D) time, O((T + S)·D) memory",
      .purpose = {"rope as the paper and GPT-J pair the columns: neighbours.",
                  "按论文与 GPT-J 的方式成对（相邻两列）的 rope。"},
      .trap = {"Not the layout of Llama's files in the Hugging Face form; converting one into the other permutes "
               "the rows of the projections of q and k.",
               "与 Hugging Face 格式的 Llama 权重布局不同；两者互换需要重排 q、k 投影矩阵的行。"},
      .code = "heed::attend(q, k, v, {.position = heed::rope({.layout = heed::RopeLayout::interleaved})})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes& n) { return example(n, {.layout = RopeLayout::interleaved}); }};
}

Mechanism yarn_row() {
  return {.name = "yarn",
          .year = 2023,
          .paper = "Peng et al. 2023, arXiv:2309.00071",
          .formula = "rope with ω_c(1 − r_c) + ω_c r_c/s in place of ω_c, scores times (0.1 ln s + 1)²",
          .formula_zh = "rope，其中 ω_c 换成 ω_c(1 − r_c) + ω_c r_c/s，分数再乘 (0.1 ln s + 1)²",
          .cost = "O(T·S·D) time, O((T + S)·D) memory",
          .purpose = {"Stretches a model with rope to texts s times as long: fast pairs are kept, slow ones stretched.",
                      "把使用 rope 的模型扩展到 s 倍长的文本：转得快的列保持不变，转得慢的列被拉伸。"},
          .trap = {"The factor 0.1 ln s + 1 multiplies q and k each, so the scores take its square.",
                   "因子 0.1 ln s + 1 同时乘在 q 和 k 上，因此分数乘的是它的平方。"},
          .code = "heed::attend(q, k, v, {.position = heed::rope({.scaling = heed::RopeYarn{4, 4096}})})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            return example(n, {.scaling = RopeYarn{.factor = 4, .trained = 32}});
          }};
}

}  // namespace heed::attention

namespace heed {

Position rope(const RopeOptions& options) {
  check(options.width >= 0, "rope", "a width of {}: wanted an even number, or 0 for all columns", options.width);
  check(options.width % 2 == 0, "rope", "a width of {}: columns are turned in pairs", options.width);
  attention::check_frequencies(options);
  return {std::make_shared<attention::Rope>(options)};
}

}  // namespace heed
