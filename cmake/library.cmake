# The library: every source below src/ that is neither a test nor part of the program.
file(GLOB_RECURSE HEED_SOURCES CONFIGURE_DEPENDS src/*.cc)
list(FILTER HEED_SOURCES EXCLUDE REGEX "_test\\.cc$|_fuzz\\.cc$|/src/(cli|serve)/")

list(APPEND HEED_SOURCES ${HEED_WEB_SOURCE})
set(HEED_LOOPS ${HEED_SOURCES})  # the floors whose loops are long
list(FILTER HEED_LOOPS INCLUDE REGEX "/src/(tensor|kernels|attention|generate|train/metrics)/")
list(REMOVE_ITEM HEED_SOURCES ${HEED_LOOPS})

# What nearly every source reads first, read once; `make tidy` reads the sources without it. What only some read, as JSON,
# stays out: its inline functions would be instantiated anew in each of the others too.
set(HEED_READ_FIRST
  <heed/heed.h> <fmt/format.h> <algorithm> <cmath> <filesystem> <fstream> <functional> <map> <memory> <optional> <span>
  <string> <vector>)

function(heed_objects name)
  add_library(${name} OBJECT ${ARGN})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE HEED_VERSION="${PROJECT_VERSION}")
  target_precompile_headers(${name} PRIVATE ${HEED_READ_FIRST} $<$<BOOL:${HEED_X86}>:<immintrin.h$<ANGLE-R>>)
  target_link_libraries(${name} PRIVATE heed_flags ${HEED_DEPENDENCIES} nlohmann_json::nlohmann_json)
  heed_together(${name})
endfunction()
heed_objects(heed_loops ${HEED_LOOPS})
heed_objects(heed_rest ${HEED_SOURCES})
# What calls the loops need not be fast itself: compiled so it takes half the time, and no figure changes.
set(HEED_NOT_FAST $<$<CONFIG:Release>:-O1>)
target_compile_options(heed_rest PRIVATE ${HEED_NOT_FAST})
# Sanitized builds are compiled without optimisation, which takes half the time, but for long loops.
if(HEED_SANITIZE)
  target_compile_options(heed_loops PRIVATE -O1)
endif()

function(heed_library name kind)
  add_library(${name} ${kind} $<TARGET_OBJECTS:heed_loops> $<TARGET_OBJECTS:heed_rest>)
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
