// Errors: what heed throws. The library never prints, exits or aborts; everything that goes wrong is a heed::Error.
//
//   try {
//     heed::Tensor c = heed::matmul(heed::ones({2, 3}), heed::ones({4, 5}));
//   } catch (const heed::Error& error) {
//     // error.kind() == heed::ErrorKind::usage; error.what() is one clear sentence
//   }
#pragma once

#include <stdexcept>
#include <string>

namespace heed {

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

}  // namespace heed
