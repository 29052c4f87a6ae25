// Where the words of a result looked: the picture of the weights with the words beside it.
#pragma once

#include <heed/tensor.h>

#include <string>
#include <vector>

#include "explain/picture.h"

namespace heed::explain {

// Weights (T,S) of `words` at `source`. The source's words stand upright above their columns; what does not fit into
// `most` columns of the terminal follows below.
std::vector<std::string> alignment(const Tensor& weights, const std::vector<std::string>& words,
                                   const std::vector<std::string>& source, Ink ink, int most = 80);

}  // namespace heed::explain
