# SPDX-License-Identifier: Apache-2.0
# The files by which others find the libraries: the CMake package and the toolchain file, for the build tree and for the
# install, and pkg-config files. Installed ones find their prefix by where they stand, so the prefix can be moved.

include(CMakePackageConfigHelpers)

# Sets ${result} to the way from a directory of the prefix back to the prefix.
function(ipckit_way_to_prefix result directory)
  cmake_path(APPEND absolute "${CMAKE_INSTALL_PREFIX}" "${directory}")
  file(RELATIVE_PATH way "${absolute}" "${CMAKE_INSTALL_PREFIX}")
  string(REGEX REPLACE "/$" "" way "${way}")
  set(${result} "${way}" PARENT_SCOPE)
endfunction()

# Sets ${result} to a directory of the prefix as a pkg-config file says it.
function(ipckit_pkgconfig_directory result directory)
  set(prefix "\${prefix}")
  cmake_path(APPEND prefix "${directory}")
  set(${result} "${prefix}" PARENT_SCOPE)
endfunction()

# Writes the CMake package to ${output}/cmake and the toolchain file to ${output}.
function(ipckit_configure_package output prefix cmake_directory data_directory library_directory include_directory)
  ipckit_way_to_prefix(way_to_prefix "${data_directory}")
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/IPCKitConfig.cmake.in" "${output}/${cmake_directory}/IPCKitConfig.cmake"
    INSTALL_PREFIX "${prefix}" INSTALL_DESTINATION "${cmake_directory}" PATH_VARS library_directory include_directory)
  write_basic_package_version_file("${output}/${cmake_directory}/IPCKitConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  foreach(file IN ITEMS IPCKitTargets.cmake IPCKitNodeApi.cmake IPCKitSharedSanitizer.cmake)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}" "${output}/${cmake_directory}/${file}" COPYONLY)
  endforeach()
  foreach(header IN ITEMS string.h bits/alltypes.h)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/device_headers/${header}" "${output}/${data_directory}/include/${header}" COPYONLY)
  endforeach()
  configure_file("${PROJECT_SOURCE_DIR}/cmake/host.toolchain.cmake.in" "${output}/${data_directory}/host.toolchain.cmake" @ONLY)
endfunction()

# The build tree is laid out like a prefix, but for the headers, which stay where they are.
ipckit_configure_package("${PROJECT_BINARY_DIR}" "${PROJECT_BINARY_DIR}" lib/cmake/IPCKit share/ipckit-host
  lib "${PROJECT_SOURCE_DIR}/include")

if(NOT IPCKIT_INSTALL)
  return()
endif()

set(ipckit_cmake_directory "${CMAKE_INSTALL_LIBDIR}/cmake/IPCKit")
set(ipckit_data_directory "${CMAKE_INSTALL_DATADIR}/ipckit-host")
set(ipckit_pkgconfig_directory "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(ipckit_package "${PROJECT_BINARY_DIR}/package")
ipckit_configure_package("${ipckit_package}" "${CMAKE_INSTALL_PREFIX}" "${ipckit_cmake_directory}" "${ipckit_data_directory}"
  "${CMAKE_INSTALL_LIBDIR}" "${CMAKE_INSTALL_INCLUDEDIR}")

ipckit_way_to_prefix(way_to_prefix "${ipckit_pkgconfig_directory}")
ipckit_pkgconfig_directory(library_directory "${CMAKE_INSTALL_LIBDIR}")
ipckit_pkgconfig_directory(include_directory "${CMAKE_INSTALL_INCLUDEDIR}")
foreach(name IN ITEMS ipc_capi child_process hilog_ndk)
  configure_file("cmake/${name}.pc.in" "${ipckit_package}/pkgconfig/${name}.pc" @ONLY)
endforeach()

install(PROGRAMS ${ipckit_libraries} DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(PROGRAMS "${ipckit_launcher}" DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/ipckit-host")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(DIRECTORY "${ipckit_package}/${ipckit_cmake_directory}/" DESTINATION "${ipckit_cmake_directory}")
install(DIRECTORY "${ipckit_package}/${ipckit_data_directory}/" DESTINATION "${ipckit_data_directory}")
install(DIRECTORY "${ipckit_package}/pkgconfig/" DESTINATION "${ipckit_pkgconfig_directory}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
