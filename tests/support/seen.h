// What was seen of models that are made up, for tests of pictures.
#pragma once

#include "explain/chart.h"
#include "explain/head_map.h"
#include "explain/seen.h"

namespace heed::testing {

explain::Seen translation();      // with wide characters
explain::Seen classification();   // of a text
explain::Seen what_comes_next();  // a text that goes on, with wide characters
explain::Seen heads();            // of a translation, with weights that are not the model's, by three methods
explain::Seen signed_scores();    // of a translation, by a method that says what spoke against it
explain::Chart training();        // of two runs

}  // namespace heed::testing
