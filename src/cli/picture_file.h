// A picture into a file: SVG or PNG, as its name says.
#pragma once

#include <string>

#include "explain/graphic.h"

namespace heed::cli {

// Error(usage) for a name that ends in neither.
void write_picture(const explain::Graphic& graphic, const std::string& path);

}  // namespace heed::cli
