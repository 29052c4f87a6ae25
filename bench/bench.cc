#include "bench/bench.h"

#include <fmt/format.h>
#include <heed/base.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/runtime.h"
#include "bench/memory.h"
#include "bench/peaks.h"

namespace heed::bench {
namespace {

constexpr double kBatchSeconds = 1e-3, kCaseSeconds = 0.4, kMostSeconds = 3;
constexpr int kLeastBatches = 5;

struct ThreadsFor {  // runs a scope on `count` threads (0: as they are)
  explicit ThreadsFor(int count) : before(heed::threads()) {
    if (count > 0) set_threads(count);
  }
  ~ThreadsFor() { set_threads(before); }
  int before;
};

double batch_seconds(const Bench::Work& work, int64_t calls) {
  const double start = seconds();
  for (int64_t i = 0; i < calls; ++i) work();
  return seconds() - start;
}

struct Measured {
  double seconds, limit, megabytes;
};
template <class Limit>
Measured between(const Limit& limit, const Bench::Work& work) {
  const double before = limit();
  const MemoryWatch watch;
  const double time = time_call(work), megabytes = watch.megabytes();
  return {time, std::max(before, limit()), megabytes};
}

}  // namespace

double time_call(const Bench::Work& work) {
  work();
  int64_t calls = 1;
  double best = batch_seconds(work, 1);
  for (; best < kBatchSeconds / 2; best = batch_seconds(work, calls)) calls *= 2;
  double spent = best;
  for (int i = 0; (i < kLeastBatches && spent < kMostSeconds) || spent < kCaseSeconds; ++i) {
    const double time = batch_seconds(work, calls);
    best = std::min(best, time), spent += time;
  }
  return best / static_cast<double>(calls);
}

Bench::Bench(Options options) : options_(std::move(options)) { start_runtime(); }

void Bench::compute(std::string_view name, std::string_view shape, double flops, const Work& work, int threads) {
  if (!wants(name)) return;
  const ThreadsFor scope(threads);
  const auto [time, peak, megabytes] = between(measure_flops, work);
  print({name, shape, heed::threads(), time, flops / time * 1e-9, "GFLOP/s", "compute", flops / time / peak});
}

void Bench::features(std::string_view name, std::string_view shape, double count, double flops, const Work& work) {
  if (!wants(name)) return;
  const auto [time, peak, megabytes] = between(measure_flops, work);
  const double rate = count / time;
  print({name, shape, heed::threads(), time, rate * 1e-9, "Gfeat/s", "compute", rate * flops / peak});
}

void Bench::compute(const Pass& pass, double flops) {
  if (!wants(pass.name)) return;
  const ThreadsFor scope(pass.threads);
  const auto [time, peak, megabytes] = between(pass.bf16 ? measure_bf16_flops : measure_flops, pass.work);
  print({pass.name, pass.shape, heed::threads(), time, flops / time * 1e-9, "GFLOP/s", "compute", flops / time / peak,
         pass.pass, megabytes});
}

void Bench::memory(const Pass& pass, double bytes) {
  if (!wants(pass.name)) return;
  const ThreadsFor scope(pass.threads);
  const auto [time, peak, megabytes] = between(measure_bandwidth, pass.work);
  print({pass.name, pass.shape, heed::threads(), time, bytes / time * 1e-9, "GB/s", "memory", bytes / time / peak,
         pass.pass, megabytes});
}

void Bench::model(const Pass& pass, const Tokens& tokens) {
  if (!wants(pass.name)) return;
  const bool memory = tokens.bytes > 0;
  const auto [time, peak, megabytes] = between(memory ? measure_bandwidth : measure_flops, pass.work);
  print({pass.name, pass.shape, heed::threads(), time, tokens.count / time, "tokens/s", memory ? "memory" : "compute",
         (memory ? tokens.bytes : tokens.flops) / time / peak, pass.pass, megabytes, tokens.weights});
}

void Bench::relative(const Pass& pass, const Work& plain) {
  if (!wants(pass.name)) return;
  const ThreadsFor scope(pass.threads);
  const double before = time_call(plain);
  const MemoryWatch watch;
  const double time = time_call(pass.work), megabytes = watch.megabytes();
  const double limit = std::min(before, time_call(plain));
  print({pass.name, pass.shape, heed::threads(), time, 1e-3 / time, "kcalls/s", "plain", time / limit, pass.pass,
         megabytes});
}

void Bench::memory(std::string_view name, std::string_view shape, double bytes, const Work& work, int threads) {
  if (!wants(name)) return;
  const ThreadsFor scope(threads);
  const auto [time, peak, megabytes] = between(measure_bandwidth, work);
  print({name, shape, heed::threads(), time, bytes / time * 1e-9, "GB/s", "memory", bytes / time / peak});
}

void Bench::overhead(std::string_view name, std::string_view shape, double limit_microseconds, const Work& work) {
  if (!wants(name)) return;
  const double time = time_call(work);
  print({name, shape, heed::threads(), time, 1e-6 / time, "Mcalls/s", "overhead", limit_microseconds * 1e-6 / time});
}

void Bench::count(std::string_view name, std::string_view shape, int64_t happened) {
  if (!wants(name)) return;
  print(
      {name, shape, heed::threads(), 0, static_cast<double>(happened), "times", "overhead", happened == 0 ? 1.0 : 0.0});
}

void Bench::elements(std::string_view name, std::string_view shape, double count, const Work& work) {
  if (!wants(name)) return;
  const ThreadsFor scope(1);
  const auto [time, clock, megabytes] = between(measure_clock, work);
  const double a_cycle = count / time / clock;
  print({name, shape, 1, time, a_cycle, "el/cycle", "clock", a_cycle});
}

void Bench::promised(std::string_view name, std::string_view shape, double count, const char* unit, double least,
                     const Work& work) {
  if (!wants(name)) return;
  const ThreadsFor scope(1);
  const double time = time_call(work), rate = count / time;
  print({name, shape, 1, time, rate, unit, "promised", rate / least});
}

void Bench::against(std::string_view name, std::string_view shape, double count, const char* unit, const Work& work,
                    const Work& plain) {
  if (!wants(name)) return;
  const ThreadsFor scope(1);
  const double before = time_call(plain), time = time_call(work), limit = std::min(before, time_call(plain));
  print({name, shape, 1, time, count / time, unit, "plain", limit / time});
}

void Bench::scaling(std::string_view name, std::string_view shape, const Work& work) {
  if (!wants(name)) return;
  const double all = time_call(work);
  const ThreadsFor scope(1);
  const double one = time_call(work);
  print({name, shape, scope.before, all, one / all, "times", "cores", one / all});
}

void Bench::print(const Line& line) const {
  if (options_.json) {
    nlohmann::ordered_json object = {{"case", line.name},        {"shape", line.shape}, {"threads", line.threads},
                                     {"ms", line.seconds * 1e3}, {"rate", line.rate},   {"unit", line.unit},
                                     {"limit", line.limit},      {"ratio", line.ratio}};
    if (!line.pass.empty()) object["pass"] = line.pass, object["peak_mb"] = line.megabytes;
    if (line.weights > 0) object["weights"] = line.weights;
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{:<34} {:<22} {} thread{} {:>10.4f} ms {:>8.2f} {:<8} {:<8} {:.3f}", line.name, line.shape,
               line.threads, line.threads == 1 ? " " : "s", line.seconds * 1e3, line.rate, line.unit, line.limit,
               line.ratio);
    fmt::print("{}\n", line.pass.empty() ? "" : fmt::format(" {:<8} {:>7.1f} MB", line.pass, line.megabytes));
  }
  std::fflush(stdout);
}

}  // namespace heed::bench
