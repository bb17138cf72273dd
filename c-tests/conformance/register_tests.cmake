# SPDX-License-Identifier: Apache-2.0
# Run by the build (cmake -P): registers each test that the program knows with ctest, once for each behaviour.
execute_process(COMMAND "${PROGRAM}" --list RESULT_VARIABLE status OUTPUT_VARIABLE names)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --list ended with ${status}")
endif()
string(STRIP "${names}" names)
string(REPLACE "\n" ";" names "${names}")

set(script "")
foreach(name IN LISTS names)
  foreach(behaviour IN ITEMS documented device)
    set(test "conformance.${behaviour}.${name}")
    string(APPEND script "add_test([[${test}]] [[${PROGRAM}]] [[${name}]])\n")
    # The program itself bounds each test and says what hangs; this is for when that fails.
    string(APPEND script "set_tests_properties([[${test}]] PROPERTIES TIMEOUT 600 ENVIRONMENT \"IPCKIT_BEHAVIOUR=${behaviour}\")\n")
  endforeach()
endforeach()
# As often as it takes for what leaks rarely. Not one of the suite's, which sanitizers run many times slower.
string(APPEND script "add_test([[thousand_children]] [[${PROGRAM}]] [[leftovers.nothing_is_left_of_many_children]])\n")
string(APPEND script "set_tests_properties([[thousand_children]] PROPERTIES TIMEOUT 600 ENVIRONMENT \"CONFORMANCE_CHILDREN=1000;CONFORMANCE_LIMIT=500\")\n")
file(WRITE "${OUTPUT}" "${script}")
