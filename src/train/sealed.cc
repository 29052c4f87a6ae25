#include "train/sealed.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace heed {
namespace {

constexpr const char* kSeal = "heed.seal";

class Checksum {
 public:
  void add(const void* data, int64_t bytes) {
    sum_ = crc32_z(sum_, static_cast<const Bytef*>(data), static_cast<z_size_t>(bytes));
  }
  void add(const std::string& text) {
    const auto size = static_cast<int64_t>(text.size());
    add(&size, sizeof size), add(text.data(), size);
  }
  std::string text() const { return fmt::format("crc32:{:08x}", sum_); }

 private:
  uLong sum_ = crc32_z(0, nullptr, 0);
};

// Tensors by name: a file lists them in whatever order.
std::string seal_of(const TensorFile& content) {
  Checksum sum;
  for (const auto& [key, value] : content.metadata)
    if (key != kSeal) sum.add(key), sum.add(value);
  std::vector<const std::pair<std::string, Tensor>*> sorted;
  for (const auto& each : content.tensors) sorted.push_back(&each);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* each : sorted) {
    const Tensor tensor = each->second.packed();
    sum.add(each->first), sum.add(name(tensor.dtype())), sum.add(tensor.shape().text());
    sum.add(tensor.raw(), tensor.numel() * size_of(tensor.dtype()));
  }
  return sum.text();
}

}  // namespace

void save_sealed(const std::string& path, TensorFile content) {
  content.metadata[kSeal] = seal_of(content);
  save_safetensors(path, content);
}

TensorFile load_sealed(const std::string& path, Seal seal) {
  TensorFile content = load_safetensors(path);
  const auto written = content.metadata.find(kSeal);
  if (written == content.metadata.end() && seal == Seal::optional) return content;
  if (written == content.metadata.end())
    throw Error(ErrorKind::data, path, "has no seal: it was not written by heed", "take another file or folder");
  const std::string now = seal_of(content);
  if (written->second != now)
    throw Error(ErrorKind::data, path,
                fmt::format("was changed or damaged since it was written: its seal is {}, its content's {}",
                            written->second, now),
                "take a copy of it, or train again");
  return content;
}

}  // namespace heed
