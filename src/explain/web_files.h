// The viewer's files as they lie in web/; the build makes their source.
#pragma once

#include <span>
#include <string_view>

namespace heed::explain {

struct WebFile {
  std::string_view name, content;
};
std::span<const WebFile> web_files();

}  // namespace heed::explain
