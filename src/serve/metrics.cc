#include "serve/metrics.h"

#include <fmt/format.h>
#include <heed/base.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace heed::serve {
namespace {

int64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  in >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

template <class Value>
void add(std::string& text, const char* name, const char* type, const char* help, Value value) {
  text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

void Metrics::request(const std::string& path, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{path, status}];
  Times& times = times_[path];
  ++times.counts[static_cast<size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin())];
  times.sum += seconds;
}

void Metrics::connections(int count) {
  const std::lock_guard lock(mutex_);
  connections_ = count;
}

std::string Metrics::text(const WorkerCounts& worker) const {
  const std::lock_guard lock(mutex_);
  std::string text = "# HELP heed_requests_total Requests answered.\n# TYPE heed_requests_total counter\n";
  for (const auto& [key, count] : requests_)
    text += fmt::format("heed_requests_total{{path=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  text += "# HELP heed_request_seconds From a request's last byte to its answer's.\n";
  text += "# TYPE heed_request_seconds histogram\n";
  for (const auto& [path, times] : times_) {
    uint64_t sum = 0;
    for (size_t n = 0; n < times.counts.size(); ++n) {
      sum += times.counts[n];
      const std::string bound = n < kBounds.size() ? fmt::format("{}", kBounds[n]) : "+Inf";
      text += fmt::format("heed_request_seconds_bucket{{path=\"{}\",le=\"{}\"}} {}\n", path, bound, sum);
    }
    text +=
        fmt::format("heed_request_seconds_sum{{path=\"{0}\"}} {1}\nheed_request_seconds_count{{path=\"{0}\"}} {2}\n",
                    path, times.sum, sum);
  }
  add(text, "heed_connections", "gauge", "Connections that are open.", connections_);
  add(text, "heed_texts_waiting", "gauge", "Texts that wait for their turn.", worker.waiting);
  add(text, "heed_texts_under_way", "gauge", "Texts that are being answered.", worker.under_way);
  add(text, "heed_texts_total", "counter", "Texts that were asked.", worker.asked);
  add(text, "heed_texts_refused_total", "counter", "Texts for which there was no room in the queue.", worker.refused);
  add(text, "heed_beginnings_total", "counter", "Times at which texts began, alone or together.", worker.beginnings);
  add(text, "heed_texts_begun_total", "counter", "Texts that began.", worker.begun);
  add(text, "heed_steps_total", "counter", "Steps of all groups.", worker.steps);
  add(text, "heed_tokens_total", "counter", "Tokens that were said.", worker.tokens);
  add(text, "heed_tensor_bytes", "gauge", "Bytes in tensors.", memory_use().in_use);
  add(text, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
  return text;
}

}  // namespace heed::serve
