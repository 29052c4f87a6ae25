#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/explain.h>

#include <algorithm>

#include "base/check.h"

namespace heed {
namespace {

// '*' stands for any letters.
bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') return matches(name, pattern.substr(1)) || (!name.empty() && matches(name.substr(1), pattern));
  return !name.empty() && name[0] == pattern[0] && matches(name.substr(1), pattern.substr(1));
}

template <class Recorded>
const std::vector<Recorded>& at(const std::map<std::string, std::vector<Recorded>>& recorded, const std::string& place,
                                const std::vector<std::string>& places) {
  const auto found = recorded.find(place);
  check(found != recorded.end(), "explain", "nothing was recorded at {}, only at {}", place,
        places.empty() ? "no place" : fmt::format("{}", fmt::join(places, ", ")));
  return found->second;
}

// (B,H,T,S) with zeros up to `keys`.
Tensor widened(const Tensor& weights, int64_t keys) {
  return weights.dim(-1) == keys ? weights : pad(weights, {{0, keys - weights.dim(-1)}});
}

// A forward pass of these options gives the same bits with weights, except on bf16, which goes by way of f32 then.
Attended with_weights(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options,
                      const std::vector<int64_t>& heads) {
  AttendOptions seeing = options;
  seeing.return_weights = true, seeing.weights_of.heads = heads;
  if (q.dtype() != Dtype::bf16) return attend(q, k, v, seeing);
  Random& drawn = options.random ? *options.random : random();
  Random again = drawn;  // the same numbers, taken once
  Attended y = attend(q, k, v, options);
  seeing.random = &again;
  y.weights = attend(q, k, v, seeing).weights;
  return y;
}

}  // namespace

bool Recorder::wants(const std::string& place) const {
  return std::any_of(wanted_.places.begin(), wanted_.places.end(),
                     [&](const std::string& pattern) { return matches(place, pattern); });
}

Attended Recorder::attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                          const AttendOptions& options) {
  if (!wants(place)) return heed::attend(q, k, v, options);
  // Who asked for all weights has them; of these the wanted heads are kept.
  Attended y = with_weights(q, k, v, options, options.return_weights ? std::vector<int64_t>() : wanted_.heads);
  Attended kept = y;
  if (options.return_weights && !wanted_.heads.empty())
    kept.weights = index_select(kept.weights, -3, tensor_from(wanted_.heads, {std::ssize(wanted_.heads)}));
  if (!wanted_.gradients)
    for (Tensor* each : {&kept.out, &kept.weights, &kept.log_sum_exp})
      if (each->defined()) *each = each->detach();
  if (!attended_.contains(place)) attentions_.push_back(place);
  attended_[place].push_back(kept);
  if (wanted_.vectors)
    read_[place].push_back(wanted_.gradients ? Read{q, k, v} : Read{q.detach(), k.detach(), v.detach()});
  if (!options.return_weights) y.weights = {};
  return y;
}

Tensor Recorder::value(const std::string& place, const Tensor& x) {
  if (!wants(place)) return x;
  if (!shown_.contains(place)) values_.push_back(place);
  shown_[place].push_back(wanted_.gradients ? x : x.detach());
  return x;
}

Tensor Recorder::weights(const std::string& place) const {
  int64_t keys = 0;
  for (const Attended& each : seen(place)) keys = std::max(keys, each.weights.dim(-1));
  std::vector<Tensor> rows;
  for (const Attended& each : seen(place)) rows.push_back(widened(each.weights, keys));
  return rows.size() == 1 ? rows[0] : concat(rows, -2);
}
Tensor Recorder::log_sum_exp(const std::string& place) const {
  std::vector<Tensor> rows;
  for (const Attended& each : seen(place)) {
    check(each.log_sum_exp.defined(), "explain", "the mechanism at {} has no log-sum-exp", place);
    rows.push_back(each.log_sum_exp);
  }
  return rows.size() == 1 ? rows[0] : concat(rows, -1);
}
Tensor Recorder::value_at(const std::string& place) const {
  const std::vector<Tensor>& each = at(shown_, place, values_);
  return each.size() == 1 ? each[0] : concat(each, 1);
}
const std::vector<Attended>& Recorder::seen(const std::string& place) const {
  return at(attended_, place, attentions_);
}
const std::vector<Recorder::Read>& Recorder::read(const std::string& place) const {
  return at(read_, place, attentions_);
}

}  // namespace heed
