# SPDX-License-Identifier: Apache-2.0
# Installs into a prefix, moves that elsewhere, and looks at what is there.
file(REMOVE_RECURSE "${BINARY_DIRECTORY}" "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${BINARY_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${BINARY_DIRECTORY}" "${PREFIX}")

set(libraries libipc_capi.so libchild_process.so libhilog_ndk.z.so libace_napi.z.so)
set(expected
  "${DATADIR}/ipckit-host/host.toolchain.cmake"
  "${DATADIR}/ipckit-host/include/string.h"
  "${DATADIR}/ipckit-host/include/bits/alltypes.h"
  "${LIBDIR}/cmake/IPCKit/IPCKitConfig.cmake"
  "${LIBDIR}/cmake/IPCKit/IPCKitConfigVersion.cmake"
  "${LIBDIR}/cmake/IPCKit/IPCKitNodeApi.cmake"
  "${LIBDIR}/cmake/IPCKit/IPCKitSharedSanitizer.cmake"
  "${LIBDIR}/cmake/IPCKit/IPCKitTargets.cmake"
  "${LIBDIR}/pkgconfig/child_process.pc"
  "${LIBDIR}/pkgconfig/hilog_ndk.pc"
  "${LIBDIR}/pkgconfig/ipc_capi.pc"
  "${LIBEXECDIR}/ipckit-host/ipckit_native_child")
foreach(library IN LISTS libraries)
  list(APPEND expected "${LIBDIR}/${library}")
endforeach()
foreach(header IN ITEMS IPCKit/ipc_kit IPCKit/ipc_error_code IPCKit/ipc_cparcel IPCKit/ipc_cremote_object IPCKit/ipc_cskeleton
    AbilityKit/native_child_process hilog/log napi/native_api)
  list(APPEND expected "${INCLUDEDIR}/${header}.h")
endforeach()
foreach(file IN LISTS expected)
  if(NOT EXISTS "${PREFIX}/${file}")
    message(SEND_ERROR "not installed: ${file}")
  endif()
endforeach()

foreach(library IN LISTS libraries)
  execute_process(COMMAND "${READELF}" -dW "${PREFIX}/${LIBDIR}/${library}" OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  if(NOT dynamic MATCHES "SONAME[^\n]*\\[([^]]*)\\]" OR NOT CMAKE_MATCH_1 STREQUAL library)
    message(SEND_ERROR "the SONAME of ${library} is not its file name: '${CMAKE_MATCH_1}'")
  endif()
  if(library STREQUAL "libchild_process.so")
    if(NOT dynamic MATCHES "NEEDED[^\n]*\\[libipc_capi\\.so\\]" OR NOT dynamic MATCHES "R(UN)?PATH[^\n]*\\[\\$ORIGIN[]:]")
      message(SEND_ERROR "libchild_process.so does not look for libipc_capi.so beside itself:\n${dynamic}")
    endif()
  endif()
endforeach()

file(GLOB_RECURSE texts "${PREFIX}/*.cmake" "${PREFIX}/*.pc" "${PREFIX}/*.h")
foreach(text IN LISTS texts)
  file(READ "${text}" content)
  foreach(place IN ITEMS "${BUILD}" "${SOURCE_DIRECTORY}")
    string(FIND "${content}" "${place}" found)
    if(NOT found EQUAL -1)
      message(SEND_ERROR "${text} holds the path ${place} of the tree it was built in")
    endif()
  endforeach()
endforeach()
