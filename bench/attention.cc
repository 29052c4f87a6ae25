// Attention, forward and backward: the plain engine against the limits, everything else against plain attention.
#include <fmt/format.h>
#include <heed/attention.h>
#include <heed/autograd.h>
#include <heed/base.h>

#include <bit>

#include "attention/mechanisms.h"
#include "attention/slots.h"
#include "base/check.h"
#include "bench/cases.h"

namespace heed::bench {
namespace {

using attention::Mechanism;
using attention::Sizes;

Sizes square(int64_t batch, int64_t heads, int64_t length, int64_t width) {
  return {batch, heads, heads, length, length, width, width};
}

std::string text(const Sizes& n) {
  std::string shape = fmt::format("{},{},{},{},{}", n.batch, n.heads, n.queries, n.keys, n.width);
  if (n.value_width != n.width) shape += fmt::format(" E {}", n.value_width);
  if (n.groups != n.heads) shape += fmt::format(" G {}", n.groups);
  return shape;
}

// One case: its data, made when the first pass is asked for.
class Case {
 public:
  using Options = std::function<AttendOptions(const Sizes&)>;
  Case(const Sizes& n, Options options = {}, Dtype dtype = Dtype::f32) : n_(n), shape_(text(n)) {
    Random from{1, 0, 0};
    const auto draw = [&](const Shape& shape) { return randn(shape, from, Dtype::f32).to(dtype); };
    q_ = draw({n.batch, n.heads, n.queries, n.width});
    k_ = draw({n.batch, n.groups, n.keys, n.width}), v_ = draw({n.batch, n.groups, n.keys, n.value_width});
    inputs_ = {q_, k_, v_};
    if (options) options_ = options(n);
  }
  Case(const Sizes& n, const Mechanism& row, Dtype dtype = Dtype::f32) : Case(n, Options(), dtype) {
    attention::LearnedTensors learned = example_tensors(row, n, dtype, 1);
    for (auto& [name, tensor] : learned) inputs_.push_back(tensor);
    options_ = row.options(learned, n);
  }
  AttendOptions& options() { return options_; }
  const std::string& shape() const { return shape_; }
  bool bf16() const { return q_.dtype() == Dtype::bf16; }

  Bench::Work forward() {
    return [this] {
      const NoGrad scope;
      attend(q_, k_, v_, options_);
    };
  }
  Bench::Work backward() {
    for (Tensor& input : inputs_) input.requires_grad(true);
    out_ = attend(q_, k_, v_, options_).out;
    dout_ = Tensor::full(out_.shape(), 0.5, out_.dtype());
    return [this] { gradients(out_, inputs_, {.seed = dout_, .keep = true}); };
  }
  // Two products, over the pairs that may look at each other; backward makes five.
  double flops() const { return 2 * static_cast<double>(pairs() * (n_.width + n_.value_width)); }
  double backward_flops() const { return 2.5 * flops(); }
  double bytes() const { return 4.0 * static_cast<double>(k_.numel() + v_.numel()); }

 private:
  int64_t pairs() const {
    attention::Pipeline p;
    p.q = q_, p.k = k_, p.v = v_, p.n = n_, p.visible = attention::Visible(n_.queries, n_.keys);
    if (const auto* span = attention::room_of(options_.span)) span->prepare(p);
    int64_t count = 0;
    for (int64_t i = 0; i < n_.queries; ++i)
      for (int64_t j = 0; j < n_.keys; j += 64) count += std::popcount(p.visible.bits(0, 0, i, j));
    return count * n_.batch * n_.heads;
  }

  Sizes n_;
  std::string shape_;
  Tensor q_, k_, v_, out_, dout_;
  std::vector<Tensor> inputs_;
  AttendOptions options_;
};

void both_passes(Bench& bench, std::string_view name, Case& c) {
  bench.compute({name, c.shape(), "forward", c.forward(), c.bf16()}, c.flops());
  bench.compute({name, c.shape(), "backward", c.backward(), c.bf16()}, c.backward_flops());
}

void both_passes_to(Bench& bench, std::string_view name, Case& c, Case& plain) {
  bench.relative({name, c.shape(), "forward", c.forward()}, plain.forward());
  bench.relative({name, c.shape(), "backward", c.backward()}, plain.backward());
}

// ---- the table -------------------------------------------------------------------------------------------

AttendOptions causal_options(const Sizes&) { return {.span = causal()}; }

void bench_plain(Bench& bench) {
  const Sizes sizes[] = {square(1, 8, 4096, 64), square(1, 8, 4096, 128), square(16, 8, 512, 64), square(8, 8, 128, 64),
                         square(32, 8, 32, 32)};
  for (const Sizes& n : sizes) {
    if (bench.wants("plain")) {
      Case c(n);
      both_passes(bench, "plain", c);
    }
    if (n.queries >= 512 && bench.wants("plain, causal")) {
      Case c(n, causal_options);
      both_passes(bench, "plain, causal", c);
    }
  }
}

void bench_bf16(Bench& bench) {
  for (const char* name : {"bf16", "bf16, causal"}) {
    if (!bench.wants(name)) continue;
    for (const int64_t width : {64, 128}) {
      Case c(square(1, 8, 4096, width), name == std::string("bf16") ? Case::Options() : causal_options, Dtype::bf16);
      both_passes(bench, name, c);
    }
  }
}

void bench_widths(Bench& bench) {
  if (!bench.wants("other widths")) return;
  for (const auto& [width, value_width] : {std::pair{32, 32}, {40, 40}, {80, 80}, {96, 96}, {256, 256}, {64, 96}}) {
    Case c({1, 8, 8, 2048, 2048, width, value_width});
    bench.compute({"other widths", c.shape(), "forward", c.forward()}, c.flops());
  }
}

// What attend takes besides a mechanism, at one size, to plain attention.
void bench_options(Bench& bench) {
  const Sizes n = square(1, 8, 4096, 64);
  const std::pair<const char*, Case::Options> options[] = {
      {"boolean mask",
       [](const Sizes& n) {
         return AttendOptions{.mask = greater(randn({n.queries, n.keys}, Random{2, 0, 0}), -1.28)};
       }},
      {"dense bias",
       [](const Sizes& n) {
         return AttendOptions{.bias = randn({n.queries, n.keys}, Random{3, 0, 0})};
       }},
      {"soft cap", [](const Sizes&) { return AttendOptions{.soft_cap = 30}; }},
      {"dropout 0.1", [](const Sizes&) { return AttendOptions{.dropout = 0.1f}; }},
      {"weights returned", [](const Sizes&) { return AttendOptions{.return_weights = true}; }},
  };
  for (const auto& [name, make] : options) {
    if (!bench.wants(name)) continue;
    Case c(n, make), plain(n);
    both_passes_to(bench, name, c, plain);
  }
}

void bench_spans(Bench& bench) {
  const char* name = "window 256, causal";
  if (!bench.wants(name)) return;
  const Sizes n = square(1, 8, 4096, 64);
  Case c(n, [](const Sizes&) { return AttendOptions{.span = causal() & window(255, 0)}; }), plain(n);
  both_passes_to(bench, name, c, plain);
}

void bench_groups(Bench& bench) {
  const char *training = "grouped heads, 32 on 4", *decode = "decode", *grouped = "decode, 32 on 4";
  if (bench.wants(training)) {
    Case c({1, 32, 4, 1024, 1024, 64, 64}), plain(square(1, 32, 1024, 64));
    both_passes_to(bench, training, c, plain);
  }
  if (!bench.wants(decode) && !bench.wants(grouped)) return;
  for (const int64_t keys : {4096, 65536}) {
    Case all({1, 32, 32, 1, keys, 128, 128}), few({1, 32, 4, 1, keys, 128, 128});
    bench.memory({decode, all.shape(), "forward", all.forward()}, all.bytes());
    bench.relative({grouped, few.shape(), "forward", few.forward()}, all.forward());
  }
}

void bench_machine(Bench& bench) {
  if (bench.wants("second core")) {
    Case c(square(1, 8, 2048, 64));
    bench.scaling("second core, forward", c.shape(), c.forward());
    bench.scaling("second core, backward", c.shape(), c.backward());
  }
  if (bench.wants("long")) {
    Case c(square(1, 1, 65536, 64));
    both_passes(bench, "long", c);
  }
}

// Every row of the table of mechanisms, to plain attention of the same size.
void bench_mechanisms(Bench& bench) {
  const Sizes n = square(1, 8, 2048, 64);
  for (const Mechanism& row : attention::mechanisms()) {
    if (!bench.wants(row.name)) continue;
    Case c(n, row), plain(n);
    both_passes_to(bench, row.name, c, plain);
  }
}

// ---- one case --------------------------------------------------------------------------------------------

bool describes_one(const AttentionOptions& o) {
  return !o.mechanism.empty() || o.shape || o.window || o.causal || o.backward || o.dtype != Dtype::f32;
}

Sizes sizes_of(const AttentionOptions& o) {
  if (!o.shape) return square(1, 8, 2048, 64);
  const std::vector<int64_t>& s = *o.shape;
  for (const int64_t size : s) check(size > 0, "bench attention", "a shape with {}: wanted positive sizes", size);
  return {s[0], s[1], s[1], s[2], s[3], s[4], s[4]};
}

void bench_one(Bench& bench, const AttentionOptions& o) {
  const Mechanism& row = attention::mechanism(o.mechanism.empty() ? "scaled_dot" : o.mechanism);
  Case c(sizes_of(o), row, o.dtype);
  if (o.causal) c.options().span = c.options().span & causal();
  if (o.window) c.options().span = c.options().span & window(o.window->at(0), o.window->at(1));
  bench.compute({row.name, c.shape(), "forward", c.forward(), c.bf16()}, c.flops());
  if (o.backward) bench.compute({row.name, c.shape(), "backward", c.backward(), c.bf16()}, c.backward_flops());
}

}  // namespace

void run_attention(const AttentionOptions& options) {
  Bench bench(options.frame);
  if (describes_one(options)) return bench_one(bench, options);
  for (const auto family : {bench_plain, bench_bf16, bench_widths, bench_options, bench_spans, bench_groups,
                            bench_machine, bench_mechanisms})
    family(bench);
}

}  // namespace heed::bench
