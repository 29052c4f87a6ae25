#include "tensor/npz.h"

#include <algorithm>
#include <unordered_set>

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed {
namespace npz {
namespace {

constexpr int64_t kFront = 1 << 16;  // where the header of almost every array ends
constexpr std::string_view kSuffix = ".npy";

std::string array_name(std::string_view member) {
  if (member.ends_with(kSuffix)) member.remove_suffix(kSuffix.size());
  return std::string(member);
}

std::string place(const std::string& file, std::string_view array) {
  return fmt::format("{}: array '{}'", file, shortened(printable(array), 200));
}

// A header that reaches beyond the usual front is looked at again with the longest allowed.
npy::Header header_of(const ZipReader& zip, const ZipReader::Member& member, const std::string& here) {
  const Bytes front = zip.front(member, kFront);
  try {
    return npy::parse(front.span(), here);
  } catch (const Error&) {
    if (member.bytes <= kFront) throw;
    return npy::parse(zip.front(member, 2 << 20).span(), here);
  }
}

// A member is an array if its name or, as for NumPy, its first bytes say so.
bool is_array(const ZipReader& zip, const ZipReader::Member& member) {
  return member.name.ends_with(kSuffix) || npy::is_npy(zip.front(member, 16).span());
}

}  // namespace

std::vector<std::string> visit_arrays(
    const Bytes& file, const std::string& where, int64_t most_bytes,
    const std::function<void(const std::string&, const npy::Header&, const Bytes&)>& visit) {
  const ZipReader zip(file, where, most_bytes);
  std::unordered_set<std::string> names;
  std::vector<std::string> others;
  for (const ZipReader::Member& member : zip.members()) {
    if (!is_array(zip, member)) {
      others.push_back(member.name);
      continue;
    }
    const std::string name = array_name(member.name), here = place(where, name);
    check_format(names.insert(name).second, here, "duplicate: there with and without .npy");
    const npy::Header header = header_of(zip, member, here);
    if (!header.encoding) {
      visit(name, header, {});
      continue;
    }
    // Before anything of that size is allocated.
    const int64_t wanted = npy::data_bytes(header, here), held = member.bytes - header.data_begin;
    check_format(wanted == held, here, "wrong shape: it takes {} bytes, the archive holds {}", wanted, held);
    visit(name, header, zip.content(member, header.data_begin));
  }
  return others;
}

TensorFile load(const Bytes& file, const std::string& where, int64_t most_bytes) {
  TensorFile content;
  std::vector<std::string> not_held;
  content.others =
      visit_arrays(file, where, most_bytes, [&](const std::string& name, const npy::Header& header, const Bytes& data) {
        if (header.encoding && dtype_for(*header.encoding))
          content.tensors.emplace_back(name, npy::tensor_from(header, data, place(where, name)));
        else
          not_held.push_back(name);
      });
  content.others.insert(content.others.end(), not_held.begin(), not_held.end());
  return content;
}

}  // namespace npz

TensorFile load_npz(const std::string& path, const LoadOptions& options) {
  return npz::load(file_bytes(path, options.map), path, options.most_bytes);
}

void save_npz(const std::string& path, const TensorFile& content, const NpzOptions& options) {
  std::vector<Tensor> packed;
  std::vector<ZipMember> members;
  std::unordered_set<std::string_view> seen;
  for (const auto& [name, tensor] : content.tensors) {
    const std::string here = npz::place(path, name);
    check(tensor.defined(), here, "is undefined");
    check(valid_utf8(name) && name.find('\0') == std::string::npos && name.size() < 60'000, here,
          "the name is not UTF-8, holds a zero or is too long");
    check(seen.insert(name).second, here, "the name is there twice");
    packed.push_back(npy::writable(tensor));
    const Tensor& elements = packed.back();
    members.push_back({name + std::string(npz::kSuffix), npy::header_text(elements), elements.raw(),
                       elements.numel() * size_of(elements.dtype())});
  }
  AtomicFile file(path);
  write_zip(file, path, members, options.compress);
  file.commit();
}

}  // namespace heed
