// What a file of tensors holds, whichever format it is in: found out from its content, not from its name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor/statistics.h"

namespace heed {

struct ArraySummary {
  std::string name;   // empty for the one array of a npy file
  std::string dtype;  // in the format's own words: "F8_E4M3", "<f4"
  std::vector<int64_t> shape;
  std::optional<Statistics> statistics;  // of those dtypes that are ordered numbers
};

struct FileSummary {
  std::string format;  // "safetensors", "npy", "npz"
  int64_t bytes = 0;
  std::vector<ArraySummary> arrays = {};
  std::map<std::string, std::string> metadata = {};
  std::vector<std::string> others = {};  // members of a npz archive that are no arrays
};

FileSummary summarize(const std::string& path);

}  // namespace heed
