// heed info RUN: what a run is, and how it was trained.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>

#include "cli/train_progress.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/run_folder.h"

namespace heed::cli {
namespace {

struct Curve {
  std::vector<double> validation;
  Json last = Json::object(), best = Json::object();
};

Curve read_curve(const std::string& folder) {
  Curve curve;
  for (const Json& json : reports_of(folder)) {
    if (json.contains("validation_loss") && json["validation_loss"].is_number()) {
      curve.validation.push_back(json["validation_loss"]);
      if (json.value("best", false)) curve.best = json;
    } else {
      curve.last = json;
    }
  }
  return curve;
}

// A bar each, from the least to the most, on a logarithmic scale.
std::string sparkline(const std::vector<double>& values) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double from = std::log(std::max(1e-9, *low)), to = std::log(std::max(1e-9, *high));
  const size_t step = (values.size() + 59) / 60;
  std::string line;
  for (size_t n = 0; n < values.size(); n += step) {
    const double share = to > from ? (std::log(std::max(1e-9, values[n])) - from) / (to - from) : 0;
    line += kBars[static_cast<int>(std::lround(7 * share))];
  }
  return line;
}

int64_t weights_in(const std::string& path) {
  int64_t count = 0;
  const SafetensorsReader reader(path);
  for (const TensorEntry& entry : reader.entries()) {
    int64_t size = 1;
    for (const int64_t n : entry.shape) size *= n;
    count += size;
  }
  return count;
}

void print_text(const Json& about, const Json& config, const Curve& curve, int64_t weights) {
  fmt::print("{} with {}, {:.2f} M weights\n", about["task"].get<std::string>(), about["model"].get<std::string>(),
             static_cast<double>(weights) / 1e6);
  fmt::print("data     {}\n", about["data"].dump());
  for (const auto& [group, fields] : {std::pair{"options", &about["options"]}, {"model", &config}}) {
    std::string line;
    for (const auto& [name, value] : fields->items())
      line += fmt::format(" {}={}", name, value.is_string() ? value.get<std::string>() : value.dump());
    fmt::print("{:<8}{}\n", group, line);
  }
  if (curve.last.contains("seconds"))
    fmt::print("trained  {} steps in {}\n", curve.last["step"].dump(), duration(curve.last["seconds"]));
  if (curve.validation.empty()) return;
  fmt::print("best     {}\n", curve.best.dump());
  fmt::print("validation loss {} from {:.4f} to {:.4f}\n", sparkline(curve.validation), curve.validation.front(),
             curve.validation.back());
}

void info(const std::string& folder, bool json) {
  const RunPaths paths{folder};
  const Json about = about_run(folder), config = read_json(paths.config());
  const Curve curve = read_curve(folder);
  const int64_t weights = std::ifstream(paths.weights()).good() ? weights_in(paths.weights()) : 0;
  if (!json) return print_text(about, config, curve, weights);
  fmt::print("{}\n", Json{{"about", about},
                          {"model", config},
                          {"weights", weights},
                          {"best", curve.best},
                          {"last", curve.last},
                          {"validation_loss", curve.validation}}
                         .dump());
}

}  // namespace

void add_info(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("info", "what a run is: model, data, options, how it was trained");
  examples_first(*verb, "Examples:\n  heed info runs/dates\n  heed info runs/dates --json\n\n");
  const auto folder = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("RUN", *folder, "folder of the run")->required();
  verb->add_flag("--json", *json, "one object");
  verb->callback([folder, json] { info(*folder, *json); });
}

}  // namespace heed::cli
