// The verbs of the program: a file each, one line each in main.cc's table.
#pragma once

#include <CLI/CLI.hpp>

namespace heed::cli {

// What leaves a callback that a signal ended, all being saved: the program exits with 130.
struct Interrupted {};

// Adds the verb's subcommand, its options and the callback that runs it. Errors leave the callback as heed::Error.
void add_align(CLI::App& app);
void add_attend(CLI::App& app);
void add_bench(CLI::App& app);
void add_data(CLI::App& app);
void add_inspect(CLI::App& app);
void add_mechanisms(CLI::App& app);
void add_options(CLI::App& app);
void add_plot(CLI::App& app);
void add_compare(CLI::App& app);
void add_convert(CLI::App& app);
void add_predict(CLI::App& app);
void add_eval(CLI::App& app);
void add_explain(CLI::App& app);
void add_info(CLI::App& app);
void add_serve(CLI::App& app);
void add_train(CLI::App& app);
void add_view(CLI::App& app);

}  // namespace heed::cli
