# Libraries whose own package configurations ask for more than heed needs (oneDNN's for OpenCL headers, libzip's for its
# command-line tools) are looked up by header and library.
function(heed_dependency target header library)
  string(MAKE_C_IDENTIFIER ${library} id)
  find_path(HEED_${id}_INCLUDE ${header} REQUIRED)
  find_library(HEED_${id}_LIBRARY ${library} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION ${HEED_${id}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${HEED_${id}_INCLUDE})
endfunction()
heed_dependency(DNNL::dnnl dnnl.hpp dnnl)
heed_dependency(libzip::zip zip.h zip)
