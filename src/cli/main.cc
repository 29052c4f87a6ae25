#include <fmt/format.h>
#include <heed/base.h>

#include <csignal>
#include <cstdlib>

#include "cli/usage.h"
#include "cli/verbs.h"

namespace {

constexpr void (*kVerbs[])(CLI::App&) = {
    heed::cli::add_align,   heed::cli::add_attend,  heed::cli::add_bench,      heed::cli::add_compare,
    heed::cli::add_convert, heed::cli::add_data,    heed::cli::add_eval,       heed::cli::add_explain,
    heed::cli::add_info,    heed::cli::add_inspect, heed::cli::add_mechanisms, heed::cli::add_options,
    heed::cli::add_plot,    heed::cli::add_predict, heed::cli::add_serve,      heed::cli::add_train,
    heed::cli::add_view,
};

// Exit codes: 0 done, 1 it went wrong, 2 the command line makes no sense, 130 interrupted.

int exit_code(heed::ErrorKind kind) { return kind == heed::ErrorKind::usage ? 2 : 1; }

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    fmt::print(stderr, "heed: {}\nRun heed --help for examples.\n", heed::cli::explain(app, error, argc, argv));
    return 2;
  } catch (const heed::cli::Interrupted&) {
    return 130;
  } catch (const heed::Error& error) {
    fmt::print(stderr, "heed: {}\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "heed: {}\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (std::signal(SIGINT, SIG_IGN) != SIG_IGN) std::signal(SIGINT, [](int) { std::_Exit(130); });
  CLI::App app(heed::cli::kExamples, "heed");
  app.require_subcommand(1);
  app.set_version_flag("--version", heed::cli::version_text);
  for (const auto add : kVerbs) add(app);
  return run(app, argc, argv);
}
