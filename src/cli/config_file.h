// A verb's options as a TOML file: read where the command line says nothing else, and written for a start.
#pragma once

#include <heed/models.h>

#include <map>
#include <string>
#include <vector>

namespace heed::cli {

// The file's fields that are not in `given` enter it; Error naming file and key for one that is not among `fields`.
void read_config(const std::string& path, const std::vector<ModelField>& fields,
                 std::map<std::string, std::string>& given);
// All fields; those that were not given stand there as comments with their defaults.
std::string config_text(const std::vector<ModelField>& fields, const std::map<std::string, std::string>& given);

}  // namespace heed::cli
