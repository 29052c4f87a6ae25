// What passes once over rows: the limit is memory. Bytes are those that must move: inputs and results, once each.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bench/bench.h"
#include "hwy/aligned_allocator.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/embedding.h"
#include "kernels/norm.h"
#include "kernels/softmax.h"

namespace heed::bench {
namespace {

// As tensors are: whole cache lines.
struct Floats {
  explicit Floats(size_t n, float value = 0) : values(hwy::AllocateAligned<float>(n)), n(n) {
    std::fill_n(data(), n, value);
  }
  float* data() { return values.get(); }
  const float* data() const { return values.get(); }
  size_t size() const { return n; }

 private:
  hwy::AlignedFreeUniquePtr<float[]> values;
  size_t n;
};

struct Shape {
  int64_t rows, width;
  int64_t size() const { return rows * width; }
  double bytes(int streams) const { return 4.0 * streams * static_cast<double>(size()); }
  std::string text() const { return fmt::format("{}x{}", rows, width); }
};
// About 64 MiB each.
constexpr Shape kShapes[] = {{65536, 256}, {16384, 1024}, {2048, 8000}, {512, 32000}};

Floats ramp(int64_t n) {
  Floats values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) values.data()[i] = static_cast<float>((i * 7919) % 1000) * 0.01f - 5;
  return values;
}

void bench_softmax(Bench& bench) {
  for (const Shape& s : kShapes) {
    const Floats x = ramp(s.size());
    Floats y(x.size()), dx(x.size());
    const auto forward = [&] { kernels::softmax(x.data(), y.data(), s.rows, s.width); };
    const auto log_forward = [&] { kernels::log_softmax(x.data(), y.data(), s.rows, s.width); };
    const auto backward = [&] { kernels::softmax_backward(x.data(), y.data(), dx.data(), s.rows, s.width); };
    bench.memory("softmax", s.text(), s.bytes(2), forward);
    bench.memory("log softmax", s.text(), s.bytes(2), log_forward);
    bench.memory("softmax backward", s.text(), s.bytes(3), backward);
  }
}

void bench_cross_entropy(Bench& bench) {
  for (const Shape& s : {kShapes[1], kShapes[3]}) {
    const Floats x = ramp(s.size());
    const std::vector<int64_t> targets(static_cast<size_t>(s.rows), 3);
    Floats loss(targets.size()), log_sum_exp(targets.size()), scale(targets.size(), 1), dx(x.size());
    const kernels::CrossEntropy<float> of{
        .logits = x.data(), .targets = targets.data(), .smoothing = 0, .rows = s.rows, .classes = s.width};
    bench.memory("cross-entropy", s.text(), s.bytes(1),
                 [&] { kernels::cross_entropy(of, loss.data(), log_sum_exp.data()); });
    bench.memory("cross-entropy backward", s.text(), s.bytes(2),
                 [&] { kernels::cross_entropy_backward(of, log_sum_exp.data(), scale.data(), dx.data()); });
  }
}

void bench_row_norms(Bench& bench) {
  for (const Shape& s : {kShapes[0], kShapes[1]}) {
    const Floats x = ramp(s.size()), r = ramp(s.size()), w = ramp(s.width);
    Floats y(x.size()), sum(x.size()), dx(x.size()), mean(static_cast<size_t>(s.rows)), rstd(mean.size(), 1),
        dw(w.size()), db(w.size());
    for (const auto kind : {kernels::RowNormKind::layer, kernels::RowNormKind::rms}) {
      const std::string name = kind == kernels::RowNormKind::layer ? "layer norm" : "rms norm";
      kernels::RowNorm<float> of{.x = x.data(),
                                 .weight = w.data(),
                                 .bias = w.data(),
                                 .out = y.data(),
                                 .mean = mean.data(),
                                 .rstd = rstd.data(),
                                 .rows = s.rows,
                                 .width = s.width};
      bench.memory(name, s.text(), s.bytes(2), [&] { kernels::row_norm(kind, of); });
      of.residual = r.data();
      of.sum = sum.data();
      bench.memory(name + " of x + residual", s.text(), s.bytes(4), [&] { kernels::row_norm(kind, of); });
      const kernels::RowNormBackward<float> backward{.x = x.data(),
                                                     .weight = w.data(),
                                                     .mean = mean.data(),
                                                     .rstd = rstd.data(),
                                                     .out_gradient = r.data(),
                                                     .x_gradient = dx.data(),
                                                     .weight_gradient = dw.data(),
                                                     .bias_gradient = db.data(),
                                                     .rows = s.rows,
                                                     .width = s.width};
      bench.memory(name + " backward", s.text(), s.bytes(3), [&] { kernels::row_norm_backward(kind, backward); });
    }
  }
}

void bench_dropout(Bench& bench) {
  const int64_t n = 1 << 24;
  const Floats x = ramp(n);
  Floats y(x.size());
  bench.memory("dropout", fmt::format("{}", n), 8.0 * n, [&] {
    kernels::dropout(x.data(), y.data(), n, 0.1, {1, 2, 3});
  });
}

void bench_embedding(Bench& bench) {
  const int64_t table_rows = 32000, width = 512, n = 32768;
  const Floats table = ramp(table_rows * width);
  std::vector<int64_t> indices, rows(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) indices.push_back(i * 7919 % table_rows * 31 % table_rows);
  Floats out(static_cast<size_t>(n * width)), sums(out.size());
  const std::string text = fmt::format("{}x{} of {}", n, width, table_rows);
  const double bytes = 4.0 * n * width;
  bench.memory("embedding", text, 2 * bytes,
               [&] { kernels::gather_rows(table.data(), indices.data(), out.data(), n, width); });
  int64_t count = kernels::sparse_row_gradient(indices.data(), out.data(), n, width, rows.data(), sums.data());
  bench.memory("embedding sparse gradient", text, bytes + 4.0 * static_cast<double>(count * width), [&] {
    count = kernels::sparse_row_gradient(indices.data(), out.data(), n, width, rows.data(), sums.data());
  });
}

}  // namespace

void bench_rows(Bench& bench) {
  if (bench.wants("softmax") || bench.wants("log softmax") || bench.wants("softmax backward")) bench_softmax(bench);
  if (bench.wants("cross-entropy") || bench.wants("cross-entropy backward")) bench_cross_entropy(bench);
  if (bench.wants("layer norm of x + residual") || bench.wants("rms norm of x + residual") ||
      bench.wants("layer norm backward") || bench.wants("rms norm backward"))
    bench_row_norms(bench);
  if (bench.wants("dropout")) bench_dropout(bench);
  if (bench.wants("embedding") || bench.wants("embedding sparse gradient")) bench_embedding(bench);
}

}  // namespace heed::bench
