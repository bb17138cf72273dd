# SPDX-License-Identifier: Apache-2.0
# Finds cargo and rustc, and says what to install where they are missing or too old.

file(STRINGS "${PROJECT_SOURCE_DIR}/Cargo.toml" ipckit_rust_version REGEX "^rust-version = \"")
string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" ipckit_rust_version "${ipckit_rust_version}")

set(ipckit_rust_advice
  "IPCKit is written in Rust and needs cargo and rustc ${ipckit_rust_version} or newer. Install them with one of:
  rustup toolchain install stable          (any Linux; rustup itself: https://rustup.rs)
  apt-get install cargo-web rustc-web      (Debian 12)
or name another cargo with -DIPCKIT_CARGO=/path/to/cargo.")

set(ipckit_cargo_places "$ENV{HOME}/.cargo/bin")
if(DEFINED ENV{CARGO_HOME})
  list(PREPEND ipckit_cargo_places "$ENV{CARGO_HOME}/bin")
endif()
find_program(IPCKIT_CARGO cargo PATHS ${ipckit_cargo_places} DOC "The cargo that builds the libraries")
if(NOT IPCKIT_CARGO)
  message(FATAL_ERROR "cargo was not found.\n${ipckit_rust_advice}")
endif()

# cargo looks for rustc on the PATH; one beside cargo will do where there is none.
cmake_path(GET IPCKIT_CARGO PARENT_PATH ipckit_cargo_directory)
if(DEFINED ENV{RUSTC})
  set(ipckit_rustc "$ENV{RUSTC}")
else()
  find_program(ipckit_rustc rustc PATHS "${ipckit_cargo_directory}" NO_CACHE)
endif()
if(NOT ipckit_rustc)
  message(FATAL_ERROR "rustc was not found, only ${IPCKIT_CARGO}.\n${ipckit_rust_advice}")
endif()

foreach(tool IN ITEMS "${IPCKIT_CARGO}" "${ipckit_rustc}")
  # In the source directory, where rust-toolchain.toml has a say.
  execute_process(COMMAND "${tool}" -vV
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" RESULT_VARIABLE status OUTPUT_VARIABLE ipckit_tool_says ERROR_VARIABLE error)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${tool} does not run (${status}): ${error}\n${ipckit_rust_advice}")
  endif()
  string(REGEX MATCH "release: ([0-9]+\\.[0-9]+\\.[0-9]+)" matched "${ipckit_tool_says}")
  if(NOT matched OR CMAKE_MATCH_1 VERSION_LESS ipckit_rust_version)
    message(FATAL_ERROR "${tool} is version ${CMAKE_MATCH_1}: too old.\n${ipckit_rust_advice}")
  endif()
endforeach()

string(REGEX MATCH "host: ([^\n]+)" matched "${ipckit_tool_says}")
set(IPCKIT_CARGO_TARGET "${CMAKE_MATCH_1}" CACHE STRING "The target triple that cargo builds for")
