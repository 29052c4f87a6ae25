#include "serve/shelf.h"

#include <ctime>
#include <filesystem>

#include "base/check.h"
#include "serve/refusal.h"
#include "tasks/run_folder.h"

namespace heed::serve {

Shelf::Shelf(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const auto path = std::filesystem::absolute(folder).lexically_normal();
    const std::string id = (path.has_filename() ? path : path.parent_path()).filename().string();
    check(!models_.contains(id), "serve", "two runs are named {}: rename one of their folders", id);
    ids_.push_back(id);
    models_[id] = {id, path.string(), "", "", 0, nullptr};
  }
}

void Shelf::load(const std::string& id) {
  Model model = find(id);
  const Json about = about_run(model.folder);
  model.run = load_answering_run(model.folder);
  model.task = about["task"], model.architecture = about.value("model", ""), model.loaded = std::time(nullptr);
  const std::lock_guard lock(mutex_);
  models_[id] = std::move(model);
}

void Shelf::load_all() {
  for (const std::string& id : ids_) load(id);
}

bool Shelf::loaded() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, model] : models_)
    if (!model.run) return false;
  return true;
}

std::vector<Model> Shelf::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Model> all;
  for (const std::string& id : ids_) all.push_back(models_.at(id));
  return all;
}

Model Shelf::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = models_.find(id.empty() ? ids_.at(0) : id);
  if (at == models_.end()) throw Refusal(404, fmt::format("no model of that name; GET /v1/models names them all"));
  return at->second;
}

}  // namespace heed::serve
