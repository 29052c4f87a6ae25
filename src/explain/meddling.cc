// What the answer becomes when attention is meddled with: heads that give nothing, weights that are not the model's.
#include <heed/explain.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/words_watcher.h"

namespace heed {
namespace {

// The places where a question's model attends, and their heads.
class Places final : public Watcher {
 public:
  Attended attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttendOptions& options) override {
    if (heads.emplace(place, q.dim(1)).second) order.push_back(place);
    return heed::attend(q, k, v, options);
  }
  std::vector<std::string> order;
  std::map<std::string, int64_t> heads;
};
Places places_of(const Question& question) {
  Places places;
  question.answer(1, places);
  return places;
}

// Copy h of the text goes without head h, the last copy with all.
class WithoutHeads final : public Watcher {
 public:
  explicit WithoutHeads(std::string place) : place_(std::move(place)) {}
  Attended attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttendOptions& options) override {
    Attended y = heed::attend(q, k, v, options);
    if (place != place_) return y;
    Tensor kept = ones({y.out.dim(0), y.out.dim(1), 1, 1}, y.out.dtype());
    for (int64_t h = 0; h < y.out.dim(1); ++h) kept[h][h].fill(0);
    y.out = y.out * kept;
    return y;
  }

 private:
  std::string place_;
};

// out + (a' − a) v: with other weights, whatever else the mechanism adds.
template <class Other>
class OtherWeights final : public Watcher {
 public:
  OtherWeights(std::string place, Other other) : place_(std::move(place)), other_(std::move(other)) {}
  Attended attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttendOptions& options) override {
    if (place != place_) return heed::attend(q, k, v, options);
    AttendOptions seeing = options;
    seeing.return_weights = true;
    Attended y = heed::attend(q, k, v, seeing);
    const Tensor changed = changed_rows(y.weights);
    const int64_t groups = v.dim(1), rows = y.out.dim(1) / groups * y.out.dim(2);
    const Tensor off = reshape(changed - y.weights, {v.dim(0), groups, rows, v.dim(2)});
    y.out = y.out + reshape(matmul(off, v), y.out.shape());
    y.weights = options.return_weights ? changed : Tensor();
    return y;
  }

 private:
  Tensor changed_rows(const Tensor& weights) {
    Tensor changed = weights.clone();
    const int64_t keys = weights.dim(-1);
    float* row = changed.data<float>();
    for (int64_t n = 0; n < weights.numel() / std::max<int64_t>(1, keys); ++n, row += keys) {
      std::vector<int64_t> visible;
      for (int64_t j = 0; j < keys; ++j)
        if (row[j] != 0) visible.push_back(j);
      other_(row, visible);
    }
    return changed;
  }
  std::string place_;
  Other other_;
};

double said(const Question& question, Watcher& watcher) {
  return explain::probabilities(question, question.answer(1, watcher))[0];
}

template <class Other>
double with_other(const Question& question, const std::string& place, const Other& other) {
  OtherWeights watcher(place, other);
  return said(question, watcher);
}

void make_equal(float* row, const std::vector<int64_t>& visible) {
  float sum = 0;
  for (const int64_t j : visible) sum += row[j];
  for (const int64_t j : visible) row[j] = sum / static_cast<float>(visible.size());
}

// Another order each time.
struct Shuffle {
  Random from;
  void operator()(float* row, const std::vector<int64_t>& visible) {
    const Tensor order = permutation(std::ssize(visible), from);
    std::vector<float> values;
    for (const int64_t j : visible) values.push_back(row[j]);
    for (size_t n = 0; n < visible.size(); ++n)
      row[visible[n]] = values[static_cast<size_t>(order.at<int64_t>({static_cast<int64_t>(n)}))];
  }
};

}  // namespace

std::vector<HeadImportance> head_importance(const Question& question) {
  const NoGrad scope;
  const Places places = places_of(question);
  std::vector<HeadImportance> all;
  for (const std::string& place : places.order) {
    WithoutHeads watcher(place);
    const std::vector<double> answers = mean(question.answer(places.heads.at(place) + 1, watcher), {1}).values();
    all.push_back({place, {}});
    for (size_t h = 0; h + 1 < answers.size(); ++h) all.back().lost.push_back(answers.back() - answers[h]);
  }
  return all;
}

std::vector<Counterfactual> counterfactuals(const Question& question, uint64_t seed) {
  const NoGrad scope;
  Watcher nothing_else;
  const double as_it_was = said(question, nothing_else);
  std::vector<Counterfactual> all;
  for (const std::string& place : places_of(question).order)
    all.push_back({place, as_it_was, with_other(question, place, Shuffle{{seed, 0, 0}}),
                   with_other(question, place, make_equal)});
  return all;
}

}  // namespace heed
