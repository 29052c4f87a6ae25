// What the program says when it is called: examples, version, and the nearest name to one that does not exist.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace heed::cli {

extern const char* const kExamples;

// The verb's --help begins with them.
void examples_first(CLI::App& verb, const std::string& examples);

std::string version_text();

// The candidate that `word` was most likely meant to be; empty where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// One sentence on what is wrong with a command line that CLI11 refused, with the nearest verb or option.
std::string explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv);

}  // namespace heed::cli
