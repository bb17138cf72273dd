# SPDX-License-Identifier: Apache-2.0
# Whether the library has every function that Node's headers declare.
execute_process(COMMAND "${NM}" -D --defined-only "${LIBRARY}" OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
set(count 0)
foreach(header IN ITEMS js_native_api.h node_api.h)
  file(READ "${HEADERS}/${header}" text)
  string(REGEX MATCHALL "(napi|node_api)_[a-z0-9_]+\\(" names "${text}")
  foreach(name IN LISTS names)
    string(REPLACE "(" "" name "${name}")
    # Not functions: a cast's type, and a macro's argument.
    if(name STREQUAL "napi_value" OR name MATCHES "_v[0-9]*$")
      continue()
    endif()
    math(EXPR count "${count} + 1")
    if(NOT exported MATCHES " T ${name}\n")
      message(SEND_ERROR "${header} declares ${name}, and the library does not have it: add it to ace_napi/src/functions.rs")
    endif()
  endforeach()
endforeach()
# Less is not what the headers are known to declare, but a pattern that no longer fits them.
if(count LESS 140)
  message(SEND_ERROR "only ${count} functions were found in ${HEADERS}")
endif()
message(STATUS "${count} functions that ${HEADERS} declares are there")
