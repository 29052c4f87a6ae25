# The libraries that heed links. Installed beside heedConfig.cmake, which looks for the same ones below heed::static.
#
# oneDNN and libzip are looked up by header and library: their own package configurations ask for more than heed needs
# (OpenCL headers, command-line tools).
function(heed_dependency target header library)
  string(MAKE_C_IDENTIFIER ${library} id)
  find_path(HEED_${id}_INCLUDE ${header} PATH_SUFFIXES cairo freetype2)
  find_library(HEED_${id}_LIBRARY ${library})
  if(NOT TARGET ${target} AND HEED_${id}_INCLUDE AND HEED_${id}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION ${HEED_${id}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${HEED_${id}_INCLUDE})
  endif()
endfunction()

# heed_find_dependencies(REQUIRED or QUIET): imported targets, and HEED_DEPENDENCIES_FOUND.
macro(heed_find_dependencies how)
  find_package(OpenMP ${how} COMPONENTS CXX)
  find_package(hwy ${how})
  find_package(fmt ${how})
  heed_dependency(DNNL::dnnl dnnl.hpp dnnl)
  heed_dependency(libzip::zip zip.h zip)
  heed_dependency(zlib::zlib zlib.h z)
  heed_dependency(ICU::uc unicode/unorm2.h icuuc)
  heed_dependency(ICU::i18n unicode/uregex.h icui18n)
  heed_dependency(sentencepiece::sentencepiece sentencepiece_processor.h sentencepiece)
  heed_dependency(sentencepiece::train sentencepiece_trainer.h sentencepiece_train)
  heed_dependency(snowball::stemmer libstemmer.h stemmer)
  heed_dependency(cairo::cairo cairo-ft.h cairo)
  heed_dependency(freetype::freetype ft2build.h freetype)
  heed_dependency(fontconfig::fontconfig fontconfig/fontconfig.h fontconfig)
  set(HEED_DEPENDENCIES_FOUND TRUE)
  set(HEED_DEPENDENCIES OpenMP::OpenMP_CXX hwy::hwy DNNL::dnnl fmt::fmt libzip::zip zlib::zlib ICU::i18n ICU::uc
    sentencepiece::train sentencepiece::sentencepiece snowball::stemmer cairo::cairo freetype::freetype fontconfig::fontconfig)
  foreach(target ${HEED_DEPENDENCIES})
    if(NOT TARGET ${target})
      set(HEED_DEPENDENCIES_FOUND FALSE)
      if("${how}" STREQUAL "REQUIRED")
        message(FATAL_ERROR "heed needs ${target}: run tools/setup")
      endif()
    endif()
  endforeach()
endmacro()
