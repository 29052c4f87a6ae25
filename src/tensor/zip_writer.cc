#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "tensor/zip.h"

namespace heed {
namespace {

// What libzip writes to: our file instead of its own, so that it is as durable as all others.
struct Target {
  AtomicFile& file;
  int64_t at = 0, end = 0;
  std::optional<Error> error = std::nullopt;  // libzip is C: nothing may be thrown through it
  zip_error_t status = {};
};

zip_int64_t refuse(Target& target, int code) {
  zip_error_set(&target.status, code, EIO);
  return -1;
}

zip_int64_t write_part(Target& target, const void* data, zip_uint64_t bytes) {
  try {
    target.file.write_at(target.at, data, static_cast<int64_t>(bytes));
  } catch (const Error& error) {
    target.error = error;
    return refuse(target, ZIP_ER_WRITE);
  }
  target.at += static_cast<int64_t>(bytes);
  target.end = std::max(target.end, target.at);
  return static_cast<zip_int64_t>(bytes);
}

zip_int64_t seek(Target& target, void* data, zip_uint64_t bytes) {
  const zip_int64_t to = zip_source_seek_compute_offset(
      static_cast<zip_uint64_t>(target.at), static_cast<zip_uint64_t>(target.end), data, bytes, &target.status);
  if (to >= 0) target.at = to;
  return to < 0 ? -1 : 0;
}

zip_int64_t answer(void* state, void* data, zip_uint64_t bytes, zip_source_cmd_t command) {
  Target& target = *static_cast<Target*>(state);
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(
          ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
          ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
          ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_REMOVE, -1);
    case ZIP_SOURCE_WRITE: return write_part(target, data, bytes);
    case ZIP_SOURCE_SEEK_WRITE: return seek(target, data, bytes);
    case ZIP_SOURCE_TELL_WRITE: return target.at;
    case ZIP_SOURCE_STAT:
      zip_stat_init(static_cast<zip_stat_t*>(data));
      static_cast<zip_stat_t*>(data)->size = 0;
      static_cast<zip_stat_t*>(data)->valid = ZIP_STAT_SIZE;
      return sizeof(zip_stat_t);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&target.status, data, bytes);
    default:  // the archive before is empty; begin, commit and roll back are AtomicFile's
      return 0;
  }
}

void add(zip_t* archive, const ZipMember& member, bool compress, const std::string& where) {
  zip_buffer_fragment_t parts[2] = {
      {reinterpret_cast<zip_uint8_t*>(const_cast<char*>(member.front.data())), member.front.size()},
      {static_cast<zip_uint8_t*>(const_cast<void*>(member.data)), static_cast<zip_uint64_t>(member.bytes)}};
  zip_source_t* source = zip_source_buffer_fragment(archive, parts, member.bytes > 0 ? 2 : 1, 0);
  check(source != nullptr, where, "{}", zip_strerror(archive));
  const zip_int64_t index = zip_file_add(archive, member.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) zip_source_free(source);
  check(index >= 0, where, "member '{}': {}", member.name, zip_strerror(archive));
  const auto at = static_cast<zip_uint64_t>(index);
  zip_set_file_compression(archive, at, compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  zip_file_set_dostime(archive, at, 0, 1 << 5 | 1, 0);  // 1 January 1980: the same content gives the same bytes
}

}  // namespace

void write_zip(AtomicFile& file, const std::string& where, const std::vector<ZipMember>& members, bool compress) {
  if (members.empty()) {  // libzip would remove the file
    const char end[22] = {'P', 'K', 5, 6};
    return file.write(end, sizeof(end));
  }
  Target target{.file = file};
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_function_create(answer, &target, &error);
  zip_t* archive = source ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) : nullptr;
  if (!archive) {
    const std::string text = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    fail(ErrorKind::system, where, "{}", text);
  }
  try {
    for (const ZipMember& member : members) add(archive, member, compress, where);
    if (zip_close(archive) == 0) return;
    if (target.error) throw Error(*target.error);
    fail(ErrorKind::system, where, "cannot be written: {}", zip_strerror(archive));
  } catch (...) {
    zip_discard(archive);
    throw;
  }
}

}  // namespace heed
