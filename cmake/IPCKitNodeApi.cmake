# SPDX-License-Identifier: Apache-2.0
# Finds the headers of Node-API. Node's own directory of headers has those of its libraries too, which must not come before
# the system's: so a directory is made that leads to these four alone.

# Sets ${result} to a directory that has node_api.h; to nothing where there are no headers. They are looked for in
# IPCKIT_NODE_API_INCLUDE_DIR, in the npm package node-api-headers of the project, beside Node.js, and in the system.
function(ipckit_find_node_api result)
  find_program(ipckit_node NAMES node nodejs NO_CACHE)
  set(beside_node)
  if(ipckit_node)
    file(REAL_PATH "${ipckit_node}" node)
    cmake_path(GET node PARENT_PATH node)
    cmake_path(GET node PARENT_PATH node)
    set(beside_node "${node}/include/node")
  endif()
  find_path(IPCKIT_NODE_API_INCLUDE_DIR node_api.h
    PATHS "${CMAKE_SOURCE_DIR}/node_modules/node-api-headers/include" "${beside_node}" /usr/local/include/node /usr/include/node
      /usr/include/nodejs/src
    NO_DEFAULT_PATH
    DOC "The directory of node_api.h")
  if(NOT IPCKIT_NODE_API_INCLUDE_DIR)
    set(${result} "" PARENT_SCOPE)
    return()
  endif()
  set(directory "${CMAKE_BINARY_DIR}/CMakeFiles/ipckit_node_api")
  foreach(header IN ITEMS node_api.h node_api_types.h js_native_api.h js_native_api_types.h)
    # Written only where it differs.
    file(CONFIGURE OUTPUT "${directory}/${header}" CONTENT "#include \"${IPCKIT_NODE_API_INCLUDE_DIR}/${header}\"\n" @ONLY)
  endforeach()
  set(${result} "${directory}" PARENT_SCOPE)
endfunction()
