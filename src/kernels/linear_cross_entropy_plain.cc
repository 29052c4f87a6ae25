// Linear + cross-entropy in f64: the formulas, a row at a time.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/threads.h"
#include "kernels/linear_cross_entropy.h"

namespace heed::kernels {
namespace {

using PlainProblem = LinearCrossEntropy<double>;
using PlainGradient = LinearCrossEntropyGradient<double>;

double class_weight(const PlainProblem& q, int64_t v) { return q.class_weights ? q.class_weights[v] : 1; }
double row_weight(const PlainProblem& q, int64_t i) { return q.row_weights ? q.row_weights[i] : 1; }

// z, then log p in its place.
void log_probabilities(const PlainProblem& q, int64_t i, std::vector<double>& z) {
  for (int64_t v = 0; v < q.classes; ++v) {
    z[v] = q.bias ? q.bias[v] : 0;
    for (int64_t d = 0; d < q.width; ++d) z[v] += q.x[i * q.width + d] * q.weight[v * q.width + d];
  }
  const double largest = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double value : z) sum += std::exp(value - largest);
  for (double& value : z) value -= largest + std::log(sum);
}

// The row's loss; log p becomes dz.
double differentiate(const PlainProblem& q, int64_t i, double total_class_weight, std::vector<double>& z) {
  const double weight = row_weight(q, i), share = q.smoothing / static_cast<double>(q.classes);
  const double hit = (1 - q.smoothing) * class_weight(q, q.targets[i]);
  const double mass = hit + share * total_class_weight;
  double loss = -hit * z[q.targets[i]];
  for (int64_t v = 0; v < q.classes; ++v) {
    if (share != 0) loss -= share * class_weight(q, v) * z[v];  // z may be -infinity
    z[v] = weight * (mass * std::exp(z[v]) - share * class_weight(q, v) - (v == q.targets[i] ? hit : 0));
  }
  return weight * loss;
}

void add_gradient(const PlainProblem& q, const PlainGradient& g, int64_t i, const std::vector<double>& dz) {
  parallel(q.classes, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v) {
      if (g.dbias) g.dbias[v] += dz[v];
      for (int64_t d = 0; d < q.width && g.dweight; ++d) g.dweight[v * q.width + d] += dz[v] * q.x[i * q.width + d];
    }
  });
  for (int64_t v = 0; v < q.classes && g.dx; ++v)
    for (int64_t d = 0; d < q.width; ++d) g.dx[i * q.width + d] += dz[v] * q.weight[v * q.width + d];
}

}  // namespace

double linear_cross_entropy(const PlainProblem& q, const PlainGradient& g) {
  if (g.dx) std::fill_n(g.dx, q.rows * q.width, 0.0);
  if (g.dweight) std::fill_n(g.dweight, q.classes * q.width, 0.0);
  if (g.dbias) std::fill_n(g.dbias, q.classes, 0.0);
  double total_class_weight = 0, loss = 0;
  for (int64_t v = 0; v < q.classes; ++v) total_class_weight += class_weight(q, v);
  std::vector<double> z(q.classes);
  for (int64_t i = 0; i < q.rows; ++i) {
    if (q.targets[i] == q.ignored) continue;
    log_probabilities(q, i, z);
    loss += differentiate(q, i, total_class_weight, z);
    add_gradient(q, g, i, z);
  }
  return loss;
}

}  // namespace heed::kernels
