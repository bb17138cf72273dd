# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs the conformance suite in both behaviours again and again. Read by ./run, which sets $root.

repeat_build=$root/build/tests

# repeat_suite NAME TIMES JOBS COMMAND...: before each run of ctest come the words of COMMAND. Stops at the first failure.
repeat_suite() {
    local name=$1 times=$2 jobs=$3 run start log=$root/build/repeat_$1.log tests=0
    for run in $(seq "$times"); do
        start=$SECONDS
        if ! "${@:4}" ctest --test-dir "$repeat_build" -j "$jobs" -R '^conformance\.' --output-on-failure --no-tests=error \
            --output-log "$log" >/dev/null 2>&1; then
            grep -A 100 'tests passed' "$log" >&2 || tail -n 40 "$log" >&2
            echo "$name: run $run of $times failed; see $log" >&2
            return 1
        fi
        tests=$((tests + $(sed -n 's/.* 0 tests failed out of \([0-9]*\)$/\1/p' "$log")))
        echo "$name: run $run of $times: $(grep 'tests passed' "$log"), $((SECONDS - start)) s"
    done
    echo "$name: $times runs in a row, $tests tests, 0 failed"
}

# repeat [TIMES [all|one]]: on all processors, and on one.
run_repeat() {
    local times=${1:-1} where=${2:-both}
    [[ $times =~ ^[1-9][0-9]*$ ]] || die "TIMES is a number above 0, not $times"
    require_build_tools
    configure_project "$repeat_build"
    quietly cmake --build "$repeat_build" -j "$(nproc)"
    case $where in
    all) repeat_suite all "$times" "$(($(nproc) * 2))" env ;;
    one) repeat_suite one "$times" 3 taskset -c 0 ;;
    both)
        run_repeat "$times" all
        run_repeat "$times" one
        ;;
    *) die "usage: ./run repeat [TIMES [all|one]]" ;;
    esac
}
