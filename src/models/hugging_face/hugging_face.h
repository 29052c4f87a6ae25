// Models as Hugging Face's transformers writes them: the entries of config.json and the tensors of model.safetensors.
#pragma once

#include <heed/models.h>

#include <nlohmann/json.hpp>

namespace heed::hugging_face {

struct Checkpoint {
  nlohmann::json config;
  TensorFile weights;
};

// `before`: the config.json that the model was once read from, or null. What it says of other matters, and what it says
// in its own way, stays. Error(usage) naming each field that the layout has no room for.
Checkpoint written(SequenceModel& model, const nlohmann::json& before = {});

// Error naming the entry or the tensor that is missing or that heed has no counterpart for; `where` names the
// checkpoint.
std::unique_ptr<SequenceModel> read(const std::string& where, const Checkpoint& checkpoint);

}  // namespace heed::hugging_face
