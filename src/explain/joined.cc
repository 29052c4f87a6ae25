#include <heed/explain.h>

#include <algorithm>

#include "base/check.h"

namespace heed {
namespace {

// How a tokeniser says where words begin.
bool any_begins(const std::vector<std::string>& tokens, const char* mark) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const std::string& token) { return token.starts_with(mark); });
}
bool stands_alone(const std::string& token) { return token.starts_with("<") && token.ends_with(">"); }

Tensor gathered(const Tensor& weights, int dim, const std::vector<std::vector<int64_t>>& groups, bool means) {
  std::vector<Tensor> all;
  for (const std::vector<int64_t>& group : groups) {
    const Tensor part = index_select(weights, dim, tensor_from(group, {std::ssize(group)}));
    all.push_back(means ? mean(part, {dim}, true) : sum(part, {dim}, true));
  }
  return concat(all, dim);
}

}  // namespace

std::vector<std::vector<int64_t>> joined_tokens(const std::vector<std::string>& tokens) {
  const bool pieces = any_begins(tokens, "##");
  const char* mark = any_begins(tokens, "▁") ? "▁" : any_begins(tokens, "Ġ") ? "Ġ" : nullptr;
  std::vector<std::vector<int64_t>> words;
  bool alone = true;
  for (size_t n = 0; n < tokens.size(); ++n) {
    const bool begins = pieces ? !tokens[n].starts_with("##") : !mark || tokens[n].starts_with(mark);
    if (begins || alone || stands_alone(tokens[n])) words.emplace_back();
    words.back().push_back(static_cast<int64_t>(n));
    alone = stands_alone(tokens[n]);
  }
  return words;
}

Tensor joined_weights(const Tensor& weights, const std::vector<std::vector<int64_t>>& queries,
                      const std::vector<std::vector<int64_t>>& keys) {
  check(weights.rank() == 2, "joined_weights", "got {}, wanted (T,S)", weights.shape().text());
  const NoGrad scope;
  return gathered(gathered(weights, 1, keys, false), 0, queries, true);
}

}  // namespace heed
