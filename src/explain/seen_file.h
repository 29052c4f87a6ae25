// What was seen as two files, which any program can write: weights in safetensors, words in JSON. docs/view.md says
// what stands where.
#pragma once

#include <heed/io.h>

#include <string>
#include <string_view>

#include "explain/seen.h"

namespace heed::explain {

// Error naming the file, the tensor and what is wrong with it; what is returned is whole (check_whole).
Seen read_seen(const std::string& weights_path, const std::string& tokens_path);

// The same of what the files hold. `where` names the tokens' file in errors.
Seen seen_of(const TensorFile& weights, std::string_view tokens_json, const std::string& where);

}  // namespace heed::explain
