#include "kernels/onednn.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "base/runtime.h"
#include "base/threads.h"
#include "kernels/workspace.h"

namespace heed::kernels::onednn {
namespace {

using dnnl::memory;
using Dims = memory::dims;
using Format = memory::format_tag;

const dnnl::engine& processor() {
  static const dnnl::engine engine = [] {
    start_runtime();
    if (instruction_set() == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

// oneDNN asks OpenMP for the number of threads, when it makes a primitive and when it runs one.
class ThreadLimit {
 public:
  explicit ThreadLimit(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~ThreadLimit() { omp_set_num_threads(before_); }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// A plain array in, oneDNN's own layout out, or back: nothing to do where the two are the same.
struct Reorder {
  memory::desc from, to;
  std::optional<dnnl::reorder> primitive;

  Reorder() = default;
  Reorder(const memory::desc& from, const memory::desc& to) : from(from), to(to) {
    if (from != to) primitive.emplace(dnnl::reorder::primitive_desc(processor(), from, processor(), to));
  }
  size_t bytes() const { return primitive ? to.get_size() : 0; }
  // The data in the layout `to`: `source` itself, or `target` filled.
  void* run(const dnnl::stream& stream, const void* source, void* target) const {
    if (!primitive) return const_cast<void*>(source);
    memory a(from, processor(), const_cast<void*>(source)), b(to, processor(), target);
    primitive->execute(stream, a, b);
    return target;
  }
};

// The batch is cut into `count` groups of `images` each.
struct Cut {
  int64_t images, count;
};
// Few pixels an image: several images at a time, but enough groups to keep the threads busy (the fewer, the dearer it
// is to pass over the weights once a group).
Cut cut_batch(const ConvolutionShape& s) {
  const int64_t pixels = s.height.output() * s.width.output();
  int64_t images =
      std::clamp<int64_t>(1024 / pixels, 1, std::max<int64_t>(1, s.batch / (s.weights() > 1 << 20 ? 2 : 8)));
  while (s.batch % images != 0) --images;
  return {images, s.batch / images};
}

struct Descriptors {
  Dims x, weight, bias, y, stride, dilation, padding;
  bool grouped;

  Descriptors(const ConvolutionShape& s, int64_t images)
      : x{images, s.channels, s.height.input, s.width.input},
        weight{s.filters, s.channels, s.height.kernel, s.width.kernel},
        bias{s.filters},
        y{images, s.filters, s.height.output(), s.width.output()},
        stride{s.height.stride, s.width.stride},
        dilation{s.height.dilation - 1, s.width.dilation - 1},
        padding{s.height.padding, s.width.padding},
        grouped(s.groups > 1) {
    if (grouped) weight = {s.groups, s.filters / s.groups, s.channels / s.groups, s.height.kernel, s.width.kernel};
  }
  static memory::desc any(const Dims& dims) { return {dims, memory::data_type::f32, Format::any}; }
  memory::desc plain_image(const Dims& dims) const { return {dims, memory::data_type::f32, Format::nchw}; }
  memory::desc plain_weight() const { return {weight, memory::data_type::f32, grouped ? Format::goihw : Format::oihw}; }
  memory::desc plain_bias() const { return {bias, memory::data_type::f32, Format::x}; }
};

// The primitives of one shape.
struct Convolution {
  Cut cut;
  dnnl::convolution_forward::primitive_desc forward_description;
  dnnl::convolution_forward forward;
  Reorder x, weight, y;

  Convolution(const ConvolutionShape& s, bool with_bias) : cut(cut_batch(s)) {
    const Descriptors d(s, cut.images);
    forward_description = describe(d, with_bias);
    forward = dnnl::convolution_forward(forward_description);
    x = Reorder(d.plain_image(d.x), forward_description.src_desc());
    weight = Reorder(d.plain_weight(), forward_description.weights_desc());
    y = Reorder(forward_description.dst_desc(), d.plain_image(d.y));
  }
  static dnnl::convolution_forward::primitive_desc describe(const Descriptors& d, bool with_bias) {
    return {dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
                                            d.any(d.x), d.any(d.weight), with_bias ? d.plain_bias() : memory::desc(),
                                            d.any(d.y), d.stride, d.dilation, d.padding, d.padding),
            own_scratchpad(), processor()};
  }
};

struct ConvolutionBackward {
  Cut cut;
  dnnl::convolution_backward_data::primitive_desc data_description;
  dnnl::convolution_backward_weights::primitive_desc weights_description;
  dnnl::convolution_backward_data data;
  dnnl::convolution_backward_weights weights;
  Reorder x, dy, dy_for_weights, weight, dx, dweight;

  ConvolutionBackward(const ConvolutionShape& s, bool with_bias) : cut(cut_batch(s)) {
    const Descriptors d(s, cut.images);
    const auto hint = Convolution::describe(d, false);
    using dnnl::algorithm;
    data_description = {
        dnnl::convolution_backward_data::desc(algorithm::convolution_direct, d.any(d.x), d.any(d.weight), d.any(d.y),
                                              d.stride, d.dilation, d.padding, d.padding),
        own_scratchpad(), processor(), hint};
    weights_description = {
        dnnl::convolution_backward_weights::desc(algorithm::convolution_direct, d.any(d.x), d.any(d.weight),
                                                 with_bias ? d.plain_bias() : memory::desc(), d.any(d.y), d.stride,
                                                 d.dilation, d.padding, d.padding),
        own_scratchpad(), processor(), hint};
    data = dnnl::convolution_backward_data(data_description);
    weights = dnnl::convolution_backward_weights(weights_description);
    x = Reorder(d.plain_image(d.x), weights_description.src_desc());
    dy = Reorder(d.plain_image(d.y), data_description.diff_dst_desc());
    dy_for_weights = Reorder(d.plain_image(d.y), weights_description.diff_dst_desc());
    weight = Reorder(d.plain_weight(), data_description.weights_desc());
    dx = Reorder(data_description.diff_src_desc(), d.plain_image(d.x));
    dweight = Reorder(weights_description.diff_weights_desc(), d.plain_weight());
  }
  bool shares_dy() const { return dy.to == dy_for_weights.to; }
};

// The plans that were used last, a small number of them for each calling thread.
template <class Plan>
const Plan& plan_of(const ConvolutionShape& shape, bool with_bias) {
  constexpr size_t kMost = 64;
  struct Entry {
    ConvolutionShape shape;
    bool with_bias;
    std::unique_ptr<Plan> plan;
  };
  thread_local std::vector<Entry> entries;  // last used, last
  auto found = std::find_if(entries.begin(), entries.end(),
                            [&](const Entry& e) { return e.shape == shape && e.with_bias == with_bias; });
  if (found == entries.end()) {
    const ThreadLimit one(1);
    auto plan = std::make_unique<Plan>(shape, with_bias);
    if (entries.size() == kMost) entries.erase(entries.begin());
    entries.push_back({shape, with_bias, std::move(plan)});
  } else {
    std::rotate(found, found + 1, entries.end());
  }
  return *entries.back().plan;
}

// The threads that a call may use, each with its part of the workspace; inside of somebody's parallel region only one.
struct Lanes {
  int count = omp_in_parallel() ? 1 : threads();
  std::vector<dnnl::stream> streams;

  Lanes() {
    for (int i = 0; i < count; ++i) streams.emplace_back(processor());
  }
  int current() const { return count == 1 ? 0 : omp_get_thread_num(); }
};

memory as_memory(const memory::desc& description, const void* data) {
  return {description, processor(), const_cast<void*>(data)};
}

}  // namespace

std::string version() {
  const dnnl::version_t* v = dnnl::version();
  return fmt::format("{}.{}.{}", v->major, v->minor, v->patch);
}

void convolution(const ConvolutionShape& s, const float* x, const float* weight, const float* bias, float* y) {
  const Convolution& plan = plan_of<Convolution>(s, bias != nullptr);
  const auto& pd = plan.forward_description;
  const Lanes lanes;
  Workspace space;
  const size_t weight_at = space.reserve(plan.weight.bytes()), lanes_at = space.reserve(0);
  const size_t x_at = space.reserve(plan.x.bytes());
  const size_t y_at = space.reserve(plan.y.primitive ? plan.y.from.get_size() : 0);
  const size_t scratch_at = space.reserve(pd.scratchpad_desc().get_size());
  const size_t stride = space.reserve(0) - lanes_at;
  space.reserve(stride * lanes.count);
  std::byte* base = space.place();

  const void* packed = plan.weight.run(lanes.streams[0], weight, base + weight_at);
  const ThreadLimit one(1);
  parallel_items(plan.cut.count, [&](int64_t item) {
    const int lane = lanes.current();
    std::byte* own = base + lane * stride;
    dnnl::stream stream = lanes.streams[lane];
    float* target = y + item * plan.cut.images * s.output_image();
    const void* source = plan.x.run(stream, x + item * plan.cut.images * s.input_image(), own + x_at);
    void* result = plan.y.primitive ? own + y_at : static_cast<void*>(target);
    plan.forward.execute(stream, {{DNNL_ARG_SRC, as_memory(pd.src_desc(), source)},
                                  {DNNL_ARG_WEIGHTS, as_memory(pd.weights_desc(), packed)},
                                  {DNNL_ARG_BIAS, as_memory(pd.bias_desc(), bias)},
                                  {DNNL_ARG_DST, as_memory(pd.dst_desc(), result)},
                                  {DNNL_ARG_SCRATCHPAD, as_memory(pd.scratchpad_desc(), own + scratch_at)}});
    plan.y.run(stream, result, target);
  });
}

namespace {

// One call of backward: where everything lies in the workspace.
class BackwardCall {
 public:
  BackwardCall(const ConvolutionShape& s, const ConvolutionGradient<float>& g)
      : s_(s), g_(g), plan_(plan_of<ConvolutionBackward>(s, g.dbias != nullptr)) {
    Workspace space;
    weight_at_ = space.reserve(plan_.weight.bytes());
    // Gradients of the weights are summed image by image, in sequences whose number depends on the shape alone.
    const int64_t bytes = plan_.dweight.from.get_size();
    sequences_ =
        wants_weights() ? std::min(plan_.cut.count, std::clamp<int64_t>((32 << 20) / bytes, 2, 16)) : plan_.cut.count;
    partial_at_ = space.reserve(0);
    dbias_offset_ = (bytes + 63) / 64 * 64;
    partial_stride_ = dbias_offset_ + (s.filters * sizeof(float) + 63) / 64 * 64 + 64;
    if (wants_weights()) space.reserve(sequences_ * partial_stride_);
    const size_t lanes_at = space.reserve(0);
    x_at_ = space.reserve(plan_.x.bytes());
    dy_at_ = space.reserve(plan_.dy.bytes());
    dy_for_weights_at_ = space.reserve(plan_.shares_dy() ? 0 : plan_.dy_for_weights.bytes());
    dx_at_ = space.reserve(plan_.dx.primitive ? plan_.dx.from.get_size() : 0);
    sum_at_ = space.reserve(wants_weights() ? partial_stride_ : 0);
    scratch_at_ = space.reserve(std::max(plan_.data_description.scratchpad_desc().get_size(),
                                         plan_.weights_description.scratchpad_desc().get_size()));
    stride_ = space.reserve(0) - lanes_at;
    space.reserve(stride_ * lanes_.count);
    base_ = space.place();
  }

  void run() {
    if (g_.dx) packed_weight_ = plan_.weight.run(lanes_.streams[0], g_.weight, base_ + weight_at_);
    {
      const ThreadLimit one(1);
      parallel_items(sequences_, [&](int64_t sequence) {
        const int64_t begin = plan_.cut.count * sequence / sequences_,
                      end = plan_.cut.count * (sequence + 1) / sequences_;
        for (int64_t group = begin; group < end; ++group) differentiate(group, sequence, group == begin);
      });
    }
    if (wants_weights()) finish_weights();
  }

 private:
  bool wants_weights() const { return g_.dweight != nullptr; }

  void differentiate(int64_t group, int64_t sequence, bool first) {
    const int lane = lanes_.current();
    std::byte* own = base_ + lane * stride_;
    dnnl::stream stream = lanes_.streams[lane];
    const float* dy = g_.dy + group * plan_.cut.images * s_.output_image();
    const void* packed_dy = nullptr;
    if (g_.dx || plan_.shares_dy()) packed_dy = plan_.dy.run(stream, dy, own + dy_at_);
    if (g_.dx) differentiate_data(stream, packed_dy, g_.dx + group * plan_.cut.images * s_.input_image(), own);
    if (!wants_weights()) return;
    if (!plan_.shares_dy()) packed_dy = plan_.dy_for_weights.run(stream, dy, own + dy_for_weights_at_);
    const void* x = plan_.x.run(stream, g_.x + group * plan_.cut.images * s_.input_image(), own + x_at_);
    float* partial = reinterpret_cast<float*>(base_ + partial_at_ + sequence * partial_stride_);
    float* sum = first ? partial : reinterpret_cast<float*>(own + sum_at_);
    differentiate_weights(stream, x, packed_dy, sum, own);
    if (first) return;
    for (size_t i = 0; i < partial_stride_ / sizeof(float); ++i) partial[i] += sum[i];
  }

  void differentiate_data(dnnl::stream& stream, const void* dy, float* dx, std::byte* own) {
    const auto& pd = plan_.data_description;
    void* result = plan_.dx.primitive ? own + dx_at_ : static_cast<void*>(dx);
    plan_.data.execute(stream, {{DNNL_ARG_DIFF_DST, as_memory(pd.diff_dst_desc(), dy)},
                                {DNNL_ARG_WEIGHTS, as_memory(pd.weights_desc(), packed_weight_)},
                                {DNNL_ARG_DIFF_SRC, as_memory(pd.diff_src_desc(), result)},
                                {DNNL_ARG_SCRATCHPAD, as_memory(pd.scratchpad_desc(), own + scratch_at_)}});
    plan_.dx.run(stream, result, dx);
  }

  void differentiate_weights(dnnl::stream& stream, const void* x, const void* dy, float* sum, std::byte* own) {
    const auto& pd = plan_.weights_description;
    float* dbias = sum + dbias_offset_ / sizeof(float);
    plan_.weights.execute(stream, {{DNNL_ARG_SRC, as_memory(pd.src_desc(), x)},
                                   {DNNL_ARG_DIFF_DST, as_memory(pd.diff_dst_desc(), dy)},
                                   {DNNL_ARG_DIFF_WEIGHTS, as_memory(pd.diff_weights_desc(), sum)},
                                   {DNNL_ARG_DIFF_BIAS, as_memory(pd.diff_bias_desc(), dbias)},
                                   {DNNL_ARG_SCRATCHPAD, as_memory(pd.scratchpad_desc(), own + scratch_at_)}});
  }

  void finish_weights() {
    float* total = reinterpret_cast<float*>(base_ + partial_at_);
    parallel(partial_stride_ / sizeof(float), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t sequence = 1; sequence < sequences_; ++sequence) {
        const float* partial = total + sequence * (partial_stride_ / sizeof(float));
        for (int64_t i = begin; i < end; ++i) total[i] += partial[i];
      }
    });
    if (g_.dbias) std::copy_n(total + dbias_offset_ / sizeof(float), s_.filters, g_.dbias);
    if (!g_.dweight) return;
    if (plan_.dweight.primitive)
      plan_.dweight.run(lanes_.streams[0], total, g_.dweight);
    else
      std::copy_n(total, s_.weights(), g_.dweight);
  }

  const ConvolutionShape& s_;
  const ConvolutionGradient<float>& g_;
  const ConvolutionBackward& plan_;
  const Lanes lanes_;
  std::byte* base_ = nullptr;
  const void* packed_weight_ = nullptr;
  int64_t sequences_ = 1;
  size_t weight_at_, partial_at_, partial_stride_, dbias_offset_, stride_;
  size_t x_at_, dy_at_, dy_for_weights_at_, dx_at_, sum_at_, scratch_at_;
};

}  // namespace

void convolution_backward(const ConvolutionShape& s, const ConvolutionGradient<float>& g) { BackwardCall(s, g).run(); }

}  // namespace heed::kernels::onednn
