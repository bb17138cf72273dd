# SPDX-License-Identifier: Apache-2.0
# check_no_faults.sh LIBRARY: fails where the library has a variable that breaks it, or its process, on purpose. The search itself is
# seen to work by a variable that the library does have.
set -eu
if ! grep -qE 'IPCKIT_(BEHAVIOUR|CHILD_HEAD_START_MS)' "$1"; then
    echo "$1 names none of its own variables: this search finds nothing"
    exit 2
fi
if grep -q IPCKIT_MUTATION "$1"; then
    echo "$1 was built with the feature \`mutations\`, which is for ./run mutants alone"
    exit 1
fi
if grep -q IPCKIT_FAULT_POINTS "$1"; then
    echo "$1 was built with the feature \`fault_points\`, which is for ./run soak alone"
    exit 1
fi
