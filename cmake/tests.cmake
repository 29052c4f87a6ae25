# A test file is a test program; it stands beside what it tests. Tests of the floors that compute run once for each
# instruction set (HEED_ISA): one that this processor lacks is reported as skipped.
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)

file(GLOB HEED_SUPPORT CONFIGURE_DEPENDS tests/support/*.cc)
add_library(heed_testing STATIC EXCLUDE_FROM_ALL ${HEED_SUPPORT})
target_include_directories(heed_testing PUBLIC src tests include)
target_link_libraries(heed_testing
  PUBLIC heed_flags heed_static GTest::gtest rapidcheck ${HEED_DEPENDENCIES} nlohmann_json::nlohmann_json)
target_compile_definitions(heed_testing PUBLIC
  HEED_VERSION="${PROJECT_VERSION}" HEED_GOLDEN="${PROJECT_SOURCE_DIR}/tests/golden")

set(HEED_TEST_SETS avx2 avx512)
if(NOT HEED_PORTABLE)
  set(HEED_TEST_SETS avx2)
endif()
# What nearly every test reads first, read once: half of what compiling them costs. And nobody waits for a test's own code:
# it need not be fast.
target_precompile_headers(heed_testing PRIVATE
  <gtest/gtest.h> <heed/heed.h> <fmt/format.h> <algorithm> <cmath> <filesystem> <fstream> <functional> <map> <random> <set>)
target_compile_options(heed_testing PUBLIC -fPIC $<$<CONFIG:Release>:-O1>)

# `cmake --build . --target tests` builds them all, `thread_tests` those that set the number of threads: what ThreadSanitizer
# runs, as `ctest -L threads`.
add_custom_target(tests)
add_custom_target(thread_tests)

file(GLOB_RECURSE HEED_TEST_SOURCES CONFIGURE_DEPENDS src/*_test.cc tests/*_test.cc)
# Models that learn take minutes under a sanitizer, in code that the other tests run too.
if(HEED_SANITIZE)
  list(FILTER HEED_TEST_SOURCES EXCLUDE REGEX "src/models/learning_test.cc$")
endif()
foreach(source ${HEED_TEST_SOURCES})
  file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${source})
  string(REGEX REPLACE "^src/|\\.cc$" "" name ${path})
  string(REPLACE "/" "_" name ${name})
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_link_libraries(${name} PRIVATE heed_testing)
  if(HEED_SANITIZE AND path MATCHES "^src/kernels/")  # long loops of their own, as the references of products
    target_compile_options(${name} PRIVATE -O1)
  else()
    target_precompile_headers(${name} REUSE_FROM heed_testing)
  endif()
  if(path MATCHES "^src/cli/")  # the program is no library: its tests take its parts
    target_link_libraries(${name} PRIVATE heed_verbs)
  elseif(path MATCHES "^src/serve/")
    target_link_libraries(${name} PRIVATE heed_server)
  endif()
  add_dependencies(tests ${name})
  file(STRINGS ${source} labels REGEX "set_threads|std::j?thread" LIMIT_COUNT 1)
  if(labels)
    set(labels threads)
    add_dependencies(thread_tests ${name})
  endif()
  if(path MATCHES "^src/(kernels|ops|attention)/")
    foreach(isa ${HEED_TEST_SETS})
      add_test(NAME ${name}.${isa} COMMAND ${name})
      set_tests_properties(${name}.${isa} PROPERTIES
        ENVIRONMENT "HEED_ISA=${isa}" SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS "${labels}")
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS "${labels}")
  endif()
endforeach()

# Tests of the house itself: scripts, run once, in the plain build.
if(NOT HEED_SANITIZE)
  file(GLOB HEED_SCRIPT_TESTS CONFIGURE_DEPENDS tests/house/*_test.sh tests/house/*_test.py)
  foreach(source ${HEED_SCRIPT_TESTS})
    cmake_path(GET source STEM name)
    add_test(NAME house_${name} COMMAND ${source} ${PROJECT_BINARY_DIR})
    set_tests_properties(house_${name} PROPERTIES TIMEOUT 300)
  endforeach()
endif()
