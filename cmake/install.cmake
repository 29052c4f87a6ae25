# What `make install` lays down: headers, both libraries, the program, and how CMake and pkg-config find them.
include(CMakePackageConfigHelpers)
set(HEED_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/heed)

set_target_properties(heed_shared PROPERTIES EXPORT_NAME heed)
set_target_properties(heed_static PROPERTIES EXPORT_NAME static)
install(DIRECTORY include/heed DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS heed_shared EXPORT heedTargets)
install(TARGETS heed_static EXPORT heedStaticTargets)
install(TARGETS heed)
# Two sets, since only the static library asks its user to find what it stands on.
install(EXPORT heedTargets NAMESPACE heed:: DESTINATION ${HEED_CMAKE_DIR})
install(EXPORT heedStaticTargets NAMESPACE heed:: DESTINATION ${HEED_CMAKE_DIR})

configure_package_config_file(cmake/heedConfig.cmake.in heedConfig.cmake INSTALL_DESTINATION ${HEED_CMAKE_DIR})
write_basic_package_version_file(heedConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/heedConfig.cmake ${PROJECT_BINARY_DIR}/heedConfigVersion.cmake
  cmake/dependencies.cmake DESTINATION ${HEED_CMAKE_DIR})

# The prefix as seen from the folder of heed.pc, so that an installed tree can be moved.
file(RELATIVE_PATH HEED_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/heed.pc.in heed.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/heed.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
