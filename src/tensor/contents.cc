#include "tensor/contents.h"

#include <heed/io.h>

#include <functional>
#include <numeric>

#include "base/check.h"
#include "tensor/npz.h"
#include "tensor/safetensors.h"

namespace heed {
namespace {

int64_t count_of(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());  // their bytes were checked
}

ArraySummary summary_of(const std::string& name, const npy::Header& header, const Bytes& data,
                        const std::string& where) {
  ArraySummary array{name, header.dtype, header.shape, std::nullopt};
  if (header.encoding)
    array.statistics = statistics(*header.encoding, npy::ordered_elements(header, data, where), count_of(header.shape));
  return array;
}

void add_npy(const Bytes& file, const std::string& path, FileSummary* summary) {
  const npy::Header header = npy::parse(file.span(), path);
  summary->arrays.push_back(summary_of("", header, file.part(header.data_begin, file.size), path));
}

void add_npz(const Bytes& file, const std::string& path, FileSummary* summary) {
  const auto add = [&](const std::string& name, const npy::Header& header, const Bytes& data) {
    summary->arrays.push_back(summary_of(name, header, data, path));
  };
  summary->others = npz::visit_arrays(file, path, LoadOptions{}.most_bytes, add);
}

void add_safetensors(const Bytes& file, const std::string& path, FileSummary* summary) {
  safetensors::Header header = safetensors::parse(file.span(), path);
  for (const safetensors::Entry& entry : header.entries) {
    const Bytes data = file.part(header.data_begin + entry.begin, header.data_begin + entry.end);
    summary->arrays.push_back(
        {entry.name, entry.dtype, entry.shape, statistics(entry.encoding, data, count_of(entry.shape))});
  }
  summary->metadata = std::move(header.metadata);
}

struct Format {
  const char* name;
  bool (*fits)(std::span<const uint8_t> file);
  void (*add)(const Bytes& file, const std::string& path, FileSummary* summary);
};
constexpr Format kFormats[] = {
    {"npy", npy::is_npy, add_npy},
    {"npz", is_zip, add_npz},
    {"safetensors", [](std::span<const uint8_t> file) { return file.size() > 8 && file[8] == '{'; }, add_safetensors},
};

}  // namespace

FileSummary summarize(const std::string& path) {
  const Bytes file = map_file(path);
  for (const Format& format : kFormats) {
    if (!format.fits(file.span())) continue;
    FileSummary summary{.format = format.name, .bytes = file.size};
    format.add(file, path, &summary);
    return summary;
  }
  fail(ErrorKind::format, path, "neither safetensors, npy nor npz");
}

}  // namespace heed
