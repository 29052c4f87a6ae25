// heed attend: a mechanism on tensors from a file, and the gradients of all that it is made of.
#pragma once

#include <CLI/CLI.hpp>

#include <heed/attention.h>
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
  std::optional<Guide> guide = {};  // of the loss against alignment; cross-entropy where not said
};

// in: q, k, v; the mechanism's learned tensors; mask, bias, key_lengths, dout, alignment where wanted. Gives out;
// weights, log_sum_exp and what was drawn where wanted; guided_loss (one number) with alignment. With dout or alignment
// also the gradients of sum(dout·out) + guided_loss, whichever there is: dq, dk, dv (with dout), d_NAME of each learned
// tensor, dbias.
TensorFile attend_file(const TensorFile& in, const AttendCall& call);

// The verb's options that make up the call.
void add_flags(CLI::App& verb, AttendCall& call);

}  // namespace heed::cli
