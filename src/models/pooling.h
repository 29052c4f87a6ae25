// One vector of a text: its first, its last, their mean, the largest of each column, or what attention gathers.
//
//   attention   Σ_j a_j x_j,  a = softmax_j s(q, x_j), q learned     Raffel & Ellis 2015, arXiv:1512.08756;
//                                                                    Yang et al. 2016, NAACL (hierarchical attention)
#pragma once

#include <array>
#include <optional>

#include "models/model.h"
#include "nn/source_attention.h"

namespace heed {

enum class Pool { attention, mean, max, first, last };
constexpr std::array<std::pair<const char*, Pool>, 5> names_of(Pool) {
  return {{{"attention", Pool::attention},
           {"mean", Pool::mean},
           {"max", Pool::max},
           {"first", Pool::first},
           {"last", Pool::last}}};
}

Tensor moved(const Tensor& lengths, int64_t by);
// x (B,S,W) at the last place of each text: (B,W).
Tensor at_end(const Tensor& x, const Tensor& lengths);
// x with zeros beyond each text.
Tensor without_padding(const Tensor& x, const Tensor& lengths);

struct TextPooling {
  Pool pool;
  std::optional<SourceAttention> attention;
  Tensor query;  // (W), of mechanisms that ask for something

  // The mechanism, a row of the table, is that of attention; Error where it cannot pool.
  TextPooling(int64_t width, Pool pool, const std::string& mechanism, int64_t longest);
  struct Pooled {
    Tensor out, weights;  // (B,W), (B,S): of attention, where asked for
  };
  Pooled operator()(const Tensor& x, const Tensor& lengths, const Pass& pass) const;
  void visit(auto&& field) {
    if (attention) field("attention", *attention);
    if (query.defined()) field("query", query);
  }
};

}  // namespace heed
