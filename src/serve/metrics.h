// What Prometheus is told: counters of requests, their times, and how the worker stands.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "serve/worker.h"

namespace heed::serve {

class Metrics {
 public:
  void request(const std::string& path, int status, double seconds);
  void connections(int count);
  std::string text(const WorkerCounts& worker) const;

 private:
  static constexpr std::array<double, 10> kBounds = {.001, .003, .01, .03, .1, .3, 1, 3, 10, 30};  // seconds
  struct Times {
    std::array<uint64_t, kBounds.size() + 1> counts = {};
    double sum = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  std::map<std::string, Times> times_;
  int connections_ = 0;
};

}  // namespace heed::serve
