# The program: a verb a file below src/cli/, the server, and the benchmarks that `heed bench` runs. The verbs and the server
# are a library of their own for the sake of their tests.
file(GLOB HEED_VERB_SOURCES CONFIGURE_DEPENDS src/cli/*.cc src/serve/*.cc)
list(FILTER HEED_VERB_SOURCES EXCLUDE REGEX "_(test|fuzz)\\.cc$|/main\\.cc$")
file(GLOB HEED_BENCH_SOURCES CONFIGURE_DEPENDS bench/*.cc)

function(heed_program_part name)
  target_include_directories(${name} PRIVATE src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE heed_flags heed_static ${HEED_DEPENDENCIES} nlohmann_json::nlohmann_json)
endfunction()
add_library(heed_verbs STATIC ${HEED_VERB_SOURCES})
add_executable(heed src/cli/main.cc ${HEED_BENCH_SOURCES})
heed_program_part(heed_verbs)
target_precompile_headers(heed_verbs PRIVATE
  <heed/heed.h> <CLI/CLI.hpp> <fmt/format.h> <nlohmann/json.hpp> <algorithm> <filesystem> <fstream> <functional> <map> <memory> <optional>
  <string> <vector>)
# Verbs read options and print: their own code need not be fast.
target_compile_options(heed_verbs PRIVATE $<$<CONFIG:Release>:-O1>)
heed_program_part(heed)
target_link_libraries(heed PRIVATE heed_verbs)
