// Options as they were given, by name; each configuration takes those that it has, and nobody may be left.
#pragma once

#include <map>
#include <set>
#include <string>

#include "models/configuration.h"

namespace heed {

class Fields {
 public:
  explicit Fields(std::map<std::string, std::string> given = {}) : given_(std::move(given)) {}

  // The fields that a configuration has; of others nothing is said.
  template <class Config>
  Config take() {
    Config config;
    take_into(config);
    return config;
  }
  template <class Config>
  void take_into(Config& config) {
    config.visit([&](const char* name, auto& value, const char*) {
      taken_.insert(name);
      if (const auto at = given_.find(name); at != given_.end()) read_field(name, at->second, value);
    });
  }
  // Those of these names, as text.
  std::map<std::string, std::string> take(const std::vector<std::string>& names);

  bool is(const std::string& name, const std::string& text) const { return given(name) && given_.at(name) == text; }
  bool given(const std::string& name) const { return given_.contains(name); }
  const std::map<std::string, std::string>& all() const { return given_; }
  // Where the option was not given: a default that depends on the data.
  void suggest(const std::string& name, const std::string& text) { given_.emplace(name, text); }
  void check_all_taken(const std::string& who) const;  // Error naming what nobody took

 private:
  std::map<std::string, std::string> given_;
  std::set<std::string> taken_;
};

}  // namespace heed
