#include <heed/explain.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "base/check.h"

namespace heed {
namespace {

using Point = std::pair<int64_t, int64_t>;  // source, target
using Points = std::set<Point>;

Points points_of(const std::vector<Link>& links) {
  Points points;
  for (const Link& link : links) points.emplace(link.source, link.target);
  return points;
}
std::vector<Link> links_of(const Points& points) {
  std::vector<Link> links;
  for (const auto& [source, target] : points) links.push_back({source, target});
  return links;
}

Points both(const Points& a, const Points& b) {
  Points points;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(points, points.end()));
  return points;
}

// From what both say to neighbours, also across corners, that one of them says, as long as one of their words has no
// link yet.
Points grown(Points points, const Points& either) {
  constexpr Point kNeighbours[] = {{-1, 0}, {0, -1}, {1, 0}, {0, 1}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}};
  std::set<int64_t> sources, targets;
  for (const auto& [source, target] : points) sources.insert(source), targets.insert(target);
  for (bool added = true; added;) {
    added = false;
    for (const auto& [source, target] : std::vector<Point>(points.begin(), points.end()))
      for (const auto& [ds, dt] : kNeighbours) {
        const Point near{source + ds, target + dt};
        if (!either.contains(near) || (sources.contains(near.first) && targets.contains(near.second))) continue;
        points.insert(near), sources.insert(near.first), targets.insert(near.second);
        added = true;
      }
  }
  return points;
}

}  // namespace

std::vector<Link> symmetrized(const std::vector<Link>& a, const std::vector<Link>& b, Symmetry how) {
  Points either = points_of(a);
  const Points of_b = points_of(b), agreed = both(either, of_b);
  either.insert(of_b.begin(), of_b.end());
  switch (how) {
    case Symmetry::intersection: return links_of(agreed);
    case Symmetry::either: return links_of(either);
    case Symmetry::grow_diag: break;
  }
  return links_of(grown(agreed, either));
}

std::vector<Link> links_both_ways(const Tensor& weights, Symmetry how) {
  std::vector<Link> back = links(transpose(weights));
  for (Link& link : back) std::swap(link.source, link.target);
  return symmetrized(links(weights), back, how);
}

void AlignmentError::add(const std::vector<Link>& found, const std::vector<Link>& sure,
                         const std::vector<Link>& possible) {
  const Points a = points_of(found), s = points_of(sure);
  Points p = points_of(possible);
  p.insert(s.begin(), s.end());
  found_ += std::ssize(a), sure_ += std::ssize(s);
  in_sure_ += std::ssize(both(a, s)), in_possible_ += std::ssize(both(a, p));
}
double AlignmentError::rate() const {
  check(found_ + sure_ > 0, "alignment error", "there are no links to compare");
  return 1 - static_cast<double>(in_sure_ + in_possible_) / static_cast<double>(found_ + sure_);
}

}  // namespace heed
