// Files of tensors with a seal: what was changed or damaged since they were written is noticed.
#pragma once

#include <heed/io.h>

namespace heed {

// The metadata gets one more entry, a checksum of all names, dtypes, shapes, elements and other metadata.
void save_sealed(const std::string& path, TensorFile content);
// Error(data) where the seal is broken; files without one are refused where it is `wanted`.
enum class Seal { wanted, optional };
TensorFile load_sealed(const std::string& path, Seal seal = Seal::wanted);

}  // namespace heed
