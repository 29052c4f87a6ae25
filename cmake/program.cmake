# The program: a verb a file below src/cli/, and the benchmarks that `heed bench` runs.
file(GLOB HEED_PROGRAM_SOURCES CONFIGURE_DEPENDS src/cli/*.cc bench/*.cc)
list(FILTER HEED_PROGRAM_SOURCES EXCLUDE REGEX "_test\\.cc$")
if(HEED_PROGRAM_SOURCES)
  add_executable(heed ${HEED_PROGRAM_SOURCES})
  target_include_directories(heed PRIVATE src ${PROJECT_SOURCE_DIR})
  target_compile_definitions(heed PRIVATE HEED_VERSION="${PROJECT_VERSION}")
  target_link_libraries(heed PRIVATE heed_flags heed_static OpenMP::OpenMP_CXX hwy::hwy DNNL::dnnl fmt::fmt libzip::zip nlohmann_json::nlohmann_json)
endif()
