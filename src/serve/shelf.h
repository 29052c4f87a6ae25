// The models that are served, by name. Whoever holds one keeps it, also when another takes its place.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tasks/answers.h"

namespace heed::serve {

struct Model {
  std::string id, folder, task, architecture;
  int64_t loaded = 0;  // seconds since 1970
  std::shared_ptr<const AnsweringRun> run;
};

class Shelf {
 public:
  // Named by the last part of their folders; Error(usage) where two have the same name.
  explicit Shelf(const std::vector<std::string>& folders);

  void load(const std::string& id);  // from its folder; where that fails the one before stays
  void load_all();
  bool loaded() const;                      // all are
  std::vector<Model> all() const;           // in the order of their folders
  Model find(const std::string& id) const;  // empty: the first. Refusal(404) where there is none
  std::vector<std::string> ids() const { return ids_; }

 private:
  std::vector<std::string> ids_;
  mutable std::mutex mutex_;
  std::map<std::string, Model> models_;
};

}  // namespace heed::serve
