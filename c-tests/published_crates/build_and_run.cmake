# SPDX-License-Identifier: Apache-2.0
# Builds the package against the libraries in LIBRARY_DIRECTORY, with nothing but search paths said to cargo, and runs it.

# What is meant for the C build around this is not for cargo.
foreach(variable IN ITEMS CFLAGS LDFLAGS LD_PRELOAD MAKEFLAGS MFLAGS RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET)
  unset(ENV{${variable}})
endforeach()
# With its newest interface ohos-abilitykit-sys also names libraries of a device that there is nothing of here, and nothing is used of.
foreach(name IN ITEMS ability_base_want ability_runtime)
  file(WRITE "${TARGET_DIRECTORY}/empty/lib${name}.a" "!<arch>\n")
endforeach()
string(ASCII 31 separator)
string(JOIN "${separator}" flags -L "native=${LIBRARY_DIRECTORY}" -L "native=${TARGET_DIRECTORY}/empty" -C "link-arg=-Wl,-rpath,${LIBRARY_DIRECTORY}")
set(ENV{CARGO_ENCODED_RUSTFLAGS} "${flags}")

execute_process(COMMAND "${CARGO}" fetch --locked --offline WORKING_DIRECTORY "${PACKAGE}" RESULT_VARIABLE status
  OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 0 AND NOT OFFLINE)
  execute_process(COMMAND "${CARGO}" fetch --locked WORKING_DIRECTORY "${PACKAGE}" RESULT_VARIABLE status
    OUTPUT_QUIET ERROR_VARIABLE error)
endif()
if(NOT status EQUAL 0)
  message("skipped: cargo lacks the crates and could not download them; run `cargo fetch` in ${PACKAGE} with a network\n${error}")
  return()
endif()

execute_process(COMMAND "${CARGO}" build --locked --offline --target-dir "${TARGET_DIRECTORY}" WORKING_DIRECTORY "${PACKAGE}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${TARGET_DIRECTORY}/debug/published_crates" COMMAND_ERROR_IS_FATAL ANY)
