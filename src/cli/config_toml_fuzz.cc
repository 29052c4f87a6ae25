// Any bytes as a --config file: an Error, or options that config_text writes so that they are read again.
#include <sys/mman.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "support/fuzz.h"

using heed::testing::must;

namespace {

using Given = std::map<std::string, std::string>;

const std::vector<heed::ModelField> kFields = {
    {"width", "256", "of layers"}, {"dropout", "0.1", "share"}, {"model", "", "name"}, {"tied", "true", "or not"}};

// A file without a name that holds the text.
Given read(std::string_view text) {
  const int file = memfd_create("config", 0);
  must(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "room for a small file");
  Given given;
  try {
    heed::cli::read_config("/proc/self/fd/" + std::to_string(file), kFields, given);
  } catch (...) {
    close(file);
    throw;
  }
  close(file);
  return given;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Given given;
  try {
    given = read({reinterpret_cast<const char*>(data), size});
  } catch (const heed::Error&) {
    return 0;
  }
  for (const auto& [name, value] : given) must(name != "", "an option has a name");
  must(read(heed::cli::config_text(kFields, given)) == given, "read as written");
  return 0;
}
