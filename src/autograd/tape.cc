// The tape: nodes, what hangs on them, and what a tensor knows of it.
#include <heed/autograd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>

#include "autograd/accumulate.h"
#include "autograd/engine.h"
#include "base/check.h"
#include "base/threads.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace autograd {
namespace {

thread_local bool recording_now = true;
std::atomic<uint64_t> sequence_counter = 0;

// A long chain of nodes would free itself recursively, one stack frame a node; this list makes it a loop.
thread_local std::vector<std::shared_ptr<Node>>* freeing = nullptr;

void free_nodes(Places& inputs) {
  std::vector<std::shared_ptr<Node>> list;
  const bool outermost = freeing == nullptr;
  if (outermost) freeing = &list;
  for (std::shared_ptr<Place>& input : inputs)
    if (input && input.use_count() == 1 && input->node) freeing->push_back(std::move(input->node));
  inputs.clear();
  if (!outermost) return;
  while (!list.empty()) {
    const std::shared_ptr<Node> node = std::move(list.back());
    list.pop_back();
  }
  freeing = nullptr;
}

}  // namespace

Node::Node(const char* name, Places inputs) : name(name), inputs(std::move(inputs)), sequence(sequence_counter++) {}
uint64_t next_sequence() { return sequence_counter; }
Node::~Node() { free_nodes(inputs); }

Places wanted(std::span<const Tensor> inputs) {
  if (!recording_now) return {};
  bool any = false;
  for (const Tensor& input : inputs) any |= input.defined() && input.requires_grad();
  if (!any) return {};
  Places places;
  places.reserve(inputs.size());
  for (const Tensor& input : inputs)
    places.push_back(input.defined() && input.requires_grad() ? input.place() : nullptr);
  return places;
}

namespace {
bool has_gradients(Dtype dtype) { return dtype == Dtype::f32 || dtype == Dtype::f64 || dtype == Dtype::bf16; }
}  // namespace

void attach(std::span<Tensor> outputs, std::shared_ptr<Node> node) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    Tensor& output = outputs[i];
    node->output_shapes.push_back(output.shape());
    if (i == 0) node->dtype = output.dtype();
    if (!has_gradients(output.dtype())) continue;  // indices have no gradient
    output = output.detach();
    output.set_place(std::make_shared<Place>(Place{.node = node,
                                                   .output = static_cast<int>(i),
                                                   .requires_grad = true,
                                                   .grad = {},
                                                   .shape = output.shape(),
                                                   .dtype = output.dtype()}));
  }
}

namespace {

template <class T>
bool has_nan(const Tensor& tensor) {
  const Tensor values = tensor.packed();
  const T* data = values.data<T>();
  for (int64_t i = 0; i < values.numel(); ++i)
    if (std::isnan(data[i])) return true;
  return false;
}

bool has_nan(const Tensor& tensor) {
  if (tensor.dtype() == Dtype::f32) return has_nan<float>(tensor);
  if (tensor.dtype() == Dtype::f64) return has_nan<double>(tensor);
  if (tensor.dtype() == Dtype::bf16) return has_nan<float>(tensor.to(Dtype::f32));
  return false;
}

bool checking_nan() {
  static const bool wanted = [] {
    const char* text = std::getenv("HEED_CHECK_NAN");
    return text && std::string_view(text) == "1";
  }();
  return wanted;
}

}  // namespace

void check_nan(const char* op, std::span<const Tensor> outputs) {
  if (!checking_nan()) [[likely]]
    return;
  for (const Tensor& output : outputs)
    if (output.defined() && has_nan(output))
      fail(ErrorKind::numeric, op, "its output of shape {} holds the first NaN", output.shape());
}

void check_nan_gradient(const char* op, int input, const Tensor& gradient) {
  if (!checking_nan()) [[likely]]
    return;
  if (has_nan(gradient))
    fail(ErrorKind::numeric, op, "the gradient of its input {} of shape {} holds the first NaN", input,
         gradient.shape());
}

}  // namespace autograd

bool recording() { return autograd::recording_now; }
NoGrad::NoGrad() : before_(autograd::recording_now) { autograd::recording_now = false; }
NoGrad::~NoGrad() { autograd::recording_now = before_; }

namespace autograd {
Recording::Recording() : before_(recording_now) { recording_now = true; }
Recording::~Recording() { recording_now = before_; }
}  // namespace autograd

Tensor& Tensor::requires_grad(bool wanted) {
  check(!wanted || autograd::has_gradients(dtype()), "requires_grad", "{} has no gradients, wanted f32, f64 or bf16",
        name(dtype()));
  if (place() && place()->node) {
    check(wanted, "requires_grad", "the tensor was computed by {}; detach() takes it off the tape",
          place()->node->name);
  } else if (!place()) {
    set_place(std::make_shared<autograd::Place>(autograd::Place{
        .node = nullptr, .output = 0, .requires_grad = wanted, .grad = {}, .shape = shape(), .dtype = dtype()}));
  } else {
    place()->requires_grad = wanted;
  }
  return *this;
}

bool Tensor::requires_grad() const { return place() && place()->requires_grad; }
Tensor Tensor::grad() const { return place() ? place()->grad : Tensor(); }
void Tensor::zero_grad() {
  if (place()) place()->grad = Tensor();
}

}  // namespace heed
