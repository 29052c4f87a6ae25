// The normalisers that need no whole row at once; each row is the scores of one query, −∞ where a key is hidden.
//   softmax  p_j = e^{s_j} / Σ e^{s}        ds = p∘(dp − Σ p∘dp)
//   sigmoid  p_j = 1 / (1 + e^{−s_j})       ds = p∘(1 − p)∘dp      Ramapuram et al. 2024, arXiv:2409.04431
//   none     p_j = s_j                      ds = dp                Zhou et al. 2018 (DIN), arXiv:1706.06978
// A row that may look nowhere has weights 0.
#include <algorithm>
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

class Softmax final : public NormalizerRoom {
 public:
  const char* name() const override { return "softmax"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override { p.normalizer = Streaming::softmax; }
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    double largest = -INFINITY, sum = 0;
    for (const double s : row) largest = std::max(largest, s);
    for (double& s : row) sum += s = largest == -INFINITY ? 0 : std::exp(s - largest);
    for (double& s : row) s = sum == 0 ? 0 : s / sum;
  }
};

class Sigmoid final : public NormalizerRoom {
 public:
  const char* name() const override { return "sigmoid"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override { p.normalizer = Streaming::sigmoid; }
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    for (double& s : row) s = 1 / (1 + std::exp(-s));
  }
};

class None final : public NormalizerRoom {
 public:
  const char* name() const override { return "none"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override { p.normalizer = Streaming::none; }
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    for (double& s : row) s = s == -INFINITY ? 0 : s;
  }
};

}  // namespace

const NormalizerRoom& room_of(const Normalizer& slot) {
  static const Softmax softmax;
  return slot.room ? *slot.room : softmax;
}

Mechanism sigmoid_row() {
  return {.name = "sigmoid",
          .year = 2024,
          .paper = "Ramapuram et al. 2024, arXiv:2409.04431",
          .formula = "σ(Q Kᵀ / √D + b) V",
          .cost = "O(T·S·D) time, O(1) memory",
          .purpose = {"Weights that do not compete: a query may look at many keys fully, or at none.",
                      "权重之间互不竞争：一个查询可以充分关注许多键，也可以一个都不看。"},
          .trap = {"Without a bias of about −log S the sum of the weights grows with the number of keys.",
                   "若不加约 −log S 的偏置，权重之和会随键的数量增长。"},
          .code = "heed::attend(q, k, v, {.normalizer = heed::sigmoid()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = sigmoid()}; }};
}

Mechanism no_normalizer_row() {
  return {.name = "none",
          .year = 2018,
          .paper = "Zhou et al. 2018, arXiv:1706.06978",
          .formula = "(Q Kᵀ / √D) V",
          .cost = "O(T·S·D) time, O(1) memory",
          .purpose = {"The intensity of an interest is kept: the sum of the weights says how much was found.",
                      "保留兴趣的强度：权重之和表示找到了多少。"},
          .trap = {"Weights may be negative and grow with the scores; padding must be hidden, or it adds up.",
                   "权重可能为负且随分数增大；填充必须被遮住，否则会被累加。"},
          .code = "heed::attend(q, k, v, {.normalizer = heed::no_normalizer()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = no_normalizer()}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer softmax() { return {std::make_shared<attention::Softmax>()}; }
Normalizer sigmoid() { return {std::make_shared<attention::Sigmoid>()}; }
Normalizer no_normalizer() { return {std::make_shared<attention::None>()}; }

}  // namespace heed
