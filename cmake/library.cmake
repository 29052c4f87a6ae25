# The library: every source below src/ that is neither a test nor part of the program.
file(GLOB_RECURSE HEED_SOURCES CONFIGURE_DEPENDS src/*.cc)
list(FILTER HEED_SOURCES EXCLUDE REGEX "_test\\.cc$|_fuzz\\.cc$|/src/(cli|serve)/")

add_library(heed_objects OBJECT ${HEED_SOURCES} ${HEED_WEB_SOURCE})
# Sanitized builds are compiled without optimisation, which takes half the time, but for the floors whose loops are long.
if(HEED_SANITIZE)
  set(HEED_LOOPS ${HEED_SOURCES})
  list(FILTER HEED_LOOPS INCLUDE REGEX "/src/(tensor|kernels|attention|text)/")
  set_source_files_properties(${HEED_LOOPS} PROPERTIES COMPILE_OPTIONS -O1 SKIP_PRECOMPILE_HEADERS ON)
endif()
target_include_directories(heed_objects PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(heed_objects PRIVATE HEED_VERSION="${PROJECT_VERSION}")
# What nearly every source reads first, read once; `make tidy` reads each source without it. What only some read, as JSON,
# stays out: its inline functions would be instantiated anew in each of the others too.
set(HEED_READ_FIRST
  <heed/heed.h> <fmt/format.h> <algorithm> <cmath> <filesystem> <fstream> <functional> <map> <memory> <optional> <span>
  <string> <vector>)
target_precompile_headers(heed_objects PRIVATE ${HEED_READ_FIRST} $<$<BOOL:${HEED_X86}>:<immintrin.h$<ANGLE-R>>)
target_link_libraries(heed_objects
  PRIVATE heed_flags ${HEED_DEPENDENCIES} nlohmann_json::nlohmann_json)

function(heed_library name kind)
  add_library(${name} ${kind} $<TARGET_OBJECTS:heed_objects>)
  set_target_properties(${name} PROPERTIES OUTPUT_NAME heed VERSION ${PROJECT_VERSION} SOVERSION 0)
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PRIVATE
    $<BUILD_INTERFACE:heed_flags> ${HEED_DEPENDENCIES}
    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
endfunction()
heed_library(heed_static STATIC)
heed_library(heed_shared SHARED)
