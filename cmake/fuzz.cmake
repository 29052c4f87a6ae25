# Fuzz targets: NAME_fuzz.cc beside what it tests is a libFuzzer program of that name in build/fuzz/fuzzers/.
# tools/run-fuzz runs them. The whole library is built with coverage, so that the fuzzer sees where its input leads.
target_compile_options(heed_flags INTERFACE -fsanitize=fuzzer-no-link)
target_link_options(heed_flags INTERFACE -fsanitize=fuzzer-no-link)
add_custom_target(fuzzers)
file(GLOB_RECURSE HEED_FUZZ_SOURCES CONFIGURE_DEPENDS src/*_fuzz.cc)
foreach(source ${HEED_FUZZ_SOURCES})
  cmake_path(GET source STEM name)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_include_directories(${name} PRIVATE src tests)
  target_link_libraries(${name} PRIVATE heed_flags heed_static ${HEED_DEPENDENCIES} nlohmann_json::nlohmann_json)
  if(source MATCHES "/src/(cli|serve)/")  # the program is no library: its targets take its verbs
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE heed_verbs)
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
  add_dependencies(fuzzers ${name})
endforeach()
