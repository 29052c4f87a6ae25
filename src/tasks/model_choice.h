// Which of its models a task is to train, and with which options.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tasks/fields.h"

namespace heed {

// Without the fields of these names: those that a task's data decides.
std::vector<ModelInfo> without_fields(std::vector<ModelInfo> models, const std::vector<std::string>& names);

// The model that was named, or else the first. Error where it is not among these.
ModelInfo chosen_model(Fields& fields, const std::vector<ModelInfo>& models);
bool has_field(const ModelInfo& model, const std::string& name);
// Its fields, of those that were given.
std::map<std::string, std::string> take_fields(Fields& fields, const ModelInfo& model);

}  // namespace heed
