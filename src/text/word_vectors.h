// Word vectors of a file's content.
#pragma once

#include <heed/text.h>

namespace heed::tokenize {

WordVectors word_vectors_of(std::string_view content, const std::string& where, const WordVectorOptions& options = {});

}  // namespace heed::tokenize
