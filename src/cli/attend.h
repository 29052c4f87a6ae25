// heed attend: a mechanism on tensors from a file, and the gradients of all that it is made of.
#pragma once

#include <heed/io.h>

#include <optional>
#include <string>
#include <vector>

namespace heed::cli {

struct AttendCall {
  std::string mechanism = {};
  bool causal = false, weights = false;
  std::optional<std::vector<int64_t>> window = {};  // left, right
  std::optional<double> scale = {};
  std::string normalizer = {}, position = {};  // mechanisms whose slot is taken; empty: the mechanism's own
  double dropout = 0, soft_cap = 0;
  uint64_t seed = 1;
  std::optional<Dtype> dtype = {};
};

// in: q, k, v; the mechanism's learned tensors; mask, bias, key_lengths, dout where wanted. Gives out; weights and
// log_sum_exp where wanted; with dout also dq, dk, dv, d_NAME of each learned tensor, dbias.
TensorFile attend_file(const TensorFile& in, const AttendCall& call);

}  // namespace heed::cli
