// What was seen, as one graphic: matrices or marked words by each method with its figures, what else might have been
// said, and what none of it proves.
#pragma once

#include "explain/graphic.h"
#include "explain/seen.h"

namespace heed::explain {

Graphic graphic_of(const Seen& seen);

}  // namespace heed::explain
