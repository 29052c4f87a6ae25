// Recomputation: the memory of one function's inputs in place of all that it saves, for the price of a second forward.
// Chen, Xu, Zhang & Guestrin 2016, "Training deep nets with sublinear memory cost", arXiv:1604.06174.
#include <heed/autograd.h>
#include <heed/tensor.h>

#include "autograd/engine.h"
#include "base/check.h"

namespace heed {
namespace {

// The random numbers of a scope begin at a given place; afterwards the sequence goes on where it was.
class Replay {
 public:
  explicit Replay(const Random& from) : before_(random()) { random() = from; }
  ~Replay() { random() = before_; }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

 private:
  Random before_;
};

}  // namespace

// The weights that `function` reads beside its inputs get their gradients too: the second forward is taped, and the
// inner walk hands what it finds to the outer one.
Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                  const std::vector<Tensor>& inputs) {
  if (!recording()) return function(inputs);
  const Random start = random();
  Tensor output;
  {
    NoGrad off;
    output = function(inputs).detach();
  }
  check(output.dtype() == Dtype::f32 || output.dtype() == Dtype::f64, "checkpoint",
        "the function returned {}, wanted f32 or f64", name(output.dtype()));
  // Nobody can tell yet whether the function reads weights that need gradients, so the node is wanted in any case.
  std::vector<Tensor> taped = inputs;
  taped.push_back(Tensor::zeros({}, output.dtype()).requires_grad(true));
  return record("checkpoint", output, taped, [function, inputs, start](const Tensor& dy, Gradients& d) {
    std::vector<Tensor> again;
    for (size_t i = 0; i < inputs.size(); ++i) {
      again.push_back(inputs[i].defined() ? inputs[i].detach() : Tensor());
      if (d.needs(static_cast<int>(i))) again.back().requires_grad(true);
    }
    const uint64_t first = autograd::next_sequence();
    Tensor output;
    {
      autograd::Recording on;
      Replay replay(start);
      output = function(again);
    }
    if (!output.requires_grad()) return;
    autograd::Engine inner(again, *autograd::Engine::current(), first);
    inner.walk(output, dy, false);
    for (size_t i = 0; i < again.size(); ++i)
      if (again[i].defined() && again[i].requires_grad())
        if (const Tensor found = inner.chosen(again[i]); found.defined()) d.add(static_cast<int>(i), found);
  });
}

}  // namespace heed
