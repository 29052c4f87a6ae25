// Convolution and pooling.
#include "kernels/convolution.h"

#include <vector>

#include "bench/bench.h"
#include "kernels/pooling.h"

namespace heed::bench {
namespace {

using kernels::ConvolutionShape;
using kernels::PoolingShape;

void bench_convolution(Bench& bench, const ConvolutionShape& s, const char* shape) {
  const char *forward = "conv2d forward", *backward = "conv2d backward", *both = "conv2d forward + backward";
  if (!bench.wants(forward) && !bench.wants(backward) && !bench.wants(both)) return;
  std::vector<float> x(s.batch * s.input_image(), 0.5f), weight(s.weights(), 0.1f), bias(s.filters);
  std::vector<float> y(s.batch * s.output_image()), dy(y.size(), 0.3f), dx(x.size()), dweight(s.weights()),
      dbias(s.filters);
  const double flops = 2.0 * y.size() * s.weights() / s.filters;
  const auto run_forward = [&] { kernels::convolution(s, x.data(), weight.data(), bias.data(), y.data()); };
  const auto run_backward = [&] {
    kernels::convolution_backward(s, kernels::ConvolutionGradient<float>{x.data(), weight.data(), dy.data(), dx.data(),
                                                                         dweight.data(), dbias.data()});
  };
  bench.compute(forward, shape, flops, run_forward);
  bench.compute(backward, shape, 2 * flops, run_backward);
  bench.compute(both, shape, 3 * flops, [&] { run_forward(), run_backward(); });
}

void bench_pooling(Bench& bench, const PoolingShape& s, const char* shape) {
  const char *largest = "max pool", *largest_backward = "max pool backward";
  const char *average = "average pool", *average_backward = "average pool backward";
  if (!bench.wants(largest) && !bench.wants(largest_backward) && !bench.wants(average) &&
      !bench.wants(average_backward))
    return;
  std::vector<float> x(s.planes * s.input_plane(), 0.5f), y(s.planes * s.output_plane(), 0.5f);
  std::vector<int64_t> indices(y.size());
  kernels::max_pool(s, x.data(), y.data(), indices.data());
  const double bytes = 4.0 * (x.size() + y.size()), index_bytes = 8.0 * y.size();
  const auto kernel = kernels::AverageOver::kernel;
  bench.memory(largest, shape, bytes + index_bytes, [&] { max_pool(s, x.data(), y.data(), indices.data()); });
  bench.memory(largest_backward, shape, bytes + index_bytes,
               [&] { max_pool_backward(s, y.data(), indices.data(), x.data()); });
  bench.memory(average, shape, bytes, [&] { average_pool(s, kernel, x.data(), y.data()); });
  bench.memory(average_backward, shape, bytes, [&] { average_pool_backward(s, kernel, y.data(), x.data()); });
}

}  // namespace

void bench_convolutions(Bench& bench) {
  bench_convolution(bench, {8, 64, 64, 1, {56, 3, 1, 1, 1}, {56, 3, 1, 1, 1}}, "8x64x56x56 3x3 64");
  bench_convolution(bench, {8, 512, 512, 1, {7, 3, 1, 1, 1}, {7, 3, 1, 1, 1}}, "8x512x7x7 3x3 512");
  bench_convolution(bench, {16, 256, 256, 1, {}, {128, 3, 1, 1, 1}}, "16x256x128 3 256");
  bench_pooling(bench, {32 * 64, {112, 2, 2, 0, 1}, {112, 2, 2, 0, 1}}, "32x64x112x112 2x2/2");
  bench_pooling(bench, {32 * 64, {112, 3, 2, 1, 1}, {112, 3, 2, 1, 1}}, "32x64x112x112 3x3/2");
}

}  // namespace heed::bench
