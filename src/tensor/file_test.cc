// Writing: whatever happens meanwhile, the file is the old one or the new one.
#include "tensor/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <heed/io.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "support/files.h"

namespace heed {
namespace {

using testing::refused;

enum class Kind { safetensors, npy, npz };
void save(Kind kind, const std::string& path, const Tensor& a, const Tensor& b) {
  const TensorFile both{.tensors = {{"a", a}, {"b", b}}, .metadata = {}};
  if (kind == Kind::safetensors) return save_safetensors(path, both);
  if (kind == Kind::npz) return save_npz(path, both);
  save_npy(path, a);
}
std::vector<Tensor> load(Kind kind, const std::string& path) {
  if (kind == Kind::npy) return {load_npy(path)};
  const TensorFile both = kind == Kind::npz ? load_npz(path) : load_safetensors(path);
  return {both["a"], both["b"]};
}

// Runs action in a child process; its exit status (128 + the signal that ended it).
template <class Action>
int in_child(const Action& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = action();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Without fill(), which may run on threads: a child that was forked has none.
void set_all(Tensor& a, Tensor& b, double value) {
  std::ranges::fill(a.span<float>(), static_cast<float>(value));
  std::ranges::fill(b.span<double>(), value);
}

// A child rewrites the file with 1, 2, 3, ... in all elements until it is killed at some moment. What is there then
// loads and is of one piece.
void kill_while_writing(Kind kind, int times) {
  const testing::Folder folder;
  const std::string path = folder / "file";
  Tensor a({20'000}), b({3, 1000}, Dtype::f64);
  set_all(a, b, 0);
  save(kind, path, a, b);
  std::mt19937 random(7);
  double newest = 0;
  for (int i = 0; i < times; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (double value = newest + 1;; value += 1) {
        set_all(a, b, value);
        save(kind, path, a, b);
      }
    }
    ::usleep(static_cast<useconds_t>(500 + random() % 20'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::vector<double> values;
    for (const Tensor& tensor : load(kind, path))
      for (double value : tensor.values()) values.push_back(value);
    ASSERT_EQ(values.size(), kind == Kind::npy ? 20'000u : 23'000u);
    for (double value : values) ASSERT_EQ(value, values[0]);
    ASSERT_GE(values[0], newest);
    newest = values[0];
  }
  EXPECT_GT(newest, 0);  // or nothing was ever written and the test has shown nothing
}
TEST(Killed, SafetensorsAreTheOldOrTheNew) { kill_while_writing(Kind::safetensors, 60); }
TEST(Killed, NpyIsTheOldOrTheNew) { kill_while_writing(Kind::npy, 30); }
TEST(Killed, NpzIsTheOldOrTheNew) { kill_while_writing(Kind::npz, 60); }

// Writes something too large over something small; what was there stays, and nothing is left beside it.
int fill_up(Kind kind, const testing::Folder& folder, const char* wanted) {
  const std::string path = folder / "file";
  const std::string before = testing::file_content(path);
  const size_t files = folder.count();
  const auto saved = refused(ErrorKind::system, {path, wanted, "old file is unchanged"},
                             [&] { save(kind, path, Tensor::zeros({50'000}), Tensor::zeros({50'000})); });
  if (!saved) std::fprintf(stderr, "%s\n", saved.message());
  const bool unchanged = testing::file_content(path) == before && !before.empty() && folder.count() == files;
  return saved && unchanged ? 0 : 1;
}

TEST(DiskFull, FilesMayNotGrowBeyondALimit) {
  for (Kind kind : {Kind::safetensors, Kind::npy, Kind::npz}) {
    const testing::Folder folder;
    save(kind, folder / "file", tensor({1, 2}), tensor({3}));
    EXPECT_EQ(in_child([&] {
                ::signal(SIGXFSZ, SIG_IGN);
                const rlimit limit{64 << 10, 64 << 10};
                ::setrlimit(RLIMIT_FSIZE, &limit);
                return fill_up(kind, folder, "File too large");
              }),
              0);
  }
}

// A file system of 64 KB in the child's own mount name space; only root can make one.
TEST(DiskFull, NoSpaceOnTheDevice) {
  constexpr int kCannotMount = 42;
  for (Kind kind : {Kind::safetensors, Kind::npy, Kind::npz}) {
    const testing::Folder folder;
    const int status = in_child([&] {
      if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
        return kCannotMount;
      save(kind, folder / "file", tensor({1, 2}), tensor({3}));
      return fill_up(kind, folder, "No space left on device");
    });
    if (status == kCannotMount) GTEST_SKIP() << "a small file system can only be mounted by root";
    EXPECT_EQ(status, 0);
  }
}

TEST(AtomicFile, WithoutCommitNothingHappens) {
  const testing::Folder folder;
  testing::write_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new", 3);
    EXPECT_EQ(folder.count(), 2u);
  }
  EXPECT_EQ(testing::file_content(folder / "a"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, KeepsWhoMayReadAndFollowsLinks) {
  const testing::Folder folder;
  testing::write_file(folder / "a", "old");
  ::chmod((folder / "a").c_str(), 0640);
  std::filesystem::create_symlink("a", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new", 3);
  file.commit();
  EXPECT_EQ(testing::file_content(folder / "a"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  struct stat about = {};
  ::stat((folder / "a").c_str(), &about);
  EXPECT_EQ(about.st_mode & 0777, 0640u);
}

TEST(AtomicFile, PlacesThatCannotBeWritten) {
  const testing::Folder folder;
  EXPECT_TRUE(refused(ErrorKind::system, {folder / "no/file"}, [&] { save_npy(folder / "no/file", scalar(1)); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"not a regular file"}, [&] { save_npy(folder.path(), scalar(1)); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"not a regular file"}, [&] { save_npy("/dev/full", scalar(1)); }));
}

TEST(Reading, OnlyRegularFiles) {
  const testing::Folder folder;
  ::mkfifo((folder / "pipe").c_str(), 0600);
  for (const std::string& path : {folder / "pipe", folder.path().string(), std::string("/dev/zero")})
    EXPECT_TRUE(refused(ErrorKind::system, {path, "not a regular file"}, [&] { load_npy(path); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"no/file", "No such file"}, [&] { load_npy(folder / "no/file"); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"cannot be opened"}, [&] { load_npy(std::string(5000, 'x')); }));
}

}  // namespace
}  // namespace heed
