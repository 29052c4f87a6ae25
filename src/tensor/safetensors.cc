#include "tensor/safetensors.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/check.h"
#include "tensor/safetensors_header.h"
#include "tensor/unicode.h"

namespace heed {
namespace safetensors {

std::string place(std::string_view file, std::string_view tensor) {
  return fmt::format("{}: tensor '{}'", file, shortened(printable(tensor), 200));
}

namespace {

int64_t header_length(std::span<const uint8_t> file, std::string_view where) {
  check_format(file.size() >= 8, where, "header length: the file has {} bytes, wanted at least 8", file.size());
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | file[static_cast<size_t>(i)];
  check_format(length <= kMostHeader, where, "header length: {} bytes, at most {} are allowed", length, kMostHeader);
  check_format(length <= file.size() - 8, where, "header length: {} bytes, the file ends {} bytes after it", length,
               file.size() - 8);
  return static_cast<int64_t>(length);
}

std::string shape_text(const Entry& entry) {
  return shortened(fmt::format("({}) of {}", fmt::join(entry.shape, ", "), entry.dtype), 80);
}

// The texts are made only for what is refused: a file may have a hundred thousand tensors.
void check_size(const Entry& entry, std::string_view where) {
  const std::optional<int64_t> wanted = bytes_of(entry.encoding, entry.shape);
  if (wanted && entry.begin <= entry.end && entry.end - entry.begin == *wanted) return;
  const std::string here = place(where, entry.name);
  check_format(wanted.has_value(), here, "shape: {} does not fit into 64 bits or into whole bytes", shape_text(entry));
  check_format(entry.begin <= entry.end, here, "data_offsets: {} comes after {}", entry.begin, entry.end);
  fail(ErrorKind::format, here, "wrong shape: {} takes {} bytes, data_offsets give it {}", shape_text(entry), *wanted,
       entry.end - entry.begin);
}

// In the order of their bytes, the tensors follow each other without gap or overlap, up to the end of the file.
void check_cover(const std::vector<Entry>& entries, int64_t data_bytes, std::string_view where) {
  std::vector<const Entry*> sorted(entries.size());
  std::transform(entries.begin(), entries.end(), sorted.begin(), [](const Entry& entry) { return &entry; });
  std::sort(sorted.begin(), sorted.end(),
            [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  int64_t covered = 0;
  for (const Entry* entry : sorted) {
    if (entry->begin == covered && entry->end <= data_bytes) {
      covered = entry->end;
      continue;
    }
    const std::string here = place(where, entry->name);
    check_format(entry->end <= data_bytes, here, "out of bounds: bytes {} to {} of {}", entry->begin, entry->end,
                 data_bytes);
    check_format(entry->begin >= covered, here, "overlap: begins at byte {}, the one before it ends at {}",
                 entry->begin, covered);
    fail(ErrorKind::format, here, "gap: begins at byte {}, the one before it ends at {}", entry->begin, covered);
  }
  check_format(covered == data_bytes, where, "trailing bytes: the tensors end at byte {} of {}", covered, data_bytes);
}

}  // namespace

Header parse(std::span<const uint8_t> file, std::string_view where) {
  const int64_t length = header_length(file, where);
  const std::string_view json(reinterpret_cast<const char*>(file.data()) + 8, static_cast<size_t>(length));
  check_format(!json.empty() && json[0] == '{', where, "header: does not begin with '{{'");
  check_format(valid_utf8(json), where, "header: is not UTF-8");
  Header header;
  header.data_begin = 8 + length;
  parse_json(json, where, &header);
  for (const Entry& entry : header.entries) check_size(entry, where);
  check_cover(header.entries, static_cast<int64_t>(file.size()) - header.data_begin, where);
  return header;
}

}  // namespace safetensors

using safetensors::Entry;
using safetensors::Header;

struct SafetensorsReader::Impl {
  std::string path;
  Bytes file;
  std::vector<TensorEntry> entries;
  std::map<std::string, std::string> metadata;
  int64_t data_begin;
};

SafetensorsReader::SafetensorsReader(const std::string& path, const LoadOptions& options) {
  const Bytes file = file_bytes(path, options.map);
  Header header = safetensors::parse(file.span(), path);
  std::vector<TensorEntry> entries(std::make_move_iterator(header.entries.begin()),
                                   std::make_move_iterator(header.entries.end()));
  impl_ = std::make_unique<Impl>(Impl{path, file, std::move(entries), std::move(header.metadata), header.data_begin});
}
SafetensorsReader::~SafetensorsReader() = default;
SafetensorsReader::SafetensorsReader(SafetensorsReader&&) noexcept = default;
SafetensorsReader& SafetensorsReader::operator=(SafetensorsReader&&) noexcept = default;

const std::vector<TensorEntry>& SafetensorsReader::entries() const { return impl_->entries; }
const std::map<std::string, std::string>& SafetensorsReader::metadata() const { return impl_->metadata; }

// The entry may be the caller's own, so it is checked again.
Tensor SafetensorsReader::tensor(const TensorEntry& entry) const {
  const std::string where = safetensors::place(impl_->path, entry.name);
  const std::optional<Encoding> encoding = encoding_named(entry.dtype);
  const int64_t data_bytes = impl_->file.size - impl_->data_begin;
  check(encoding && entry.begin >= 0 && entry.begin <= entry.end && entry.end <= data_bytes &&
            bytes_of(*encoding, entry.shape) == entry.end - entry.begin,
        where, "the entry is not of this file");
  const Bytes bytes = impl_->file.part(impl_->data_begin + entry.begin, impl_->data_begin + entry.end);
  return tensor_of(bytes, *encoding, entry.shape, where);
}

TensorFile load_safetensors(const std::string& path, const LoadOptions& options) {
  const SafetensorsReader reader(path, options);
  TensorFile content;
  content.metadata = reader.metadata();
  for (const TensorEntry& entry : reader.entries()) content.tensors.emplace_back(entry.name, reader.tensor(entry));
  return content;
}

namespace {

constexpr size_t kAlignment = 64;  // of the first element in the file

void check_names(const TensorFile& content, const std::string& path) {
  std::unordered_set<std::string_view> seen;
  for (const auto& [name, tensor] : content.tensors) {
    const std::string where = safetensors::place(path, name);
    check(tensor.defined(), where, "is undefined");
    check(name != "__metadata__", where, "the name is reserved");
    check(seen.insert(name).second, where, "the name is there twice");
  }
}

// The elements with the largest alignment come first, so that a reader can map all of them.
std::vector<size_t> order_of_elements(const TensorFile& content) {
  std::vector<size_t> order(content.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto size = [&](size_t i) { return size_of(content.tensors[i].second.dtype()); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return size(a) > size(b); });
  return order;
}

Header header_of(const TensorFile& content, const std::vector<size_t>& order, const std::string& path) {
  Header header;
  header.metadata = content.metadata;
  header.entries.resize(order.size());
  int64_t at = 0;
  for (size_t i : order) {
    const auto& [name, tensor] = content.tensors[i];
    Entry& entry = header.entries[i];
    entry.encoding = encoding_of(tensor.dtype());
    entry.name = name, entry.dtype = heed::name(entry.encoding);
    entry.shape.assign(tensor.shape().begin(), tensor.shape().end());
    entry.begin = at;
    at = entry.end = checked_add(at, checked_multiply(tensor.numel(), size_of(tensor.dtype()), path), path);
  }
  return header;
}

}  // namespace

void save_safetensors(const std::string& path, const TensorFile& content) {
  check_names(content, path);
  const std::vector<size_t> order = order_of_elements(content);
  std::string json = safetensors::to_json(header_of(content, order, path), path);
  json.resize((json.size() + 8 + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  check(json.size() <= safetensors::kMostHeader, path, "the header would have {} bytes, at most {} are allowed",
        json.size(), safetensors::kMostHeader);
  uint8_t length[8];
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(json.size() >> 8 * i);
  AtomicFile file(path);
  file.write(length, 8);
  file.write(json.data(), static_cast<int64_t>(json.size()));
  for (size_t i : order) {
    const Tensor packed = content.tensors[i].second.packed();
    file.write(packed.raw(), packed.numel() * size_of(packed.dtype()));
  }
  file.commit();
}

bool TensorFile::contains(std::string_view name) const {
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& named) { return named.first == name; });
}

const Tensor& TensorFile::operator[](std::string_view name) const {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& named) { return named.first == name; });
  if (found != tensors.end()) return found->second;
  if (std::find(others.begin(), others.end(), name) != others.end())
    fail(ErrorKind::data, "tensors", "'{}' is there, but is nothing that tensors hold", printable(name));
  fail(ErrorKind::data, "tensors", "there is no '{}' among {}", name, tensors.size());
}

}  // namespace heed
