// NumPy's archives: a zip of npy files.
#pragma once

#include <functional>

#include "tensor/npy.h"
#include "tensor/zip.h"

namespace heed::npz {

// Calls visit(name, header, elements) for each array in the archive's order. Where the dtype is no number the elements
// stay packed: they are empty then. Returns the names of the members that are no arrays; nothing of them is kept.
std::vector<std::string> visit_arrays(
    const Bytes& file, const std::string& where, int64_t most_bytes,
    const std::function<void(const std::string&, const npy::Header&, const Bytes&)>& visit);

TensorFile load(const Bytes& file, const std::string& where, int64_t most_bytes);

}  // namespace heed::npz
