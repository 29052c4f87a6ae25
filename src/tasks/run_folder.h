// A run: a folder with all that a model is, how it was trained, and where the training stands.
//
//   config.json            the model's name and configuration
//   model.safetensors      its best weights, sealed
//   *.json, *.model        tokenisers
//   heed.json              task, options, data, results
//   metrics.jsonl          a line a step report and a validation
//   events.out.tfevents…    the same for TensorBoard
//   state/last.safetensors where the training stands
//   state/lock             held by the one who writes
#pragma once

#include <heed/train.h>

#include <nlohmann/json.hpp>

#include "models/configuration.h"

namespace heed {

constexpr std::array<std::pair<const char*, Method>, 6> names_of(Method) {
  return {{{"adam", Method::adam},
           {"adamw", Method::adamw},
           {"sgd", Method::sgd},
           {"nesterov", Method::nesterov},
           {"rmsprop", Method::rmsprop},
           {"adagrad", Method::adagrad}}};
}
constexpr std::array<std::pair<const char*, Schedule>, 5> names_of(Schedule) {
  return {{{"constant", Schedule::constant},
           {"linear", Schedule::linear},
           {"cosine", Schedule::cosine},
           {"noam", Schedule::noam},
           {"plateau", Schedule::plateau}}};
}

using Json = nlohmann::json;

// Of heed.json, what a run keeps of the checkpoint that it was read from.
constexpr const char* kEnds = "ends";            // the tokens around a text
constexpr const char* kOrigin = "hugging_face";  // its config.json

// Error(system) for what cannot be read; Error(format) naming the file for what is no JSON object.
Json read_json(const std::string& path);
void write_json(const std::string& path, const Json& content);  // whole or not at all

struct RunPaths {
  std::string folder;
  std::string config() const { return folder + "/config.json"; }
  std::string weights() const { return folder + "/model.safetensors"; }
  std::string about() const { return folder + "/heed.json"; }
  std::string metrics() const { return folder + "/metrics.jsonl"; }
  std::string state() const { return folder + "/state/last.safetensors"; }
  std::string lock() const { return folder + "/state/lock"; }
};

// With all folders above it, and one below it; Error(system) naming the folder.
void make_folder(const std::string& folder, const std::string& below = "");

// heed.json of a finished or begun run. Error for a folder that is none, one of another task (empty: any), and one that
// a newer heed wrote.
Json about_run(const std::string& folder, const std::string& task = "");
void write_about(const std::string& folder, Json content);  // and which format it is, and which heed wrote it

// The lines of metrics.jsonl, each with its step; what a kill left unfinished is passed over.
std::vector<Json> reports_of(const std::string& folder);
// Of these the one of the best validation; an empty object where there was none.
Json best_validation(const std::string& folder);

// config.json: {"model_type": name, field: value, …}
struct ModelConfiguration {
  std::string name;
  std::map<std::string, std::string> fields;
};
void write_configuration(const std::string& folder, const std::string& name,
                         const std::map<std::string, std::string>& fields);
ModelConfiguration read_configuration(const std::string& folder);
// model.safetensors, sealed; every name and shape must fit.
void save_model_weights(const std::string& folder, const NamedTensors& weights);
void load_model_weights(const std::string& folder, const NamedTensors& into);

// The only one who writes into a run; Error(system) naming the process that does.
class RunLock {
 public:
  explicit RunLock(const std::string& path);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace heed
