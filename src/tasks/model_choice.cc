#include "tasks/model_choice.h"

#include <algorithm>

namespace heed {

std::vector<ModelInfo> without_fields(std::vector<ModelInfo> models, const std::vector<std::string>& names) {
  for (ModelInfo& model : models)
    std::erase_if(model.fields,
                  [&](const auto& field) { return std::find(names.begin(), names.end(), field.name) != names.end(); });
  return models;
}

ModelInfo chosen_model(Fields& fields, const std::vector<ModelInfo>& models) {
  const auto named = fields.take({"model"});
  const std::string name = named.empty() ? models.front().name : named.begin()->second;
  std::vector<std::string> names;
  for (const ModelInfo& info : models) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  refuse_choice("model", name, names);
}

bool has_field(const ModelInfo& model, const std::string& name) {
  return std::any_of(model.fields.begin(), model.fields.end(), [&](const auto& field) { return field.name == name; });
}

std::map<std::string, std::string> take_fields(Fields& fields, const ModelInfo& model) {
  std::vector<std::string> names;
  for (const ModelField& field : model.fields) names.push_back(field.name);
  return fields.take(names);
}

}  // namespace heed
