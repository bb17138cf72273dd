# SPDX-License-Identifier: Apache-2.0
# add_test_programs(<prefix> <source>...): of each source a program <prefix>_<source's name>, which is a test of the name
# <prefix>.<source's name>. It passes by ending with 0, without that a process says that a wake-up was lost.
find_package(Threads REQUIRED)

set(test_programs_directory "${CMAKE_CURRENT_LIST_DIR}")

function(add_test_programs prefix)
  foreach(source IN LISTS ARGN)
    cmake_path(GET source STEM name)
    add_executable(${prefix}_${name} ${source})
    set_target_properties(${prefix}_${name} PROPERTIES C_STANDARD 11 CXX_STANDARD 11)
    target_compile_options(${prefix}_${name} PRIVATE -Wall -Wextra -Wpedantic)
    target_include_directories(${prefix}_${name} PRIVATE "${test_programs_directory}")
    target_link_libraries(${prefix}_${name} PRIVATE IPCKit::ipc_capi Threads::Threads)
    add_test(NAME ${prefix}.${name} COMMAND ${prefix}_${name})
    # Only a program that hangs takes as long.
    set_tests_properties(${prefix}.${name} PROPERTIES
      TIMEOUT 120 ENVIRONMENT "IPCKIT_LATE_LOOKS=2" FAIL_REGULAR_EXPRESSION "a wake-up was lost")
  endforeach()
endfunction()
