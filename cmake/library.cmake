# The library: every source below src/ that is neither a test nor part of the program.
file(GLOB_RECURSE HEED_SOURCES CONFIGURE_DEPENDS src/*.cc)
list(FILTER HEED_SOURCES EXCLUDE REGEX "_test\\.cc$|_fuzz\\.cc$|/src/cli/")

add_library(heed_objects OBJECT ${HEED_SOURCES} ${HEED_WEB_SOURCE})
# Sanitized builds are compiled without optimisation, which takes half the time, but for the floors whose loops are long.
if(HEED_SANITIZE)
  set(HEED_LOOPS ${HEED_SOURCES})
  list(FILTER HEED_LOOPS INCLUDE REGEX "/src/(tensor|kernels|attention|text)/")
  set_source_files_properties(${HEED_LOOPS} PROPERTIES COMPILE_OPTIONS -O1)
endif()
