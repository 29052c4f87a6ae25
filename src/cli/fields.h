// Fields of configurations as options of the command line.
#pragma once

#include <heed/models.h>
#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

#include "tasks/training_run.h"

namespace heed::cli {

// --name TEXT for each field, or --name alone where it says yes or no, with HEED_NAME as its twin in the environment.
// What is given enters `given` under the field's own name.
void add_fields(CLI::App& verb, std::map<std::string, std::string>& given, const std::vector<ModelField>& fields,
                const std::string& group);

// The fields that some task has, each once, in groups that say whose they are.
void add_fields_of_tasks(CLI::App& verb, std::map<std::string, std::string>& given,
                         std::vector<ModelField> (*TaskRow::*of)());

}  // namespace heed::cli
