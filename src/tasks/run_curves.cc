#include "tasks/run_curves.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/check.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

using explain::Chart;

constexpr const char* kNotDrawn[] = {"step", "epoch", "seconds", "targets_a_second", "training_loss"};

std::map<std::string, std::vector<explain::Place>> numbers_of(const std::string& folder) {
  about_run(folder);
  auto numbers = training_numbers(folder);
  if (numbers.empty())
    throw Error(ErrorKind::data, folder, "has not reported anything yet", "let it train for ten steps");
  return numbers;
}

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::map<std::string, std::vector<explain::Place>> training_numbers(const std::string& folder) {
  std::map<std::string, std::vector<explain::Place>> numbers;
  for (const Json& report : reports_of(folder))
    for (const auto& [name, value] : report.items())
      if (value.is_number() && std::find(std::begin(kNotDrawn), std::end(kNotDrawn), name) == std::end(kNotDrawn))
        numbers[name].push_back({report["step"].get<double>(), value.get<double>()});
  return numbers;
}

std::vector<Chart> training_charts(std::span<const std::string> folders) {
  std::vector<Chart> charts = {
      {.title = "loss"}, {.title = "learning rate"}, {.title = "gradient norm", .y = explain::Scale::logarithmic}};
  const auto chart_of = [&](const std::string& title) -> Chart& {
    const auto at =
        std::find_if(charts.begin(), charts.end(), [&](const Chart& chart) { return chart.title == title; });
    return at != charts.end() ? *at : charts.emplace_back(Chart{.title = title});
  };
  for (const std::string& folder : folders) {
    const auto run = std::filesystem::path(folder + "/").parent_path().filename().string();
    for (auto& [name, points] : numbers_of(folder)) {
      const bool held_out = name == "validation_loss";
      std::string curve = folders.size() > 1 ? run : "";
      if (held_out || name == "loss")
        curve += (curve.empty() ? "" : ", ") + std::string(held_out ? "validation" : "training");
      chart_of(held_out ? "loss" : spoken(name)).curves.push_back({curve, std::move(points)});
    }
  }
  for (Chart& chart : charts) chart.across = "step";
  return charts;
}

}  // namespace heed
