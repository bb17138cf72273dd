# SPDX-License-Identifier: Apache-2.0
# Configures and builds a project that uses the libraries, from nothing, and runs its programs from its build tree.
string(REPLACE "|" ";" OPTIONS "${OPTIONS}")
string(REPLACE "|" ";" PROGRAMS "${PROGRAMS}")

file(REMOVE_RECURSE "${BINARY_DIRECTORY}")
execute_process(
  COMMAND "${CMAKE_COMMAND}" -S "${CONSUMER}" -B "${BINARY_DIRECTORY}" -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}"
    "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" ${OPTIONS}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BINARY_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
foreach(program IN LISTS PROGRAMS)
  execute_process(COMMAND "${BINARY_DIRECTORY}/${program}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
