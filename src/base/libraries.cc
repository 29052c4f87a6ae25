// The libraries below heed: asked at run time where they answer, else as heed was compiled with them.
#include <cairo.h>
#include <dnnl.h>
#include <fmt/format.h>
#include <heed/base.h>
#include <omp.h>
#include <unicode/uvernum.h>
#include <zip.h>
#include <zlib.h>

#include "hwy/highway.h"

namespace heed {
namespace {

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

// _OPENMP is the month of the specification.
std::string openmp_version() {
  switch (_OPENMP) {
    case 201107: return "3.1";
    case 201307: return "4.0";
    case 201511: return "4.5";
    case 201811: return "5.0";
    case 202011: return "5.1";
    default: return std::to_string(_OPENMP);
  }
}

}  // namespace

std::vector<LibraryVersion> libraries() {
  return {
      {"Highway", fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
      {"oneDNN", onednn_version()},
      {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"libzip", zip_libzip_version()},
      {"zlib", zlibVersion()},
      {"Cairo", cairo_version_string()},
      {"ICU", U_ICU_VERSION},
      {"OpenMP", openmp_version()},
  };
}

}  // namespace heed
