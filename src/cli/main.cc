#include <fmt/format.h>
#include <heed/error.h>

#include "cli/verbs.h"

namespace {

constexpr void (*kVerbs[])(CLI::App&) = {
    heed::cli::add_bench,
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("heed: attention in C++", "heed");
  app.require_subcommand(1);
  for (const auto add : kVerbs) add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const heed::Error& error) {
    fmt::print(stderr, "heed: {}\n", error.what());
    return 1;
  }
  return 0;
}
