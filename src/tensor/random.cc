#include <heed/tensor.h>

namespace heed {

Random& random() {
  thread_local Random state;
  return state;
}

void seed(uint64_t value) { random() = {.seed = value}; }

}  // namespace heed
