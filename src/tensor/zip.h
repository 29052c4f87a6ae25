// Zip archives through libzip, with everything checked before anything is unpacked.
#pragma once

#include <heed/io.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/file.h"

struct zip;

namespace heed {

class ZipReader {
 public:
  struct Member {
    std::string name;
    int64_t bytes;  // unpacked
    uint64_t index;
  };

  // Error(format) where the archive's list breaks a rule: a member that is encrypted, packed in a way that NumPy does
  // not know, there twice, or larger than its method can pack; members that take more bytes than the archive has, or
  // more than `most_bytes` unpacked.
  ZipReader(Bytes file, std::string where, int64_t most_bytes);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  const std::vector<Member>& members() const { return members_; }
  // At most `most` bytes from the front.
  Bytes front(const Member& member, int64_t most) const;
  // All bytes from `skip` on; Error(format) where they are fewer or more than declared, or their CRC is wrong.
  Bytes content(const Member& member, int64_t skip) const;

 private:
  void check_members(int64_t most_bytes);
  void add_member(uint64_t index, int64_t* packed_bytes);

  std::string where_;
  Bytes file_;
  ::zip* archive_ = nullptr;
  std::vector<Member> members_;
};

bool is_zip(std::span<const uint8_t> file);

// One member to write: a front and elements, which must outlive the writing.
struct ZipMember {
  std::string name, front;
  const void* data;
  int64_t bytes;
};
void write_zip(AtomicFile& file, const std::string& where, const std::vector<ZipMember>& members, bool compress);

}  // namespace heed
