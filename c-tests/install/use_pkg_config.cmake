# SPDX-License-Identifier: Apache-2.0
# Compiles and runs a program with what pkg-config says of the moved prefix, as a Makefile would.
find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(NOT PKG_CONFIG)
  message("skipped: there is no pkg-config; install it (Debian: apt-get install pkg-config)")
  return()
endif()
set(ENV{PKG_CONFIG_LIBDIR} "${PREFIX}/${LIBDIR}/pkgconfig")
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs child_process hilog_ndk
  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")

file(REMOVE_RECURSE "${BINARY_DIRECTORY}")
file(MAKE_DIRECTORY "${BINARY_DIRECTORY}")
execute_process(
  COMMAND "${C_COMPILER}" -o "${BINARY_DIRECTORY}/program" "${CMAKE_CURRENT_LIST_DIR}/package/program.c" ${flags}
    "-Wl,-rpath,${PREFIX}/${LIBDIR}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${BINARY_DIRECTORY}/program" COMMAND_ERROR_IS_FATAL ANY)
