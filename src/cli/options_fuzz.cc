// Any text as a command line, an argument a line: `heed attend` and `heed bench` take it, or say in a sentence what is
// wrong with it. What attend takes runs on small tensors: no option, however large, breaks it.
#include <heed/base.h>

#include "attention/mechanisms.h"
#include "bench/cases.h"
#include "bench/serve.h"
#include "cli/attend.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "support/fuzz.h"

using heed::testing::must;

// The benchmarks are not run: what they are handed is looked at.
namespace heed::bench {
void run_cases(const Options&) {}
void run_text(const Options&) {}
void run_training(const Options&) {}
void run_decoding(const Options&) {}
void run_serve(const ServeBench&) {}
void run_attention(const AttentionOptions& o) {
  must(!o.shape || o.shape->size() == 5, "a shape is five numbers");
  must(!o.window || o.window->size() == 2, "a window is two numbers");
}
}  // namespace heed::bench

namespace {

heed::TensorFile small_file(const std::string& mechanism) {
  using heed::Dtype;
  heed::Random from{1, 0, 0};
  const auto draw = [&](const heed::Shape& shape) { return heed::rand(shape, from, Dtype::f64); };
  heed::TensorFile file{.tensors = {{"q", draw({1, 2, 3, 4})},
                                    {"k", draw({1, 2, 5, 4})},
                                    {"v", draw({1, 2, 5, 4})},
                                    {"dout", draw({1, 2, 3, 4})},
                                    {"alignment", draw({3, 5})}}};
  const heed::attention::Sizes n{1, 2, 2, 3, 5, 4, 4};
  for (const auto& [name, tensor] : example_tensors(heed::attention::mechanism(mechanism), n, Dtype::f64, 1))
    file.tensors.emplace_back(name, tensor);
  return file;
}

// The arguments as main gets them.
struct Arguments {
  Arguments(const uint8_t* data, size_t size) {
    std::string line;
    for (size_t i = 0; i <= size; ++i) {
      if (i < size && data[i] != '\n' && data[i] != 0) {
        line.push_back(static_cast<char>(data[i]));
        continue;
      }
      lines.push_back(line);
      line.clear();
    }
    for (std::string& each : lines) pointers.push_back(each.data());
  }
  int count() const { return static_cast<int>(pointers.size()); }
  std::vector<std::string> lines = {"heed"};
  std::vector<char*> pointers = {};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arguments arguments(data, size);
  CLI::App app("", "heed");
  app.require_subcommand(1);
  heed::cli::add_bench(app);
  heed::cli::AttendCall call;
  CLI::App* attend = app.add_subcommand("attend", "");
  heed::cli::add_flags(*attend, call);
  attend->callback([&] { heed::cli::attend_file(small_file(call.mechanism), call); });
  try {
    app.parse(arguments.count(), arguments.pointers.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return 0;  // --help
    must(!heed::cli::explain(app, error, arguments.count(), arguments.pointers.data()).empty(), "a sentence is said");
  } catch (const heed::Error& error) {
    must(error.kind() == heed::ErrorKind::usage, "a wrong option is Error(usage)");
  }
  return 0;
}
