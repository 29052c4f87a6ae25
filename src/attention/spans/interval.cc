// The spans that are an interval of keys for each query; i' = i + S − T is the query's place among the keys.
//   causal        j <= i'
//   window(l, r)  i' − l <= j <= i' + r      Beltagy, Peters & Cohan 2020, arXiv:2004.05150
#include <fmt/format.h>

#include <algorithm>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Window final : public SpanRoom {
 public:
  Window(int64_t left, int64_t right) : left_(left), right_(right) {}
  std::string name() const override { return left_ == kFar ? "causal" : fmt::format("window({}, {})", left_, right_); }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    p.visible.restrict([&](int64_t, int64_t, int64_t i) {
      const int64_t place = i + p.n.keys - p.n.queries;
      return Interval{place - left_, place + right_ + 1};
    });
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    return j >= x.place(i) - left_ && j <= x.place(i) + right_;
  }

 private:
  int64_t left_, right_;
};

}  // namespace

Mechanism causal_row() {
  return {.name = "causal",
          .year = 2017,
          .paper = "Vaswani et al. 2017, arXiv:1706.03762",
          .formula = "softmax(Q Kᵀ / √D, j ≤ i + S − T) V",
          .cost = "O(T·S·D / 2) time, O(T) memory",
          .purpose =
              {"Generation: nobody looks into the future. With a cache of earlier keys the last query still sees all.",
               "用于生成：任何位置都看不到未来。有键缓存时，最后一个查询仍能看到全部。"},
          .trap = {"The diagonal is aligned to the end, i + S − T: aligned to the beginning, a cache would hide all "
                   "but the first key.",
                   "对角线与末尾对齐，即 i + S − T；若与开头对齐，使用缓存时除第一个键外都会被遮住。"},
          .code = "heed::attend(q, k, v, {.span = heed::causal()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = causal()}; }};
}

Mechanism window_row() {
  return {.name = "window",
          .year = 2020,
          .paper = "Beltagy, Peters & Cohan 2020, arXiv:2004.05150",
          .formula = "softmax(Q Kᵀ / √D, i − left ≤ j ≤ i + right) V",
          .cost = "O(T·(left + right)·D) time, O(T) memory",
          .purpose = {"Long texts at a cost that grows with the length alone; layers on top of each other see further.",
                      "处理长文本，代价只随长度线性增长；层层叠加后视野更远。"},
          .trap = {"window(128, 0) sees 129 keys: itself and 128 to the left.",
                   "window(128, 0) 能看到 129 个键：自身加左侧 128 个。"},
          .code = "heed::attend(q, k, v, {.span = heed::window(128, 0)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = window(3, 1)}; }};
}

}  // namespace heed::attention

namespace heed {

Span causal() { return {std::make_shared<attention::Window>(attention::kFar, 0)}; }
Span window(int64_t left, int64_t right) {
  check(left >= 0 && right >= 0, "window", "a window of {} to the left and {} to the right: neither may be negative",
        left, right);
  using attention::kFar;
  return {std::make_shared<attention::Window>(std::min(left, kFar), std::min(right, kFar))};
}

}  // namespace heed
