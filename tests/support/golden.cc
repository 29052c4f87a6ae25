#include "support/golden.h"

#include <gtest/gtest.h>
#include <heed/io.h>
#include <heed/ops.h>

#include "support/close.h"

namespace heed::testing {

GoldenFile::GoldenFile(const std::string& name) {
  for (const auto& [key, tensor] : load_npz(HEED_GOLDEN "/" + name).tensors) all_[key] = tensor;
}

std::set<std::string> GoldenFile::names() const {
  std::set<std::string> found;
  for (const auto& [name, tensor] : all_) found.insert(name.substr(0, name.find('/')));
  return found;
}

std::vector<Tensor> GoldenFile::several(const std::string& name, const std::string& what) const {
  std::vector<Tensor> found;
  for (auto at = all_.find(name + "/" + what + "0"); at != all_.end();
       at = all_.find(name + "/" + what + std::to_string(found.size())))
    found.push_back(at->second);
  return found;
}

Tensor GoldenFile::one(const std::string& key) const { return all_.contains(key) ? all_.at(key) : Tensor(); }

void GoldenFile::check(const std::string& name, const GoldenCase& run, Dtype dtype, double tolerance) const {
  SCOPED_TRACE(name + " in " + heed::name(dtype));
  std::vector<Tensor> inputs;
  for (const Tensor& input : several(name, "in")) {
    const bool floating = is_floating(input.dtype());
    inputs.push_back(floating ? input.clone().to(dtype).requires_grad(true) : input);
  }
  const Outputs outputs = run(inputs);
  const std::vector<Tensor> wanted = several(name, "out");
  ASSERT_EQ(outputs.size(), wanted.size());
  Tensor total;
  for (size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].shape(), wanted[i].shape());
    EXPECT_TRUE(close(outputs[i].values(), wanted[i].values(), tolerance)) << "output " << i;
    const Tensor seed = one(name + "/dout" + std::to_string(i));
    if (!seed.defined()) continue;
    const Tensor part = sum(outputs[i] * seed.to(dtype));
    total = total.defined() ? total + part : part;
  }
  if (!total.defined()) return;
  backward(total);
  check_gradients(name, inputs, tolerance);
}

void GoldenFile::check_gradients(const std::string& name, const std::vector<Tensor>& inputs, double tolerance) const {
  int compared = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor gradient = one(name + "/din" + std::to_string(i));
    if (!gradient.defined()) continue;
    ASSERT_TRUE(inputs[i].grad().defined()) << "no gradient for input " << i;
    EXPECT_TRUE(close(inputs[i].grad().values(), gradient.values(), tolerance)) << "gradient " << i;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

}  // namespace heed::testing
