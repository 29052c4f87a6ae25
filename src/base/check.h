// Checks of what comes from outside, and arithmetic on sizes that cannot overflow.
#pragma once

#include <fmt/format.h>
#include <heed/base.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace heed {

template <class... Args>
[[noreturn, gnu::noinline, gnu::cold]] void fail(ErrorKind kind, std::string_view where,
                                                 fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, std::string(where), fmt::format(format, std::forward<Args>(args)...));
}

// The caller's mistake: check(k.rank() == 4, "attend", "k has rank {}, wanted 4", k.rank()).
template <class... Args>
inline void check(bool ok, std::string_view where, fmt::format_string<Args...> format, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(ErrorKind::usage, where, format, std::forward<Args>(args)...);
}

// A file or message that breaks the rules of its format.
template <class... Args>
inline void check_format(bool ok, std::string_view where, fmt::format_string<Args...> format, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(ErrorKind::format, where, format, std::forward<Args>(args)...);
}

// A system call that failed: the text of errno is appended.
template <class... Args>
inline void check_system(bool ok, std::string_view where, fmt::format_string<Args...> format, Args&&... args) {
  if (ok) [[likely]]
    return;
  const int number = errno;
  const std::string what = fmt::format(format, std::forward<Args>(args)...);
  fail(ErrorKind::system, where, "{}: {}", what, std::generic_category().message(number));
}

inline bool multiply_overflows(int64_t a, int64_t b, int64_t* product) { return __builtin_mul_overflow(a, b, product); }
inline bool add_overflows(int64_t a, int64_t b, int64_t* sum) { return __builtin_add_overflow(a, b, sum); }

inline int64_t checked_multiply(int64_t a, int64_t b, std::string_view where) {
  int64_t product;
  check(!multiply_overflows(a, b, &product), where, "{} x {} does not fit into 64 bits", a, b);
  return product;
}
inline int64_t checked_add(int64_t a, int64_t b, std::string_view where) {
  int64_t sum;
  check(!add_overflows(a, b, &sum), where, "{} + {} does not fit into 64 bits", a, b);
  return sum;
}

}  // namespace heed
