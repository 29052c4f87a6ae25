// Attention over several layers as a graph: each place of a layer is tied to all places of the layer below.
//                                                                      Abnar & Zuidema 2020, arXiv:2005.00928
//   Ã_l = rownorm(mean over heads A_l + I)          the residual goes past attention
//   rollout: R_l = Ã_l R_{l−1}, R_0 = I;   flow: the largest flow from a place at the top to one at the bottom,
//   where Ã_l[i][j] is what the tie from i down to j can carry
#include <heed/explain.h>

#include <algorithm>
#include <limits>
#include <queue>

#include "base/check.h"

namespace heed {
namespace {

Tensor with_residual(const Tensor& layer) {
  check(layer.rank() == 3 && layer.dim(1) == layer.dim(2), "rollout", "got a layer {}, wanted (heads, S, S)",
        layer.shape().text());
  Tensor tied = mean(layer.to(Dtype::f64), {0});
  for (int64_t i = 0; i < tied.dim(0); ++i) tied.at<double>({i, i}) += 1;
  return tied / sum(tied, {1}, true);
}

// Dinic's algorithm: the largest flow by levels.
class FlowGraph {
 public:
  explicit FlowGraph(size_t nodes) : edges_(nodes), level_(nodes), next_(nodes) {}
  void tie(size_t from, size_t to, double capacity) {
    edges_[from].push_back({to, edges_[to].size(), capacity, capacity});
    edges_[to].push_back({from, edges_[from].size() - 1, 0, 0});
  }
  double largest(size_t from, size_t to) {
    for (auto& of_node : edges_)
      for (Edge& edge : of_node) edge.left = edge.capacity;
    double flow = 0;
    while (find_levels(from, to)) {
      std::fill(next_.begin(), next_.end(), 0);
      for (double more; (more = push(from, to, std::numeric_limits<double>::infinity())) > 0;) flow += more;
    }
    return flow;
  }

 private:
  static constexpr double kNothing = 1e-12;
  struct Edge {
    size_t to, back;
    double capacity, left;
  };
  bool find_levels(size_t from, size_t to) {
    std::fill(level_.begin(), level_.end(), -1);
    std::queue<size_t> reached({from});
    for (level_[from] = 0; !reached.empty(); reached.pop())
      for (const Edge& edge : edges_[reached.front()])
        if (edge.left > kNothing && level_[edge.to] < 0)
          level_[edge.to] = level_[reached.front()] + 1, reached.push(edge.to);
    return level_[to] >= 0;
  }
  double push(size_t at, size_t to, double most) {
    if (at == to) return most;
    for (size_t& n = next_[at]; n < edges_[at].size(); ++n) {
      Edge& edge = edges_[at][n];
      if (edge.left <= kNothing || level_[edge.to] != level_[at] + 1) continue;
      if (const double pushed = push(edge.to, to, std::min(most, edge.left)); pushed > 0) {
        edge.left -= pushed, edges_[edge.to][edge.back].left += pushed;
        return pushed;
      }
    }
    return 0;
  }

  std::vector<std::vector<Edge>> edges_;
  std::vector<int> level_;
  std::vector<size_t> next_;
};

}  // namespace

Tensor attention_rollout(const std::vector<Tensor>& layers) {
  check(!layers.empty(), "rollout", "got no layers");
  Tensor all = with_residual(layers[0]);
  for (size_t l = 1; l < layers.size(); ++l) all = matmul(with_residual(layers[l]), all);
  return all;
}

Tensor attention_flow(const std::vector<Tensor>& layers) {
  check(!layers.empty(), "flow", "got no layers");
  const int64_t places = layers[0].dim(-1);
  const auto node = [&](size_t level, int64_t place) {
    return level * static_cast<size_t>(places) + static_cast<size_t>(place);
  };
  FlowGraph graph((layers.size() + 1) * static_cast<size_t>(places));
  for (size_t l = 0; l < layers.size(); ++l) {
    const Tensor tied = with_residual(layers[l]);
    for (int64_t i = 0; i < places; ++i)
      for (int64_t j = 0; j < places; ++j) graph.tie(node(l + 1, i), node(l, j), tied.value({i, j}));
  }
  Tensor flow({places, places}, Dtype::f64);
  for (int64_t i = 0; i < places; ++i)
    for (int64_t j = 0; j < places; ++j) flow.at<double>({i, j}) = graph.largest(node(layers.size(), i), node(0, j));
  return flow;
}

}  // namespace heed
