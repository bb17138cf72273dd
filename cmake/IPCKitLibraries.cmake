# SPDX-License-Identifier: Apache-2.0
# Builds the libraries and the launcher with cargo into one directory, under their exact names, and makes targets of them.

set(ipckit_library_directory "${PROJECT_BINARY_DIR}/lib")
set(ipckit_libraries
  "${ipckit_library_directory}/libipc_capi.so"
  "${ipckit_library_directory}/libchild_process.so"
  "${ipckit_library_directory}/libhilog_ndk.z.so"
  "${ipckit_library_directory}/libace_napi.z.so")
set(ipckit_launcher "${ipckit_library_directory}/ipckit_native_child")

# cargo itself knows what is out of date, so it is asked at each build.
add_custom_target(ipckit_libraries ALL
  COMMAND "${CMAKE_COMMAND}"
    -D "CARGO=${IPCKIT_CARGO}"
    -D "SOURCE_DIRECTORY=${PROJECT_SOURCE_DIR}"
    -D "TARGET_DIRECTORY=${IPCKIT_CARGO_TARGET_DIR}"
    -D "TARGET=${IPCKIT_CARGO_TARGET}"
    -D "PROFILE=$<IF:$<CONFIG:Debug>,dev,release>"
    -D "FEATURES=$<$<BOOL:${IPCKIT_MUTATIONS}>:ipc_capi/mutations,child_process/mutations,>$<$<BOOL:${IPCKIT_FAULT_POINTS}>:ipc_capi/fault_points>"
    -D "OFFLINE=${IPCKIT_OFFLINE}"
    -D "RUST_FLAGS=${IPCKIT_RUST_FLAGS}"
    -D "LIBRARY_DIRECTORY=${ipckit_library_directory}"
    -P "${PROJECT_SOURCE_DIR}/cmake/build_with_cargo.cmake"
  BYPRODUCTS ${ipckit_libraries} "${ipckit_launcher}"
  COMMENT "Building the IPCKit libraries with cargo"
  USES_TERMINAL
  VERBATIM)

include("${PROJECT_SOURCE_DIR}/cmake/IPCKitTargets.cmake")
ipckit_import_targets("${ipckit_library_directory}" "${PROJECT_SOURCE_DIR}/include" GLOBAL)
foreach(target IN ITEMS ipc_capi child_process hilog_ndk ace_napi)
  add_dependencies(IPCKit::${target} ipckit_libraries)
endforeach()
