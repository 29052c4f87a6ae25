// Where queries look, drawn with characters: a row a query, two columns a key.
#pragma once

#include <heed/tensor.h>

#include <string>
#include <vector>

namespace heed::explain {

// What a terminal or a file can show: characters, or so many colours.
enum class Ink { blocks, ascii, sixteen_colours, colours_256, true_colour };

// Weights (T,S): each as its size beside the largest of its row; < is below 0. A key that nobody looks at is a dot.
std::vector<std::string> picture(const Tensor& weights, Ink ink);
// The four shades and the dot, lightest first: what a legend names.
std::vector<std::string> shades(Ink ink);

// `share` of the largest, from −1 to 1, as the colour behind a text; characters alone leave the text as it is. The
// colours are viridis': light and dark say the same as their hues, in print and to eyes that see few. Below 0 they go
// from the same dark by red to the same light.
std::string painted(const std::string& text, double share, Ink ink);
bool has_colours(Ink ink);

// Words one after the other, each with its size beside the largest of all: painted, or shaded in a line below, which
// begins with < where it is below 0.
std::vector<std::string> marked(const std::vector<std::string>& words, const std::vector<float>& sizes, Ink ink,
                                int most = 80);

}  // namespace heed::explain
