#include <heed/models.h>

namespace heed {

Pass Pass::in(const char* part) const {
  Pass within = *this;
  if (watcher) within.place += place.empty() ? part : std::string(".") + part;
  return within;
}
Pass Pass::in(const char* part, size_t number) const {
  Pass within = in(part);
  if (watcher) within.place += "." + std::to_string(number);
  return within;
}

Watch Pass::watch() const { return watcher ? Watch{watcher, place} : Watch(); }
Watch Pass::watch(const char* name) const { return watcher ? Watch{watcher, in(name).place} : Watch(); }

Tensor Pass::shown(const char* name, const Tensor& x) const { return watcher ? watch(name).shown(x) : x; }
Tensor Pass::shown_step(const char* name, const Tensor& x) const {
  return watcher ? squeeze(shown(name, unsqueeze(x, 1)), 1) : x;
}
Tensor Pass::shown_steps(const char* name, const Tensor& x) const {
  return watcher ? transpose(shown(name, transpose(x, 0, 1)), 0, 1) : x;
}

}  // namespace heed
