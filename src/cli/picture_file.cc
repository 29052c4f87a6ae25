#include "cli/picture_file.h"

#include "base/check.h"
#include "cli/output.h"

namespace heed::cli {
namespace {

std::string bytes_of(const explain::Graphic& graphic, const std::string& path) {
  if (path.ends_with(".svg")) return svg(graphic);
  if (path.ends_with(".png")) return png(graphic);
  throw Error(ErrorKind::usage, path, "is of no kind that can be drawn", "let its name end in .svg or .png");
}

}  // namespace

void write_picture(const explain::Graphic& graphic, const std::string& path) {
  const std::string bytes = bytes_of(graphic, path);
  Output out(path);
  out.write(bytes);
  out.finish();
}

}  // namespace heed::cli
