#include "tasks/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "models/field_values.h"
#include "tensor/file.h"
#include "train/sealed.h"

namespace heed {
namespace {

constexpr int64_t kFormat = 1;  // of heed.json

std::string holder_of(const std::string& path) {
  std::ifstream in(path);
  std::string process;
  return std::getline(in, process) && !process.empty() ? "process " + process : "another process";
}

}  // namespace

Json read_json(const std::string& path) {
  const Bytes bytes = read_file(path);
  Json content = Json::parse(bytes.data, bytes.data + bytes.size, nullptr, false);
  check_format(content.is_object(), path, "is no JSON object");
  return content;
}

void write_json(const std::string& path, const Json& content) {
  const std::string text = content.dump(2) + "\n";
  AtomicFile file(path);
  file.write(text.data(), static_cast<int64_t>(text.size()));
  file.commit();
}

void make_folder(const std::string& folder, const std::string& below) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder) / below, error);
  if (error) fail(ErrorKind::system, folder, "cannot be made: {}", error.message());
}

Json about_run(const std::string& folder, const std::string& task) {
  const RunPaths paths{folder};
  if (!std::filesystem::is_regular_file(paths.about()))
    throw Error(ErrorKind::data, folder, "is no run: it holds no heed.json", "heed train … --run DIR makes one");
  Json about = read_json(paths.about());
  const auto text = [&](const char* key) { return about.contains(key) && about[key].is_string(); };
  check_format(text("task") && about.value("format", Json()).is_number_integer(), paths.about(),
               "says neither of which task nor of which format the run is");
  const int64_t format = about["format"];
  if (format > kFormat)
    throw Error(ErrorKind::data, folder, fmt::format("was written by a newer heed, in format {}", format),
                fmt::format("this one reads format {} and older", kFormat));
  check(task.empty() || about["task"] == task, folder, "is a run of the task {}, wanted {}",
        about["task"].get<std::string>(), task);
  return about;
}

void write_about(const std::string& folder, Json content) {
  content["format"] = kFormat;
  content["heed"] = version();
  write_json(RunPaths{folder}.about(), content);
}

std::vector<Json> reports_of(const std::string& folder) {
  std::ifstream in(RunPaths{folder}.metrics());
  std::vector<Json> reports;
  for (std::string line; std::getline(in, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.value("step", Json()).is_number()) reports.push_back(std::move(json));
  }
  return reports;
}

Json best_validation(const std::string& folder) {
  Json best = Json::object();
  for (const Json& report : reports_of(folder))
    if (report.value("best", false)) best = report;
  return best;
}

void write_configuration(const std::string& folder, const std::string& name,
                         const std::map<std::string, std::string>& fields) {
  Json content = {{"model_type", name}};
  for (const auto& [field, text] : fields) content[field] = field_value(text);
  write_json(RunPaths{folder}.config(), content);
}

ModelConfiguration read_configuration(const std::string& folder) {
  const std::string path = RunPaths{folder}.config();
  const Json content = read_json(path);
  check_format(content.contains("model_type") && content["model_type"].is_string(), path, "names no model_type");
  ModelConfiguration configuration{content["model_type"], {}};
  for (const auto& [field, value] : content.items())
    if (field != "model_type") configuration.fields[field] = value_text(value);
  return configuration;
}

void save_model_weights(const std::string& folder, const NamedTensors& weights) {
  save_sealed(RunPaths{folder}.weights(), {.tensors = weights, .metadata = {{"format", "pt"}}});
}

void load_model_weights(const std::string& folder, const NamedTensors& into) {
  const std::string path = RunPaths{folder}.weights();
  copy_weights(path, load_sealed(path, Seal::optional), into);
}

RunLock::RunLock(const std::string& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check_system(descriptor_ >= 0, path, "cannot be opened");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw Error(ErrorKind::system, path, fmt::format("{} trains in this folder", holder_of(path)),
                "wait until it ends, or take another --run");
  }
  const std::string process = std::to_string(::getpid()) + "\n";
  check_system(::ftruncate(descriptor_, 0) == 0 && ::write(descriptor_, process.data(), process.size()) > 0, path,
               "cannot be written");
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace heed
