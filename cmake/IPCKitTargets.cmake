# SPDX-License-Identifier: Apache-2.0
# The imported targets, the same in the project's own build, in its build tree as a package, and in an installed package.

include("${CMAKE_CURRENT_LIST_DIR}/IPCKitNodeApi.cmake")

# ipckit_import_targets(<library directory> <include directory> [GLOBAL])
function(ipckit_import_targets library_directory include_directory)
  foreach(library IN ITEMS "ipc_capi=libipc_capi.so" "child_process=libchild_process.so" "hilog_ndk=libhilog_ndk.z.so"
      "ace_napi=libace_napi.z.so")
    string(REPLACE "=" ";" library "${library}")
    list(GET library 0 target)
    list(GET library 1 file)
    if(NOT TARGET IPCKit::${target})
      add_library(IPCKit::${target} SHARED IMPORTED ${ARGN})
      set_target_properties(IPCKit::${target} PROPERTIES
        IMPORTED_LOCATION "${library_directory}/${file}"
        IMPORTED_SONAME "${file}"
        INTERFACE_INCLUDE_DIRECTORIES "${include_directory}")
    endif()
  endforeach()
  # Device code includes the headers of IPCKit by their bare names too.
  set_target_properties(IPCKit::ipc_capi PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_directory};${include_directory}/IPCKit")
  set_target_properties(IPCKit::child_process PROPERTIES INTERFACE_LINK_LIBRARIES IPCKit::ipc_capi)
  ipckit_find_node_api(node_api_directory)
  set_target_properties(IPCKit::ace_napi PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include_directory};${node_api_directory}")
endfunction()
