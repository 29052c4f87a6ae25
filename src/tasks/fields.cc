#include "tasks/fields.h"

#include <fmt/ranges.h>

namespace heed {

std::map<std::string, std::string> Fields::take(const std::vector<std::string>& names) {
  std::map<std::string, std::string> found;
  for (const std::string& name : names) {
    taken_.insert(name);
    if (const auto at = given_.find(name); at != given_.end()) found.insert(*at);
  }
  return found;
}

void Fields::check_all_taken(const std::string& who) const {
  for (const auto& [name, text] : given_)
    check(taken_.contains(name), who, "it has no option {}; it has {}", name, fmt::join(taken_, ", "));
}

}  // namespace heed
