// documents: several texts packed into one sequence; only those of the same document see each other. Query i belongs to
// the document at i' = i + S − T. Krell et al. 2021, arXiv:2107.02027.
#include <set>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

// The keys of the document of each key. Documents lie together.
std::vector<Interval> extents(const int64_t* ids, int64_t keys) {
  std::vector<Interval> all(static_cast<size_t>(keys));
  std::set<int64_t> met;
  for (int64_t begin = 0, end = 0; begin < keys; begin = end) {
    while (end < keys && ids[end] == ids[begin]) ++end;
    check(met.insert(ids[begin]).second, "documents", "document {} begins again at key {}: wanted its keys together",
          ids[begin], begin);
    for (int64_t j = begin; j < end; ++j) all[static_cast<size_t>(j)] = {begin, end};
  }
  return all;
}

class Documents final : public SpanRoom {
 public:
  Documents(const std::vector<int64_t>& ids, int64_t rows)
      : rows_(rows), keys_(static_cast<int64_t>(ids.size()) / std::max<int64_t>(1, rows)) {
    for (int64_t b = 0; b < rows_; ++b) extents_.push_back(extents(ids.data() + b * keys_, keys_));
  }
  std::string name() const override { return "documents"; }
  bool counts_from_first() const override { return true; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    check(keys_ == p.n.keys, "attend", "the documents cover {} keys, of which there are {}", keys_, p.n.keys);
    check(rows_ == 1 || rows_ == p.n.batch, "attend", "documents for a batch of {}, q has one of {}", rows_, p.n.batch);
    const int64_t shift = p.n.keys - p.n.queries;
    p.visible.restrict([&](int64_t b, int64_t, int64_t i) { return of(b, i + shift); }, rows_);
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    const Interval keys = of(x.batch, x.place(i));
    return keys.begin <= j && j < keys.end;
  }

 private:
  Interval of(int64_t batch, int64_t place) const {
    return place < 0 ? Interval{} : extents_[rows_ == 1 ? 0 : static_cast<size_t>(batch)][static_cast<size_t>(place)];
  }
  int64_t rows_, keys_;
  std::vector<std::vector<Interval>> extents_;  // [1 or B][S]
};

}  // namespace

Mechanism documents_row() {
  return {.name = "documents",
          .year = 2021,
          .paper = "Krell et al. 2021, arXiv:2107.02027",
          .formula = "softmax(Q Kᵀ / √D, d(i) = d(j)) V",
          .cost = "O(Σ n²·D) time, O(T) memory",
          .purpose = {"Short texts packed into one long sequence without padding; none sees another.",
                      "把短文本首尾相接拼成一条长序列，无需填充，彼此不可见。"},
          .trap = {"Positions must begin again with each document; only distances between words are safe as they are.",
                   "每篇文档的位置编号都要从头开始；只有相对距离才可以原样使用。"},
          .code = "heed::attend(q, k, v, {.span = heed::documents({0, 100, 180, 256}) & heed::causal()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            return AttendOptions{.span = documents({0, n.keys / 4, n.keys / 2, n.keys})};
          }};
}

}  // namespace heed::attention

namespace heed {

Span documents(const Tensor& ids) {
  check(ids.rank() == 1 || ids.rank() == 2, "documents", "the ids have shape {}, wanted (S) or (B, S)", ids.shape());
  return {std::make_shared<attention::Documents>(attention::integers("documents' ids", ids),
                                                 ids.rank() == 1 ? 1 : ids.dim(0))};
}
Span documents(const std::vector<int64_t>& offsets) {
  check(!offsets.empty() && offsets[0] == 0, "documents", "offsets begin with {}, wanted 0",
        offsets.empty() ? "nothing" : std::to_string(offsets[0]));
  std::vector<int64_t> ids;
  for (size_t d = 1; d < offsets.size(); ++d) {
    check(offsets[d] >= offsets[d - 1], "documents", "offset {} is {}, less than the one before, {}", d, offsets[d],
          offsets[d - 1]);
    ids.resize(static_cast<size_t>(offsets[d]), static_cast<int64_t>(d));
  }
  return {std::make_shared<attention::Documents>(ids, 1)};
}

}  // namespace heed
