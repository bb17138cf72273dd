# SPDX-License-Identifier: Apache-2.0
# check_no_mutations.sh LIBRARY: fails where the library has the variable that breaks it on purpose. The search itself is seen to
# work by a variable that the library does have.
set -eu
if ! grep -qE 'IPCKIT_(BEHAVIOUR|CHILD_HEAD_START_MS)' "$1"; then
    echo "$1 names none of its own variables: this search finds nothing"
    exit 2
fi
if grep -q IPCKIT_MUTATION "$1"; then
    echo "$1 was built with the feature \`mutations\`, which is for ./run mutants alone"
    exit 1
fi
