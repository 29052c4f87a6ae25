// Words that say little of what a text is about: short lists of heed's own, and files with a word a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed::tokenize {

std::vector<std::string> stop_words_of(const std::string& name);  // "en", "zh", or a file

}  // namespace heed::tokenize
