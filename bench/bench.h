// The frame of `heed bench ops`: a case is timed between two measurements of the machine's limits and printed as a
// ratio to the better of them, so that a figure means the same on every machine and on a machine that gets slower while
// it runs.
//
//   void bench_norms(Bench& bench) {                  // one line in cases.cc
//     if (!bench.wants("layer norm")) return;         // before the data is made
//     std::vector<float> x(rows * width), y(rows * width);
//     bench.memory("layer norm", fmt::format("{}x{}", rows, width), 8.0 * rows * width,
//                  [&] { kernels::layer_norm(x.data(), y.data(), rows, width); });
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace heed::bench {

struct Options {
  std::string filter;  // only cases whose name contains it
  bool json = false;   // one object a line
};

class Bench {
 public:
  using Work = std::function<void()>;
  // A part of a case that is timed by itself, "forward" or "backward". Its line ends with the megabytes that it held at
  // most: tensors, and by how much the process grew.
  struct Pass {
    std::string_view name, shape, pass;
    Work work;
    bool bf16 = false;  // its limit is that of products of bf16
    int threads = 0;
  };
  explicit Bench(Options options);

  bool wants(std::string_view name) const { return name.find(options_.filter) != std::string_view::npos; }

  // Each prints one line: the best time of `work`, its rate, its ratio to the limit. Cases that are not wanted do
  // nothing. threads = 0: all of heed::threads(). `memory` counts the bytes that must be moved at least; its data does
  // not fit into the caches, or the ratio exceeds 1.
  void compute(std::string_view name, std::string_view shape, double flops, const Work& work, int threads = 0);
  // The same for features of so many operations each: the rate is theirs.
  void features(std::string_view name, std::string_view shape, double count, double flops, const Work& work);
  void memory(std::string_view name, std::string_view shape, double bytes, const Work& work, int threads = 0);
  void compute(const Pass& pass, double flops);
  void memory(const Pass& pass, double bytes);
  // Of a whole model: its rate is that of tokens, and its limit the operations or the bytes that they want at least.
  struct Tokens {
    double count, weights;
    double flops = 0, bytes = 0;  // one of them
  };
  void model(const Pass& pass, const Tokens& tokens);
  // The ratio is the time over that of `plain`, measured right before and right after.
  void relative(const Pass& pass, const Work& plain);
  // The ratio is the time allowed over the time taken by a call.
  void overhead(std::string_view name, std::string_view shape, double limit_microseconds, const Work& work);
  // The ratio is elements a cycle of one core: mathematics on data in its first cache.
  void elements(std::string_view name, std::string_view shape, double count, const Work& work);
  // Prints how often something happened that should not happen at all; the ratio is 1 where it did not.
  void count(std::string_view name, std::string_view shape, int64_t happened);
  // The ratio is so many things a second on one core over the least that is promised; both in `unit`.
  void promised(std::string_view name, std::string_view shape, double count, const char* unit, double least,
                const Work& work);
  // The ratio is the speed over that of `plain`, one core each, measured right before and right after.
  void against(std::string_view name, std::string_view shape, double count, const char* unit, const Work& work,
               const Work& plain);
  // The ratio is how many times faster all cores are than one.
  void scaling(std::string_view name, std::string_view shape, const Work& work);

 private:
  struct Line {
    std::string_view name, shape;
    int threads;
    double seconds, rate;
    const char *unit, *limit;
    double ratio;
    std::string_view pass = "";
    double megabytes = 0, weights = 0;
  };
  void print(const Line& line) const;
  Options options_;
};

// Seconds of one call: the best of many, timed in batches that are long against the clock's resolution.
double time_call(const Bench::Work& work);

}  // namespace heed::bench
