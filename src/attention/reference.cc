#include "attention/reference.h"

#include <cmath>

#include "attention/slots.h"

namespace heed::attention {
namespace {

Plain head_of(const Tensor& q, const Tensor& k, const Tensor& v, int64_t b, int64_t h) {
  const int64_t g = h / (q.dim(1) / k.dim(1));
  return {q.dim(2), k.dim(2), q.dim(3),         k.dim(3),         v.dim(3),        b, h, q.dim(1),
          k.dim(1), k.dim(2), q[b][h].values(), k[b][g].values(), v[b][g].values()};
}

// x[b,h,i,j] of a tensor that broadcasts.
double at(const Tensor& x, int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t index[4] = {b, h, i, j};
  Shape place;
  for (int dim = 0; dim < x.rank(); ++dim) {
    const int64_t full = index[4 - x.rank() + dim];
    place.push_back(x.dim(dim) == 1 ? 0 : full);
  }
  return x.value(place);
}

class Formula {
 public:
  Formula(const AttendOptions& options, Plain x) : options_(options), given_(std::move(x)) {
    if (const Tensor lengths = key_lengths(options); lengths.defined())
      given_.length = static_cast<int64_t>(lengths.value({given_.batch}));
    given_.random = options.random ? *options.random : random();
    x_ = given_;
    if (const PositionRoom* position = room_of(options_.position)) position->move(x_);
  }
  bool sees(int64_t i, int64_t j) const {
    const SpanRoom* span = room_of(options_.span);
    if (span && !span->reference(given_, i, j)) return false;
    if (j >= x_.length) return false;
    return !options_.mask.defined() || at(options_.mask, x_.batch, x_.head, i, j) != 0;
  }
  double score(int64_t i, int64_t j) const {
    double s = room_of(options_.scores).reference(x_, i, j);
    if (const PositionRoom* position = room_of(options_.position)) s += position->reference(x_, i, j);
    if (const SpanRoom* span = room_of(options_.span)) s += span->bias(given_, i, j);
    if (options_.bias.defined()) s += at(options_.bias, x_.batch, x_.head, i, j);
    return options_.soft_cap != 0 ? options_.soft_cap * std::tanh(s / options_.soft_cap) : s;
  }
  std::vector<double> row(int64_t i) const {
    std::vector<double> scores;
    for (int64_t j = 0; j < x_.keys; ++j) scores.push_back(sees(i, j) ? score(i, j) : -INFINITY);
    return scores;
  }
  // Scores become weights.
  void weigh(int64_t i, std::vector<double>& row) const {
    room_of(options_.normalizer).reference(x_, i, row);
    if (const SpanRoom* span = room_of(options_.span))
      for (size_t j = 0; j < row.size(); ++j)
        if (row[j] != 0) row[j] *= span->multiplier(given_, i, static_cast<int64_t>(j));
  }
  double value(int64_t i, int64_t j, int64_t c) const {
    const double v = x_.v[static_cast<size_t>(j * x_.value_width + c)];
    const PositionRoom* position = room_of(options_.position);
    return position ? v + position->value_reference(x_, i, j, c) : v;
  }

 private:
  const AttendOptions& options_;
  Plain given_, x_;  // before and after the position has moved q and k
};

double log_sum_exp(const std::vector<double>& row) {
  double largest = -INFINITY, sum = 0;
  for (const double s : row) largest = std::max(largest, s);
  for (const double s : row) sum += largest == -INFINITY ? 0 : std::exp(s - largest);
  return largest == -INFINITY ? largest : largest + std::log(sum);
}

}  // namespace

Reference reference(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options) {
  const int64_t batches = q.dim(0), heads = q.dim(1), queries = q.dim(2), keys = k.dim(2), width = v.dim(3);
  Reference r{Tensor({batches, heads, queries, width}, Dtype::f64), Tensor({batches, heads, queries, keys}, Dtype::f64),
              Tensor({batches, heads, queries}, Dtype::f64), Tensor({batches, heads, queries, keys}, Dtype::f64)};
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      const Formula formula(options, head_of(q, k, v, b, h));
      for (int64_t i = 0; i < queries; ++i) {
        std::vector<double> row = formula.row(i);
        r.log_sum_exp.at<double>({b, h, i}) = log_sum_exp(row);
        for (int64_t j = 0; j < keys; ++j) r.scores.at<double>({b, h, i, j}) = row[static_cast<size_t>(j)];
        formula.weigh(i, row);
        for (int64_t j = 0; j < keys; ++j) r.weights.at<double>({b, h, i, j}) = row[static_cast<size_t>(j)];
        for (int64_t c = 0; c < width; ++c) {
          double sum = 0;  // a weight of 0 is no look: what lies behind it may be NaN
          for (int64_t j = 0; j < keys; ++j)
            if (const double p = row[static_cast<size_t>(j)]; p != 0) sum += p * formula.value(i, j, c);
          r.out.at<double>({b, h, i, c}) = sum;
        }
      }
    }
  return r;
}

}  // namespace heed::attention
