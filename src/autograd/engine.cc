#include "autograd/engine.h"

#include <algorithm>

#include "autograd/accumulate.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace autograd {
namespace {

thread_local Engine* current_engine = nullptr;

bool older(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) { return a->sequence < b->sequence; }

}  // namespace

Engine::Engine(const std::vector<Tensor>& chosen) : only_chosen_(true) {
  for (const Tensor& input : chosen)
    if (input.requires_grad()) chosen_[input.place().get()];
}

Engine::Engine(const std::vector<Tensor>& chosen, Engine& outer, uint64_t first) : Engine(chosen) {
  outer_ = &outer;
  first_ = first;
}

Engine::~Engine() {
  for (const std::shared_ptr<Node>& node : ready_) node->arrived.clear();  // a walk that an error cut short
}

Engine* Engine::current() { return current_engine; }

Tensor Engine::chosen(const Tensor& input) const { return chosen_.at(input.place().get()); }

void Engine::arrive(Place& place, const Tensor& gradient, const Gradients::Part& part) {
  check(gradient.dtype() == place.dtype, "backward", "a gradient of dtype {} for a tensor of {}",
        heed::name(gradient.dtype()), heed::name(place.dtype));
  const Tensor untaped = gradient.place() ? gradient.detach() : gradient;
  const Tensor summed = part ? untaped : sum_to(untaped, place.shape);
  const auto add = [&](Tensor& sum, const Tensor& added) {
    part ? accumulate_part(sum, place.shape, added, part) : accumulate(sum, added);
  };
  const auto found = only_chosen_ ? chosen_.find(&place) : chosen_.end();
  if (found != chosen_.end())
    add(found->second, summed);
  else if (outer_ && belongs_to_outer(place))
    return outer_->arrive(place, summed, part);
  if (!place.node) {
    if (!only_chosen_) add(place.grad, summed.packed());
    return;
  }
  wait_for(place.node);
  add(place.node->arrived[static_cast<size_t>(place.output)], summed);
}

void Engine::wait_for(const std::shared_ptr<Node>& node) {
  if (!node->arrived.empty()) return;
  node->arrived.resize(node->output_shapes.size());
  ready_.push_back(node);
  std::push_heap(ready_.begin(), ready_.end(), older);
}

void Engine::settle(const Node* node) {
  for (auto it = late_.begin(); it != late_.end();) {
    if (it->second.place->node.get() != node) {
      ++it;
      continue;
    }
    const LatePlace late = std::move(it->second);
    it = late_.erase(it);
    arrive(*late.place, late.work->sum());
  }
}

void Engine::run(Node& node, bool keep) {
  check(!node.released, node.name,
        "backward came here a second time, but the tape was freed by the first; "
        "call backward with .keep = true the first time");
  std::vector<Tensor> gradients = std::move(node.arrived);
  node.arrived.clear();
  for (size_t i = 0; i < gradients.size(); ++i)
    if (!gradients[i].defined()) gradients[i] = Tensor::zeros(node.output_shapes[i], node.dtype);
  Gradients d(node, !keep);
  node.released = !keep;
  node.run(gradients, d);
  if (!keep) node.release();
}

void Engine::walk(const Tensor& output, const Tensor& seed, bool keep) {
  struct Restore {
    Engine* before;
    ~Restore() { current_engine = before; }
  } restore{std::exchange(current_engine, this)};
  NoGrad off;
  arrive(*output.place(), seed);
  while (!ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end(), older);
    const std::shared_ptr<Node> node = std::move(ready_.back());
    ready_.pop_back();
    settle(node.get());
    run(*node, keep);
  }
  settle(nullptr);
}

static Tensor seed_of(const Tensor& output, const BackwardOptions& options) {
  check(output.requires_grad(), "backward", "the output of shape {} depends on nothing that requires a gradient",
        output.shape());
  if (options.seed.defined()) {
    check(options.seed.shape() == output.shape() && options.seed.dtype() == output.dtype(), "backward",
          "the seed is {} {}, the output {} {}", heed::name(options.seed.dtype()), options.seed.shape(),
          heed::name(output.dtype()), output.shape());
    return options.seed;
  }
  check(output.numel() == 1, "backward",
        "the output has shape {}; give a seed of that shape, or reduce it to one number", output.shape());
  return Tensor::full(output.shape(), 1, output.dtype());
}

}  // namespace autograd

bool Gradients::needs(int input) const { return node_.inputs[static_cast<size_t>(input)] != nullptr; }

void Gradients::add(int input, const Tensor& gradient) { add_to_part(input, gradient, {}); }

void Gradients::add_to_part(int input, const Tensor& gradient, const Part& part) {
  autograd::Place* place = node_.inputs[static_cast<size_t>(input)].get();
  if (!place) return;
  autograd::check_nan_gradient(node_.name, input, gradient);
  autograd::Engine::current()->arrive(*place, gradient, part);
}

void backward(const Tensor& output, const BackwardOptions& options) {
  const Tensor seed = autograd::seed_of(output, options);
  autograd::Engine().walk(output, seed, options.keep);
}

std::vector<Tensor> gradients(const Tensor& output, const std::vector<Tensor>& inputs, const BackwardOptions& options) {
  for (size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].requires_grad(), "gradients", "input {} of shape {} requires no gradient", i, inputs[i].shape());
  const Tensor seed = autograd::seed_of(output, options);
  autograd::Engine engine(inputs);
  engine.walk(output, seed, options.keep);
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) {
    const Tensor found = engine.chosen(input);
    result.push_back(found.defined() ? found : Tensor::zeros(input.shape(), input.dtype()));
  }
  return result;
}

}  // namespace heed
