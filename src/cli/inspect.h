// How `heed inspect` shows a file: as a table of 80 columns, or as JSON.
#pragma once

#include <string>

#include "tensor/contents.h"

namespace heed::cli {

std::string table_of(const FileSummary& file, const std::string& path);
std::string json_of(const FileSummary& file, const std::string& path);

}  // namespace heed::cli
