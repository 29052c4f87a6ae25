#include <heed/attention.h>

namespace heed {

Attended Watcher::attend(const std::string&, const Tensor& q, const Tensor& k, const Tensor& v,
                         const AttendOptions& options) {
  return heed::attend(q, k, v, options);
}
Tensor Watcher::value(const std::string&, const Tensor& x) { return x; }

bool Watcher::wants(const std::string&) const { return false; }

Tensor Watch::shown(const Tensor& x) const { return watcher ? watcher->value(place, x) : x; }

}  // namespace heed
