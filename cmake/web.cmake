# The viewer: the files of web/ become a source of the library.
file(GLOB HEED_WEB_FILES CONFIGURE_DEPENDS web/*)
set(HEED_WEB_SOURCE ${PROJECT_BINARY_DIR}/web_files.cc)
add_custom_command(OUTPUT ${HEED_WEB_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${PROJECT_SOURCE_DIR}/web -DOUT=${HEED_WEB_SOURCE}
    -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${HEED_WEB_FILES} cmake/embed.cmake VERBATIM)
