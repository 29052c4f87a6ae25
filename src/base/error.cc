#include <heed/base.h>

namespace heed {

const char* name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::data: return "data";
    case ErrorKind::format: return "format";
    case ErrorKind::numeric: return "numeric";
    case ErrorKind::system: return "system";
  }
  return "unknown";
}

static std::string sentence(const std::string& where, const std::string& what, const std::string& advice) {
  std::string text = where.empty() ? what : where + ": " + what;
  return advice.empty() ? text : text + "; " + advice;
}

Error::Error(ErrorKind kind, const std::string& where, const std::string& what, const std::string& advice)
    : std::runtime_error(sentence(where, what, advice)), kind_(kind), where_(where), advice_(advice) {}

}  // namespace heed
