// Golden values of other implementations: a file NAME.npz with, for each case, NAME/in0 … inputs, NAME/out0 … outputs,
// NAME/dout0 … their gradients and NAME/din0 … the gradients of the inputs, in f64.
//
//   const GoldenFile file("ops.npz");
//   file.check("add", [](const Inputs& in) { return Outputs{in[0] + in[1]}; }, Dtype::f32, 3e-5);
#pragma once

#include <heed/tensor.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace heed::testing {

using Outputs = std::vector<Tensor>;
using GoldenCase = std::function<Outputs(const std::vector<Tensor>&)>;

class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name);
  std::set<std::string> names() const;
  // Outputs and gradients of one case, as expectations of the running test.
  void check(const std::string& name, const GoldenCase& run, Dtype dtype, double tolerance) const;

 private:
  std::vector<Tensor> several(const std::string& name, const std::string& what) const;  // NAME/what0, NAME/what1, …
  Tensor one(const std::string& key) const;
  void check_gradients(const std::string& name, const std::vector<Tensor>& inputs, double tolerance) const;

  std::map<std::string, Tensor> all_;
};

}  // namespace heed::testing
