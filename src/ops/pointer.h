// What a kernel takes for a tensor that may be missing.
#pragma once

#include <heed/tensor.h>

namespace heed {

template <class T>
const T* pointer(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

template <class T>
T* pointer(Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

}  // namespace heed
