// The promise for small files: one under 1 KB is accepted or refused within 100 ms and 256 MB, whatever is in it.
#pragma once

#include <gtest/gtest.h>
#include <heed/base.h>
#include <sys/resource.h>

#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "support/files.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEED_TESTS_ARE_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HEED_TESTS_ARE_SLOW 1
#endif
#endif

namespace heed::testing {

// Checks, at the end of its scope, what the scope took: processor time of all threads (not the clock, which runs on
// while others compute; no bound under a sanitizer), the arena's peak, and the peak of what is resident.
class SmallFileLimits {
 public:
  explicit SmallFileLimits(const std::string& file) : small_(file.size() < 1024) {
    reset_memory_peak();
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak of what is resident begins anew
    tensors_ = memory_use().in_use, resident_ = peak_resident(), begin_ = std::clock();
  }
  ~SmallFileLimits() {
    if (!small_) return;
    EXPECT_EQ(exceeded(), "");
  }
  // What took too much so far.
  std::string exceeded() const {
    std::string what;
#ifndef HEED_TESTS_ARE_SLOW
    if (std::clock() - begin_ > CLOCKS_PER_SEC / 10) what += "time ";
#endif
    if (memory_use().peak - tensors_ > kMemory) what += "tensors ";
    if (peak_resident() - resident_ > kMemory) what += "memory ";
    return what;
  }
  SmallFileLimits(const SmallFileLimits&) = delete;
  SmallFileLimits& operator=(const SmallFileLimits&) = delete;

 private:
  static constexpr int64_t kMemory = int64_t{256} << 20;
  static int64_t peak_resident() {
    struct rusage use = {};
    ::getrusage(RUSAGE_SELF, &use);
    return int64_t{use.ru_maxrss} << 10;
  }
  bool small_;
  int64_t tensors_ = 0, resident_ = 0;
  std::clock_t begin_ = 0;
};

// Texts with one to four small faults, the same ones each time: bytes changed, lost, repeated or moved, the end cut
// off, numbers of one to eight bytes or in digits that are as large or as small as they get.
class Faults {
 public:
  std::string operator()(std::string text) {
    for (size_t i = 0, count = 1 + below(4); i < count; ++i) add_one(text);
    return text.substr(0, 1023);
  }

 private:
  size_t below(size_t n) { return n == 0 ? 0 : generator_() % n; }

  void add_one(std::string& text) {
    static const std::string kTexts[] = {"9223372036854775807",
                                         "-1",
                                         "18446744073709551616",
                                         "1e999",
                                         "[[[[[[[[",
                                         "0",
                                         "{\"",
                                         "'",
                                         "\\u0000",
                                         "\xff",
                                         ",",
                                         ")"};
    const size_t at = below(text.size()), length = std::min(below(12), text.size() - at);
    switch (below(8)) {
      case 0: text.replace(at, std::min<size_t>(1, text.size() - at), 1, static_cast<char>(below(256))); break;
      case 1: text.erase(at, length); break;
      case 2: text.insert(at, text.substr(at, length)); break;
      case 3: text.resize(at); break;
      case 4: text.insert(below(text.size()), text.substr(below(text.size()), below(200))); break;
      case 5: put_number(text, at); break;
      case 6: text.insert(at, kTexts[below(std::size(kTexts))]); break;
      case 7: replace_digits(text, kTexts[below(6)]); break;
    }
  }
  void put_number(std::string& text, size_t at) {
    constexpr uint64_t kNumbers[] = {0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX};
    const uint64_t number = kNumbers[below(std::size(kNumbers))];
    const size_t bytes = std::min(size_t{1} << below(4), text.size() - at);
    for (size_t i = 0; i < bytes; ++i) text[at + i] = static_cast<char>(number >> 8 * i);
  }
  void replace_digits(std::string& text, const std::string& by) {
    constexpr const char* kDigits = "0123456789";
    const size_t begin = text.find_first_of(kDigits, below(text.size()));
    if (begin != std::string::npos) text.replace(begin, text.find_first_not_of(kDigits, begin) - begin, by);
  }

  std::mt19937 generator_{1};
};

// Reads `count` files made by make(faults); an Error refuses one, anything else fails. Where none or almost all are
// accepted, the faults are too coarse or too small to test anything.
template <class Make, class Read>
void expect_small_files_within_limits(int count, const Make& make, const Read& read) {
  const Folder folder;
  Faults faults;
  int accepted = 0;
  for (int i = 0; i < count; ++i) {
    const std::string file = make(faults);
    write_file(folder / "file", file);
    SCOPED_TRACE("file number " + std::to_string(i));
    const SmallFileLimits watch(file);
    try {
      read(folder / "file");
      ++accepted;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, count * 9 / 10);
}

}  // namespace heed::testing
