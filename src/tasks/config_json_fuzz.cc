// Any bytes as a run's config.json: an Error, or a model that says the same of itself.
#include <heed/models.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/fuzz.h"
#include "tasks/run_folder.h"

using heed::testing::must;

namespace {

// A model of that many numbers would only take long to be made; sizes beyond all memory are refused.
bool takes_long(const heed::ModelConfiguration& configuration) {
  for (const auto& [field, text] : configuration.fields) {
    const double size = std::strtod(text.c_str(), nullptr);
    if (size > 64 && size < 1e15) return true;
  }
  return false;
}

template <class Make>
void make_again(const Make& make, const heed::ModelConfiguration& from) {
  const auto model = make(from.name, from.fields);
  must(model->name() == from.name, "the model that was asked for");
  must(make(model->name(), model->configuration())->configuration() == model->configuration(), "the same again");
}

void make_either(const heed::ModelConfiguration& from) {
  for (const heed::ModelInfo& info : heed::classifiers())
    if (info.name == from.name) return make_again(heed::make_classifier, from);
  make_again(heed::make_model, from);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string folder = [] {
    const auto path = std::filesystem::temp_directory_path() / ("heed_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directories(path);
    return path.string();
  }();
  std::ofstream(folder + "/config.json", std::ios::binary).write(reinterpret_cast<const char*>(data), size);
  try {
    const heed::ModelConfiguration configuration = heed::read_configuration(folder);
    if (!takes_long(configuration)) make_either(configuration);
  } catch (const heed::Error&) {
  }
  return 0;
}
