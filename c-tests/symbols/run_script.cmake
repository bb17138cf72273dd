# SPDX-License-Identifier: Apache-2.0
# Runs check_symbols.sh and fails unless it ends with EXPECTED_EXIT and says EXPECTED_TEXT.
set(ENV{NM} "${NM}")
execute_process(COMMAND sh "${SCRIPT}" "${LIST}" libspecimen.so "${FILE}"
  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(FIND "${said}" "${EXPECTED_TEXT}" position)
if(NOT status EQUAL EXPECTED_EXIT OR position EQUAL -1)
  message(FATAL_ERROR "expected exit status ${EXPECTED_EXIT} and '${EXPECTED_TEXT}', got ${status} and: ${said}")
endif()
