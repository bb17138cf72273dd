# SPDX-License-Identifier: Apache-2.0
# Run by the build (cmake -P): has cargo build everything and puts it into one directory under the names it goes by.
# Without the network as long as cargo has what it needs.

# What is meant for the C and C++ of the surrounding build must not reach what cargo compiles and runs:
# sanitizer options and preloaded runtimes among it, and a make's job server that is closed to us.
foreach(variable IN ITEMS CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LD_PRELOAD MAKEFLAGS MFLAGS)
  unset(ENV{${variable}})
endforeach()
foreach(variable IN ITEMS CC CXX)
  if("$ENV{${variable}}" MATCHES " ")
    unset(ENV{${variable}})
  endif()
endforeach()

# For sanitizers; they are for what is built for the target, so not in the environment of the whole build.
if(RUST_FLAGS)
  set(ENV{RUSTFLAGS} "${RUST_FLAGS}")
endif()

cmake_path(GET CARGO PARENT_PATH cargo_directory)
set(ENV{PATH} "$ENV{PATH}:${cargo_directory}")

set(fetch "${CARGO}" fetch --locked --target "${TARGET}")
execute_process(COMMAND ${fetch} --offline
  WORKING_DIRECTORY "${SOURCE_DIRECTORY}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE error)
if(NOT status EQUAL 0)
  if(OFFLINE)
    message(FATAL_ERROR "IPCKIT_OFFLINE is on, and cargo lacks something that it would have to download.\n${error}\n"
      "Run `cargo fetch --locked` in ${SOURCE_DIRECTORY} once with a network, or build with -DIPCKIT_OFFLINE=OFF.")
  endif()
  message(STATUS "cargo downloads the crates that Cargo.lock names")
  execute_process(COMMAND ${fetch} WORKING_DIRECTORY "${SOURCE_DIRECTORY}" RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "cargo could not download the crates that Cargo.lock names; what it said stands above.")
  endif()
endif()

execute_process(
  COMMAND "${CARGO}" build --locked --offline --profile "${PROFILE}" --target "${TARGET}" --target-dir "${TARGET_DIRECTORY}"
    -p ipc_capi -p child_process -p hilog_ndk_z -p ace_napi_z "--features=${FEATURES}"
  WORKING_DIRECTORY "${SOURCE_DIRECTORY}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "cargo could not build the libraries; what it said stands above.")
endif()

if(PROFILE STREQUAL "dev")
  set(built "${TARGET_DIRECTORY}/${TARGET}/debug")
else()
  set(built "${TARGET_DIRECTORY}/${TARGET}/${PROFILE}")
endif()
file(MAKE_DIRECTORY "${LIBRARY_DIRECTORY}")
# cargo can put no dot into a library's file name.
foreach(pair IN ITEMS "libipc_capi.so=libipc_capi.so" "libchild_process.so=libchild_process.so"
    "libhilog_ndk_z.so=libhilog_ndk.z.so" "libace_napi_z.so=libace_napi.z.so" "ipckit_native_child=ipckit_native_child")
  string(REPLACE "=" ";" pair "${pair}")
  list(GET pair 0 from)
  list(GET pair 1 to)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${built}/${from}" "${LIBRARY_DIRECTORY}/${to}"
    RESULT_VARIABLE differs OUTPUT_QUIET ERROR_QUIET)
  if(differs)
    # Written beside and renamed: a program that has the old one loaded keeps it whole.
    file(COPY_FILE "${built}/${from}" "${LIBRARY_DIRECTORY}/${to}.new")
    file(RENAME "${LIBRARY_DIRECTORY}/${to}.new" "${LIBRARY_DIRECTORY}/${to}")
  endif()
endforeach()
