# An example is a program of one file that uses nothing but the public headers; the tests build and run them all.
file(GLOB HEED_EXAMPLES CONFIGURE_DEPENDS examples/*.cc)
foreach(source ${HEED_EXAMPLES})
  cmake_path(GET source STEM name)
  add_executable(example_${name} EXCLUDE_FROM_ALL ${source})
  set_target_properties(example_${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
  target_link_libraries(example_${name} PRIVATE heed_flags heed_static)
  if(HEED_TESTS AND NOT HEED_SANITIZE)
    add_dependencies(tests example_${name})
    add_test(NAME example_${name} COMMAND example_${name})
    set_tests_properties(example_${name} PROPERTIES TIMEOUT 120)
  endif()
endforeach()
