# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs the conformance suite in both behaviours again and again, without ctest, which starts each test by itself. Read by ./run and
# scripts/sanitizers.sh, which set $root.

repeat_build=$root/build/tests
repeat_logs=$root/build/repeat

# The names of tests that a run leaves out, as a regular expression of the extended kind.
left_out_tests=''

tests_of_suite() {
    "$1" --list | grep -vE "^($left_out_tests)$"
}

# The suite's files of tests, once in each behaviour; test by test where some are left out.
parts_of_suite() {
    local behaviour
    for behaviour in documented device; do
        if [ -z "$left_out_tests" ]; then
            tests_of_suite "$1" | cut -d. -f1 | sort -u
        else
            tests_of_suite "$1"
        fi | sed "s/^/$behaviour /"
    done
}

# run_suite PROGRAM JOBS LOGS COMMAND...: so many files at a time; before each program come the words of COMMAND. Prints how many tests ran,
# or which failed.
run_suite() {
    local program=$1 logs=$3 count
    rm -rf "$logs"
    mkdir -p "$logs"
    # The words are for the shells that xargs starts.
    # shellcheck disable=SC2016
    if ! parts_of_suite "$program" | xargs -P "$2" -L 1 "${@:4}" bash -c \
        'IPCKIT_BEHAVIOUR=$2 exec "$0" "$3" >"$1/$2.$3.log" 2>&1' "$program" "$logs"; then
        grep -h -E '^FAILED|^failed' "$logs"/*.log >&2
        echo "tests failed; see $logs" >&2
        return 1
    fi
    count=$(cat "$logs"/*.log | awk '/^[0-9]+ tests, 0 failed$/ { sum += $1 } END { print sum + 0 }')
    if [ "$count" != $((2 * $(tests_of_suite "$program" | wc -l))) ]; then
        echo "only $count tests ran; see $logs" >&2
        return 1
    fi
    echo "$count"
}

# repeat_suite NAME TIMES JOBS COMMAND...: stops at the first run that fails.
repeat_suite() {
    local name=$1 times=$2 run start count all=0
    for run in $(seq "$times"); do
        start=$SECONDS
        count=$(run_suite "$repeat_build/c-tests/conformance/conformance" "$3" "$repeat_logs/$name" "${@:4}") ||
            die "$name: run $run of $times failed"
        all=$((all + count))
        echo "$name: run $run of $times: $count tests, 0 failed, $((SECONDS - start)) s"
    done
    echo "$name: $times runs in a row, $all tests, 0 failed"
}

# repeat [TIMES [all|one]]: on all processors, and on one.
run_repeat() {
    # Some children do for many where it is all done so often; the test that starts a thousand is apart.
    export CONFORMANCE_CHILDREN=60
    local times=${1:-1} where=${2:-both}
    [[ $times =~ ^[1-9][0-9]*$ ]] || die "TIMES is a number above 0, not $times"
    [[ $where =~ ^(both|all|one)$ ]] || die "usage: ./run repeat [TIMES [all|one]]"
    require_build_tools
    configure_project "$repeat_build"
    quietly cmake --build "$repeat_build" -j "$(nproc)" --target conformance
    [ "$where" = one ] || repeat_suite all "$times" "$(($(nproc) * 4))" env
    [ "$where" = all ] || repeat_suite one "$times" 6 taskset -c 0
}
