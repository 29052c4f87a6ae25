// Figures by step in the files that TensorBoard reads.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace heed {

class EventFile {
 public:
  explicit EventFile(const std::string& folder);  // a new events.out.tfevents.… in it
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  void add(int64_t step, const std::vector<std::pair<std::string, double>>& figures);

 private:
  std::string path_;
  std::FILE* file_ = nullptr;
};

uint32_t crc32c(const std::string& data);  // Castagnoli's polynomial: RFC 3720, appendix B.4

}  // namespace heed
