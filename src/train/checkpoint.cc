#include "train/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "train/sealed.h"

namespace heed {
namespace {

using Json = nlohmann::json;

// The groups of tensors of a state, each with the beginning of its names.
template <class State, class Each>
void each_group(State& state, const Each& each) {
  each("weights/", state.weights), each("optimizer/", state.optimizer);
  each("average/", state.average), each("best/", state.best);
}

Json progress_json(TrainingProgress progress, const Random& random) {
  Json json = {{"random", {random.seed, random.stream, random.position}}};
  progress.visit([&](const char* name, auto& value) { json[name] = value; });
  return json;
}

void read_progress(const std::string& path, const std::string& text, TrainingProgress& progress, Random& random) {
  try {
    const Json json = Json::parse(text);
    progress.visit([&](const char* name, auto& value) { json.at(name).get_to(value); });
    const Json& place = json.at("random");
    random = {place.at(0), place.at(1), place.at(2)};
  } catch (const Json::exception& error) {
    fail(ErrorKind::format, path, "does not say where the training stood: {}", error.what());
  }
}

}  // namespace

void save_training(const std::string& path, const TrainingState& state) {
  TensorFile file;
  each_group(state, [&](const std::string& prefix, const NamedTensors& group) {
    for (const auto& [name, tensor] : group) file.tensors.emplace_back(prefix + name, tensor);
  });
  file.metadata["progress"] = progress_json(state.progress, state.random).dump();
  save_sealed(path, std::move(file));
}

TrainingState load_training(const std::string& path) {
  const TensorFile file = load_sealed(path);
  TrainingState state;
  each_group(state, [&](const std::string& prefix, NamedTensors& group) {
    for (const auto& [name, tensor] : file.tensors)
      if (name.starts_with(prefix)) group.emplace_back(name.substr(prefix.size()), tensor);
  });
  const auto progress = file.metadata.find("progress");
  check_format(progress != file.metadata.end(), path, "does not say where a training stood");
  read_progress(path, progress->second, state.progress, state.random);
  return state;
}

}  // namespace heed
