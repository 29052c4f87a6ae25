#include "base/runtime.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>

#include "base/check.h"
#include "base/thread_share.h"
#include "hwy/targets.h"

namespace heed {
namespace {

struct InstructionSet {
  const char* name;
  int64_t targets;  // Highway's bits: the set and everything below it
};
// Best first. Each kernel is compiled for the baseline and, where HEED_PORTABLE asks for it, for what Highway adds.
constexpr InstructionSet kSets[] = {{"avx512", HWY_AVX3 | HWY_AVX2}, {"avx2", HWY_AVX2}};

int parse_threads(const char* text) {
  int count = 0;
  const char* end = text + std::string_view(text).size();
  const auto result = std::from_chars(text, end, count);
  check(result.ec == std::errc() && result.ptr == end && count >= 1 && count <= 1024, "HEED_THREADS",
        "'{}' is no number of threads, wanted 1 to 1024", text);
  return count;
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    const char* text = std::getenv("HEED_THREADS");
    return text && *text ? parse_threads(text) : std::max(1, omp_get_num_procs());
  }();
  return count;
}

thread_local int share = 1024;  // of this thread

#if HWY_ARCH_X86
bool compiled(const InstructionSet& set) { return (HWY_TARGETS & set.targets) == set.targets; }
bool supported(const InstructionSet& set) { return (hwy::SupportedTargets() & set.targets) == set.targets; }

bool force_instruction_set() {
  check((hwy::SupportedTargets() & HWY_AVX2) != 0, "heed", "this processor has no AVX2, which heed needs");
  const char* wanted = std::getenv("HEED_ISA");
  const bool choose = wanted && *wanted;
  for (const InstructionSet& set : kSets) {
    if (choose && std::string_view(wanted) != set.name) continue;
    check(supported(set) || !choose, "HEED_ISA", "this processor has no {}", set.name);
    check(compiled(set) || !choose, "HEED_ISA", "{} was left out; build with -DHEED_PORTABLE=ON", set.name);
    if (!supported(set) || !compiled(set)) continue;
    hwy::SetSupportedTargetsForTest(set.targets);
    return true;
  }
  fail(ErrorKind::usage, "HEED_ISA", "'{}' is not known, wanted avx2 or avx512", wanted);
}
#else
bool force_instruction_set() { return true; }
#endif

struct Log {
  std::mutex mutex;
  std::function<void(LogLevel, std::string_view)> receiver;
};
Log& log_state() {
  static Log state;
  return state;
}

}  // namespace

void start_runtime() {
  static const bool started = force_instruction_set() && thread_count() > 0;
  (void)started;
}

std::string version() { return HEED_VERSION; }

int threads() { return std::min(share, thread_count().load(std::memory_order_relaxed)); }

void set_threads(int count) {
  check(count >= 1 && count <= 1024, "set_threads", "{} is no number of threads, wanted 1 to 1024", count);
  thread_count() = count;
}

ThreadShare::ThreadShare(int count) : before_(share) { share = count; }
ThreadShare::~ThreadShare() { share = before_; }

std::vector<std::string> instruction_sets() {
  start_runtime();
#if HWY_ARCH_X86
  std::vector<std::string> names;
  for (const InstructionSet& set : kSets)
    if (compiled(set) && supported(set)) names.push_back(set.name);
  return names;
#else
  return {hwy::TargetName(HWY_STATIC_TARGET)};
#endif
}

std::string compiled_for() {
#if HWY_ARCH_X86
  std::string names;
  for (const InstructionSet& set : kSets)
    if (compiled(set)) names += (names.empty() ? "" : " ") + std::string(set.name);
  return names;
#else
  return hwy::TargetName(HWY_STATIC_TARGET);
#endif
}

std::string instruction_set() { return instruction_sets().front(); }

void set_log(std::function<void(LogLevel, std::string_view)> receiver) {
  std::lock_guard lock(log_state().mutex);
  log_state().receiver = std::move(receiver);
}

void log(LogLevel level, std::string_view text) {
  std::lock_guard lock(log_state().mutex);
  if (log_state().receiver) log_state().receiver(level, text);
}

}  // namespace heed
