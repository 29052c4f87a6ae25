#include <zip.h>

#include <algorithm>
#include <unordered_set>

#include "base/check.h"
#include "tensor/arena.h"
#include "tensor/unicode.h"
#include "tensor/zip.h"

namespace heed {
namespace {

// Deflate spends at least two bits on 258 bytes: what declares a larger ratio cannot be true.
constexpr int64_t kMostRatio = 1032;
constexpr int64_t kSlack = 64;

struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using OpenMember = std::unique_ptr<zip_file_t, CloseMember>;

std::string place(const std::string& file, std::string_view member) {
  return fmt::format("{}: member '{}'", file, shortened(printable(member), 200));
}

[[noreturn]] void refuse(zip_error_t* error, const std::string& where) {
  const int code = zip_error_code_zip(error);
  const std::string text = zip_error_strerror(error);
  zip_error_fini(error);
  check_format(code != ZIP_ER_EXISTS, where, "duplicate: a member is there twice");
  fail(code == ZIP_ER_MEMORY ? ErrorKind::system : ErrorKind::format, where, "no usable zip archive: {}", text);
}

zip_t* open_archive(const Bytes& file, const std::string& where) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file.data, static_cast<zip_uint64_t>(file.size), 0, &error);
  if (!source) refuse(&error, where);
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (!archive) {
    zip_source_free(source);
    refuse(&error, where);
  }
  return archive;
}

OpenMember open_member(zip_t* archive, const ZipReader::Member& member, const std::string& where) {
  OpenMember open(zip_fopen_index(archive, member.index, 0));
  if (!open) fail(ErrorKind::format, place(where, member.name), "cannot be read: {}", zip_strerror(archive));
  return open;
}

// Reads `bytes` bytes or fewer where the member ends before.
int64_t read_up_to(zip_file_t* open, uint8_t* data, int64_t bytes, const std::string& where) {
  int64_t done = 0;
  while (done < bytes) {
    const zip_int64_t got = zip_fread(open, data + done, static_cast<zip_uint64_t>(bytes - done));
    if (got < 0)
      fail(ErrorKind::format, where, "cannot be unpacked (broken data or wrong CRC): {}",
           zip_error_strerror(zip_file_get_error(open)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Bytes allocate(int64_t bytes) {
  const std::shared_ptr<void> block(arena::allocate(bytes), arena::give_back);
  return {static_cast<uint8_t*>(block.get()), bytes, block};
}

}  // namespace

bool is_zip(std::span<const uint8_t> file) {
  return file.size() >= 4 && file[0] == 'P' && file[1] == 'K' &&
         ((file[2] == 3 && file[3] == 4) || (file[2] == 5 && file[3] == 6));
}

ZipReader::ZipReader(Bytes file, std::string where, int64_t most_bytes)
    : where_(std::move(where)), file_(std::move(file)) {
  check_format(is_zip(file_.span()), where_, "no zip archive: it does not begin with PK");
  archive_ = open_archive(file_, where_);
  try {
    check_members(most_bytes);
  } catch (...) {
    zip_discard(archive_);
    throw;
  }
}
ZipReader::~ZipReader() { zip_discard(archive_); }

void ZipReader::add_member(uint64_t index, int64_t* packed_bytes) {
  zip_stat_t about;
  if (zip_stat_index(archive_, index, ZIP_FL_ENC_RAW, &about) != 0)
    fail(ErrorKind::format, where_, "member {}: {}", index, zip_strerror(archive_));
  const std::string here = place(where_, about.name);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  check_format(
      (about.valid & kNeeded) == kNeeded && about.size < uint64_t{1} << 62 && about.comp_size < uint64_t{1} << 62, here,
      "size: not declared or beyond 62 bits");
  check_format(about.encryption_method == ZIP_EM_NONE, here, "encrypted: cannot be read");
  check_format(about.comp_method == ZIP_CM_STORE || about.comp_method == ZIP_CM_DEFLATE, here,
               "method: packed by method {}, wanted stored (0) or deflated (8)", about.comp_method);
  const auto bytes = static_cast<int64_t>(about.size), packed = static_cast<int64_t>(about.comp_size);
  check_format(packed <= file_.size - *packed_bytes, here, "overlap: the members take more bytes than the archive has");
  *packed_bytes += packed;
  if (about.comp_method == ZIP_CM_STORE)
    check_format(bytes == packed, here, "size: {} bytes stored in {}", bytes, packed);
  else
    check_format((bytes - kSlack) / kMostRatio <= packed, here,
                 "zip bomb: {} bytes declared in {}, which deflate cannot do", bytes, packed);
  members_.push_back({about.name, bytes, index});
}

void ZipReader::check_members(int64_t most_bytes) {
  std::unordered_set<std::string> names;
  int64_t packed_bytes = 0, bytes = 0;
  const zip_int64_t count = zip_get_num_entries(archive_, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    add_member(static_cast<uint64_t>(i), &packed_bytes);
    const Member& member = members_.back();
    check_format(names.insert(member.name).second, place(where_, member.name), "duplicate: there twice");
    check_format(member.bytes <= most_bytes - bytes, place(where_, member.name),
                 "zip bomb: the members unpack to more than {} bytes (LoadOptions::most_bytes allows more)",
                 most_bytes);
    bytes += member.bytes;
  }
}

Bytes ZipReader::front(const Member& member, int64_t most) const {
  const OpenMember open = open_member(archive_, member, where_);
  Bytes result = allocate(std::min(most, member.bytes));
  result.size = read_up_to(open.get(), result.data, result.size, place(where_, member.name));
  return result;
}

// The member is read to its very end, which is where libzip compares the CRC.
Bytes ZipReader::content(const Member& member, int64_t skip) const {
  const std::string here = place(where_, member.name);
  const OpenMember open = open_member(archive_, member, where_);
  const Bytes skipped = allocate(skip);
  Bytes result = allocate(member.bytes - skip);
  const int64_t got =
      read_up_to(open.get(), skipped.data, skip, here) + read_up_to(open.get(), result.data, result.size, here);
  uint8_t more;
  check_format(got == member.bytes && read_up_to(open.get(), &more, 1, here) == 0, here,
               "size: it does not unpack to the {} bytes declared", member.bytes);
  return result;
}

}  // namespace heed
