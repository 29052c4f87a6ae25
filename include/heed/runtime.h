// The machine as heed uses it: threads, instruction set, memory, logging.
//
//   heed::set_threads(2);
//   heed::set_log([](heed::LogLevel, std::string_view text) { std::cerr << text << '\n'; });
//   std::cout << heed::version() << " on " << heed::instruction_set() << '\n';   // 0.1.0 on avx512
//   heed::release_memory();                                                       // gives cached blocks back
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

std::string version();

// Threads that kernels run on: HEED_THREADS, else the processor's cores.
int threads();
void set_threads(int count);

// The instruction set in use: avx2, avx512 (on x86-64). HEED_ISA forces one; one that the processor lacks is an error.
std::string instruction_set();
std::vector<std::string> instruction_sets();  // what this processor can run, best first

// Names and versions of the libraries that heed was built with.
struct LibraryVersion {
  std::string name, version;
};
std::vector<LibraryVersion> libraries();

// Memory of tensors. Blocks that are given back are kept for the next tensor of that size.
struct MemoryUse {
  int64_t in_use = 0;           // bytes in live tensors
  int64_t held = 0;             // bytes taken from the system: in use and cached
  int64_t peak = 0;             // the most that was in use since reset_memory_peak()
  int64_t system_requests = 0;  // how often the system was asked for memory
};
MemoryUse memory_use();
void reset_memory_peak();
void release_memory();  // gives all cached blocks back to the system

// Logging: silent unless a receiver is set. The receiver may be called from any thread, one call at a time.
enum class LogLevel { info, warning };
void set_log(std::function<void(LogLevel, std::string_view)> receiver);

}  // namespace heed
