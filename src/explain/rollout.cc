// Attention over several layers as a graph: each place of a layer is tied to all places of the layer below.
//                                                                      Abnar & Zuidema 2020, arXiv:2005.00928
//   Ã_l = rownorm(mean over heads A_l + I)          the residual goes past attention
//   rollout: R_l = Ã_l R_{l−1}, R_0 = I;   flow: the largest flow from a place at the top to one at the bottom,
//   where Ã_l[i][j] is what the tie from i down to j can carry
//   from another text on top: mean over heads of its weights in the place of Ã_{L+1}
#include "explain/rollout.h"

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

// What looks at the last layer from another text goes past nothing.
Tensor without_residual(const Tensor& top, int64_t places) {
  check(top.rank() == 3 && top.dim(2) == places, "rollout", "got a top {}, wanted (heads, T, {})", top.shape().text(),
        places);
  return mean(top.to(Dtype::f64), {0});
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

// The largest flow from each node of the last level to each of the first, where ties[l][i][j] is what the tie from i of
// level l + 1 down to j of level l can carry.
Tensor largest_flows(const std::vector<Tensor>& ties) {
  const int64_t places = ties[0].dim(1), queries = ties.back().dim(0);
  const auto node = [&](size_t level, int64_t place) {
    return level * static_cast<size_t>(places) + static_cast<size_t>(place);
  };
  FlowGraph graph(ties.size() * static_cast<size_t>(places) + static_cast<size_t>(queries));
  for (size_t l = 0; l < ties.size(); ++l)
    for (int64_t i = 0; i < ties[l].dim(0); ++i)
      for (int64_t j = 0; j < places; ++j) graph.tie(node(l + 1, i), node(l, j), ties[l].value({i, j}));
  Tensor flow({queries, places}, Dtype::f64);
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < places; ++j) flow.at<double>({i, j}) = graph.largest(node(ties.size(), i), node(0, j));
  return flow;
}

std::vector<Tensor> with_residuals(const std::vector<Tensor>& layers, const char* who) {
  check(!layers.empty(), who, "got no layers");
  std::vector<Tensor> ties;
  for (const Tensor& layer : layers) ties.push_back(with_residual(layer));
  return ties;
}

}  // namespace

Tensor attention_rollout(const std::vector<Tensor>& layers) {
  const std::vector<Tensor> ties = with_residuals(layers, "rollout");
  Tensor all = ties[0];
  for (size_t l = 1; l < ties.size(); ++l) all = matmul(ties[l], all);
  return all;
}

Tensor attention_flow(const std::vector<Tensor>& layers) { return largest_flows(with_residuals(layers, "flow")); }

namespace explain {

Tensor rollout_from(const Tensor& top, const std::vector<Tensor>& layers) {
  const Tensor all = attention_rollout(layers);
  return matmul(without_residual(top, all.dim(0)), all);
}

Tensor flow_from(const Tensor& top, const std::vector<Tensor>& layers) {
  std::vector<Tensor> ties = with_residuals(layers, "flow");
  ties.push_back(without_residual(top, ties[0].dim(0)));
  return largest_flows(ties);
}

}  // namespace explain
}  // namespace heed
