// Gradients: a tape that remembers what was computed, and walks back over it once.
//
//   heed::Tensor w = heed::tensor({2, 3}).requires_grad(true);
//   heed::backward(heed::sum(w * w));
//   std::cout << w.grad() << '\n';                            // [4, 6]
//   { heed::NoGrad off; heed::sum(w * w); }                  // nothing is recorded here
//
// An op of your own, with its own backward:
//
//   // cube(x) = x^3, cube'(x) = 3 x^2
//   heed::Tensor cube(const heed::Tensor& x) {
//     return heed::record("cube", x.detach() * x.detach() * x.detach(), {x},
//                         [x = x.detach()](const heed::Tensor& dy, heed::Gradients& d) { d.add(0, dy * x * x * 3); });
//   }
#pragma once

#include <heed/tensor.h>

#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace heed {

namespace autograd {

class Node;

// An input of a node: where its gradient goes.
struct Place {
  std::shared_ptr<Node> node;  // the op that made the tensor; null for a leaf
  int output = 0;              // which of the node's outputs
  bool requires_grad = false;
  Tensor grad;  // of a leaf
  Shape shape;
  Dtype dtype = Dtype::f32;
};

}  // namespace autograd

// Where a backward function leaves the gradients of its op's inputs.
class Gradients {
 public:
  // From a tensor of an input's shape, the view of a part of it.
  using Part = std::function<Tensor(const Tensor&)>;

  Gradients(autograd::Node& node, bool last) : node_(node), last_(last) {}
  bool needs(int input) const;  // is this input's gradient wanted?
  // Adds a gradient to input number `input`. It may have been broadcast: it is summed back to the input's shape.
  void add(int input, const Tensor& gradient);
  // The same where only a part of the input was used: the time that it takes is the part's, not the input's.
  void add_to_part(int input, const Tensor& gradient, const Part& part);
  // Is this the last time that backward comes here? Then it may use up what was saved.
  bool last() const { return last_; }

 private:
  autograd::Node& node_;
  bool last_;
};

namespace autograd {

using Places = std::vector<std::shared_ptr<Place>>;

class Node {
 public:
  Node(const char* name, Places inputs);
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual void run(std::span<const Tensor> gradients, Gradients& d) = 0;
  virtual void release() = 0;  // lets go of what was saved

  const char* name;
  Places inputs;  // null where an input needs no gradient
  uint64_t sequence;
  bool released = false;
  std::vector<Tensor> arrived;  // gradients of the outputs, while backward runs
  std::vector<Shape> output_shapes;
  Dtype dtype = Dtype::f32;
};

template <class Function>
class NodeOf final : public Node {
 public:
  NodeOf(const char* name, Places inputs, Function function)
      : Node(name, std::move(inputs)), function_(std::make_unique<Function>(std::move(function))) {}
  void run(std::span<const Tensor> gradients, Gradients& d) override {
    if constexpr (std::is_invocable_v<Function&, const Tensor&, Gradients&>)
      (*function_)(gradients[0], d);
    else
      (*function_)(gradients, d);
  }
  void release() override { function_.reset(); }

 private:
  std::unique_ptr<Function> function_;
};

// The places of the inputs if any needs a gradient and recording is on; else empty.
Places wanted(std::span<const Tensor> inputs);
void attach(std::span<Tensor> outputs, std::shared_ptr<Node> node);
void check_nan(const char* op, std::span<const Tensor> outputs);

}  // namespace autograd

// Puts an op on the tape: `output` was computed (off the tape) from `inputs`; `backward(dy, d)` adds to d.
// What backward needs of the output it captures as output.detach(), or the tape would hold itself.
template <class Function>
Tensor record(const char* name, Tensor output, std::initializer_list<Tensor> inputs, Function backward) {
  return record(name, std::move(output), std::span(inputs.begin(), inputs.size()), std::move(backward));
}
template <class Function>
Tensor record(const char* name, Tensor output, std::span<const Tensor> inputs, Function backward) {
  std::span<Tensor> outputs(&output, 1);
  autograd::check_nan(name, outputs);
  if (autograd::Places places = autograd::wanted(inputs); !places.empty())
    autograd::attach(outputs,
                     std::make_shared<autograd::NodeOf<Function>>(name, std::move(places), std::move(backward)));
  return output;
}
// The same for an op with several outputs; backward(std::span<const Tensor> dys, Gradients& d) gets zeros for those
// unused.
template <class Function>
std::vector<Tensor> record_all(const char* name, std::vector<Tensor> outputs, std::span<const Tensor> inputs,
                               Function backward) {
  autograd::check_nan(name, outputs);
  if (autograd::Places places = autograd::wanted(inputs); !places.empty())
    autograd::attach(outputs,
                     std::make_shared<autograd::NodeOf<Function>>(name, std::move(places), std::move(backward)));
  return outputs;
}

struct BackwardOptions {
  Tensor seed = {};   // gradient of the output; by default 1, and the output must have one element
  bool keep = false;  // keep the tape for a second backward
};
// Adds the gradients of `output` into grad() of every leaf that it depends on.
void backward(const Tensor& output, const BackwardOptions& options = {});
// The gradients of `output` with respect to `inputs` (leaves or not), and nothing else; zeros where it does not depend.
std::vector<Tensor> gradients(const Tensor& output, const std::vector<Tensor>& inputs,
                              const BackwardOptions& options = {});

bool recording();  // false under NoGrad
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

// Runs function(inputs) without keeping what it saves; backward runs it again. Random numbers repeat themselves.
Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>&)>& function, const std::vector<Tensor>& inputs);

}  // namespace heed
