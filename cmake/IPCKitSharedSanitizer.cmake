# SPDX-License-Identifier: Apache-2.0
# Read by the toolchain file.

# clang links AddressSanitizer's runtime into the program, unless told otherwise, and then no child process can load a library that is
# built for it. Told otherwise, it leaves it to its users to say where the runtime is.
macro(ipckit_share_address_sanitizer)
  # The compiler that CMake is going to take: toolchain files are read before it is looked for.
  set(ipckit_compiler "")
  foreach(candidate IN ITEMS "${CMAKE_CXX_COMPILER}" "$ENV{CXX}" "${CMAKE_C_COMPILER}" "$ENV{CC}" c++)
    if(ipckit_compiler STREQUAL "" AND NOT candidate STREQUAL "")
      set(ipckit_compiler "${candidate}")
    endif()
  endforeach()
  if(NOT EXISTS "${ipckit_compiler}")
    separate_arguments(ipckit_compiler UNIX_COMMAND "${ipckit_compiler}")
  endif()
  execute_process(COMMAND ${ipckit_compiler} --version OUTPUT_VARIABLE ipckit_compiler_version ERROR_QUIET)
  if(ipckit_compiler_version MATCHES "clang")
    add_link_options(-shared-libsan)
    set(ipckit_runtime "")
    foreach(name IN ITEMS "libclang_rt.asan-${CMAKE_HOST_SYSTEM_PROCESSOR}.so" libclang_rt.asan.so)
      execute_process(COMMAND ${ipckit_compiler} "-print-file-name=${name}" OUTPUT_VARIABLE ipckit_place
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      # What it does not find it calls by its bare name.
      if(ipckit_runtime STREQUAL "" AND EXISTS "${ipckit_place}" AND IS_ABSOLUTE "${ipckit_place}")
        set(ipckit_runtime "${ipckit_place}")
      endif()
    endforeach()
    if(ipckit_runtime STREQUAL "")
      message(WARNING "OHOS_ENABLE_ASAN is ON, and clang has no shared runtime for it; please install it (Debian: libclang-rt-dev, "
        "or libclang-rt-N-dev for clang N)")
    else()
      cmake_path(GET ipckit_runtime PARENT_PATH ipckit_runtime)
      foreach(variable IN ITEMS CMAKE_BUILD_RPATH CMAKE_INSTALL_RPATH)
        if(NOT ipckit_runtime IN_LIST ${variable})
          list(APPEND ${variable} "${ipckit_runtime}")
        endif()
      endforeach()
    endif()
  endif()
endmacro()
