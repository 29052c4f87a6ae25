// A run as Hugging Face's transformers reads it, and a checkpoint of theirs as a run.
#pragma once

#include <string>

namespace heed {

// config.json, model.safetensors and the tokenisers of a run, into a folder that is none. Error naming what the layout
// has no room for.
void export_run(const std::string& run, const std::string& folder);
// The other way round: what predict, eval, info and compare take. Error naming what heed has no counterpart for.
void import_run(const std::string& folder, const std::string& run);

bool is_run(const std::string& folder);

}  // namespace heed
