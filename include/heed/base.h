// What every floor stands on: errors, the machine as heed uses it, and structs that name their fields once.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace heed {

// ---- errors --------------------------------------------------------------------------------------------
//
// Errors: what heed throws. The library never prints, exits or aborts; everything that goes wrong is a heed::Error.
//
//   try {
//     heed::Tensor c = heed::matmul(heed::ones({2, 3}), heed::ones({4, 5}));
//   } catch (const heed::Error& error) {
//     // error.kind() == heed::ErrorKind::usage; error.what() is one clear sentence
//   }

enum class ErrorKind {
  usage,    // the caller's mistake: shapes, options, order of calls
  data,     // content that cannot be used
  format,   // a file or message that breaks its format's rules
  numeric,  // NaN or infinity where none may be
  system,   // memory, disk, permissions
};

const char* name(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  // where: the op, file or tensor; what: what was got and what was wanted; advice: what to do, if there is something.
  Error(ErrorKind kind, const std::string& where, const std::string& what, const std::string& advice = "");

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& advice() const { return advice_; }

 private:
  ErrorKind kind_;
  std::string where_, advice_;
};

// ---- the machine ---------------------------------------------------------------------------------------
//
// The machine as heed uses it: threads, instruction set, memory, logging.
//
//   heed::set_threads(2);
//   heed::set_log([](heed::LogLevel, std::string_view text) { std::cerr << text << '\n'; });
//   std::cout << heed::version() << " on " << heed::instruction_set() << '\n';   // 0.1.0 on avx512
//   heed::release_memory();                                                       // gives cached blocks back

std::string version();

// Threads that kernels run on: HEED_THREADS, else the processor's cores.
int threads();
void set_threads(int count);

// The instruction set in use: avx2, avx512 (on x86-64). HEED_ISA forces one; one that the processor lacks, or that was
// not compiled, is an error.
std::string instruction_set();
std::vector<std::string> instruction_sets();  // what can run here, best first

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

// ---- fields --------------------------------------------------------------------------------------------
//
// A struct names its fields once, and everything else follows: parameters, saving, loading, printing, flags.
//
//   struct Linear {
//     heed::Tensor weight, bias;
//     void visit(auto&& field) { field("weight", weight); field("bias", bias); }
//   };

struct AnyField {
  template <class... Args>
  void operator()(Args&&...) const {}
};

template <class T>
concept Visitable = requires(T& object, AnyField any) {
  object.visit(any);
};

// Calls leaf(path, value) for each field that is no visitable struct itself, with the path of names that leads to it:
// "encoder.0.attention.query.weight". Vectors count their elements.
template <class T, class Leaf>
void visit_leaves(T& object, const std::string& path, Leaf&& leaf) {
  const auto join = [&](const std::string& name) {
    std::string joined = path;
    if (!joined.empty()) joined += '.';
    return joined += name;
  };
  if constexpr (Visitable<T>) {
    object.visit([&](const char* name, auto& value, auto&&...) { visit_leaves(value, join(name), leaf); });
  } else if constexpr (requires {
                         typename T::value_type;
                         object.at(0);
                       } &&
                       !std::is_same_v<T, std::string>) {
    for (size_t i = 0; i < object.size(); ++i) visit_leaves(object[i], join(std::to_string(i)), leaf);
  } else {
    leaf(path, object);
  }
}

}  // namespace heed
