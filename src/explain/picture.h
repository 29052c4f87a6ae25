// Where queries look, drawn with characters: a row a query, two columns a key.
#pragma once

#include <heed/tensor.h>

#include <string>
#include <vector>

namespace heed::explain {

enum class Ink { blocks, ascii };

// Weights (T,S): each as its size beside the largest of its row. A key that nobody looks at is a dot.
std::vector<std::string> picture(const Tensor& weights, Ink ink);
// The four shades and the dot, lightest first: what a legend names.
std::vector<std::string> shades(Ink ink);

}  // namespace heed::explain
