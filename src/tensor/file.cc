#include "tensor/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/check.h"
#include "tensor/arena.h"

namespace heed {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  int number_;
};

// Opens a regular file; a pipe would block and a folder has no content (O_NONBLOCK lets us look before that).
int open_regular(const std::string& path, int64_t* size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check_system(descriptor >= 0, path, "cannot be opened");
  struct stat about = {};
  const bool known = ::fstat(descriptor, &about) == 0;
  if (!known || !S_ISREG(about.st_mode)) {
    ::close(descriptor);
    fail(ErrorKind::system, path, "is not a regular file");
  }
  *size = about.st_size;
  return descriptor;
}

void read_all(int descriptor, uint8_t* data, int64_t size, const std::string& path) {
  for (int64_t done = 0; done < size;) {
    const ssize_t got = ::read(descriptor, data + done, static_cast<size_t>(size - done));
    if (got < 0 && errno == EINTR) continue;
    check_system(got >= 0, path, "cannot be read");
    if (got == 0) fail(ErrorKind::system, path, "became shorter while it was read");
    done += got;
  }
}

}  // namespace

Bytes map_file(const std::string& path) {
  int64_t size = 0;
  const Descriptor descriptor(open_regular(path, &size));
  if (size == 0) return {};
  const size_t length = static_cast<size_t>(size);
  void* data =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, static_cast<int>(descriptor), 0);
  check_system(data != MAP_FAILED, path, "cannot be mapped into memory");
  return {static_cast<uint8_t*>(data), size, std::shared_ptr<void>(data, [length](void* at) { ::munmap(at, length); })};
}

Bytes read_file(const std::string& path) {
  int64_t size = 0;
  const Descriptor descriptor(open_regular(path, &size));
  if (size == 0) return {};
  const std::shared_ptr<void> block(arena::allocate(size), arena::give_back);
  read_all(descriptor, static_cast<uint8_t*>(block.get()), size, path);
  return {static_cast<uint8_t*>(block.get()), size, block};
}

namespace {

// Where a link leads: the file behind it is replaced, not the link.
std::string behind_links(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  return error ? path : target.string();
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Opens a file that did not exist before: ".NAME.PID-COUNT.part" beside `path`, short enough for any file system.
int create_beside(const std::string& path, mode_t mode, std::string* beside) {
  static std::atomic<unsigned> count{0};
  const std::string name = std::filesystem::path(path).filename().string().substr(0, 100);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    *beside = fmt::format("{}/.{}.{}-{}.part", folder_of(path), name, ::getpid(), ++count);
    const int descriptor = ::open(beside->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(behind_links(path)) {
  struct stat old = {};
  const bool exists = ::stat(path_.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) fail(ErrorKind::system, path_, "is not a regular file and is not replaced");
  descriptor_ = create_beside(path_, 0666, &beside_);
  check_system(descriptor_ >= 0, path_, "no new file can be made beside it");
  if (exists) [[maybe_unused]]
    const int kept = ::fchmod(descriptor_, old.st_mode & 07777);  // as open to others as before, if that is allowed
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(beside_.c_str());
}

void AtomicFile::write(const void* data, int64_t bytes) {
  write_at(end_, data, bytes);
  end_ += bytes;
}

void AtomicFile::write_at(int64_t offset, const void* data, int64_t bytes) {
  constexpr int64_t kMost = int64_t{1} << 30;  // one call writes less than 2^31 bytes
  for (int64_t done = 0; done < bytes;) {
    const size_t wanted = static_cast<size_t>(std::min(bytes - done, kMost));
    const ssize_t got = ::pwrite(descriptor_, static_cast<const char*>(data) + done, wanted, offset + done);
    if (got < 0 && errno == EINTR) continue;
    check_system(got >= 0, path_, "cannot be written, the old file is unchanged");
    done += got;
  }
}

// The content must be on the disk before the name points to it, and the name before the caller goes on.
void AtomicFile::commit() {
  check_system(::fsync(descriptor_) == 0, path_, "cannot be written, the old file is unchanged");
  check_system(::rename(beside_.c_str(), path_.c_str()) == 0, path_, "cannot be replaced, the old file is unchanged");
  ::close(std::exchange(descriptor_, -1));
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot flush a folder (EINVAL); there the rename is as durable as it gets.
  const bool flushed = folder >= 0 && (::fsync(folder) == 0 || errno == EINVAL);
  check_system(flushed || folder < 0, path_, "was written, but its folder cannot be flushed");
}

}  // namespace heed
