# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The C tests under sanitizers. Read by ./run and scripts/test.sh, which set $root. Any report fails the run, whichever process it is of; and
# a run in which a sanitizer would not have reported anything fails too.

source "$root/scripts/repeat.sh"

# The C tests that run: the whole suite of what is specified between processes, in both behaviours, and those of single headers.
sanitized_headers='cparcel|cremote_object|cskeleton'
# So many at a time: most tests wait most of the time.
sanitized_jobs=$(($(nproc) * 3))
# The others, and why not:
# - headers, symbols, install: they look at files, and run little of the libraries;
# - limits, and parts of robustness, child_process and hilog: they take address space or memory away (RLIMIT_AS), of which a sanitizer's
#   runtime reserves terabytes; start threads after a fork of a process with threads, which the thread sanitizer refuses; filter system
#   calls, which the runtime's own threads come under; or compare what a process prints, which a runtime adds to;
# - thread_sanitizer: they are built for one themselves, with libraries as they are.

sanitizer_place=$root/build/sanitizers

# build_sanitized KIND CXX_FLAGS RUST_FLAGS: RUST_FLAGS are empty where the libraries are to be as they are for everybody.
build_sanitized() {
    local target targets cargo=$root/build/cargo
    [ -z "$3" ] || cargo=$sanitizer_place/$1/cargo
    (
        # The flags are not stable yet; what they ask for is part of every compiler.
        [ -z "$3" ] || export RUSTC_BOOTSTRAP=1
        configure_project "$sanitizer_place/$1" "-DIPCKIT_CARGO_TARGET_DIR=$cargo" "-DIPCKIT_RUST_FLAGS=$3" \
            "-DCMAKE_C_FLAGS=$2" "-DCMAKE_CXX_FLAGS=$2"
        mapfile -t targets < <(cmake --build "$sanitizer_place/$1" --target help | grep -oE "\b(conformance${sanitized_headers:+|($sanitized_headers)_[a-z_]+})\b" | sort -u)
        # One after the other: of several at once make builds what they share more than once, and one runs what another still writes.
        for target in "${targets[@]}"; do
            cmake --build "$sanitizer_place/$1" -j "$(nproc)" --target "$target"
        done
    ) >"$sanitizer_place/$1.build.log" 2>&1 || {
        tail -n 40 "$sanitizer_place/$1.build.log" >&2
        return 1
    }
}

# expect_in_libraries KIND SYMBOL: each library calls the sanitizer.
expect_in_libraries() {
    local library
    for library in libipc_capi.so libchild_process.so libhilog_ndk.z.so; do
        if ! nm -D --undefined-only "$sanitizer_place/$1/lib/$library" | grep " $2" >/dev/null; then
            echo "$library was not built for the sanitizer: it does not refer to $2..." >&2
            return 1
        fi
    done
}

# What processes have reported goes into files beside each other, one a process.
# valgrind also says there which system calls it does not know; it answers them as an older kernel does. A process that is killed while it
# looks for leaks says that it can stop or see nothing of its threads: no report.
reports_of() {
    find "$sanitizer_place/$1.reports" -type f -exec awk '
        /^==[0-9]+==Unable to get registers from thread [0-9]+\.$/ { next }
        /^==[0-9]+==Running thread [0-9]+ was not suspended\. False leaks are possible\.$/ { next }
        /^==[0-9]+==|Sanitizer|runtime error/ && !seen[FILENAME]++ { print FILENAME }' {} +
}

forget_reports() {
    rm -rf "$sanitizer_place/$1.reports"
    mkdir -p "$sanitizer_place/$1.reports"
}

# expect_reports KIND TEXT COMMAND...: the faults on purpose are reported, in the test's process and in an actor.
expect_reports() {
    local fault
    for fault in in_the_test in_an_actor; do
        forget_reports "$1"
        "${@:3}" "$sanitizer_place/$1/c-tests/conformance/conformance" "sanitizer_faults.$fault" >"$sanitizer_place/$1.fault.log" 2>&1 || true
        if ! cat $(reports_of "$1") /dev/null | grep "$2" >/dev/null; then
            echo "a fault on purpose was not reported ($fault): the sanitizer is not on" >&2
            tail -n 20 "$sanitizer_place/$1.fault.log" >&2
            return 1
        fi
    done
    forget_reports "$1"
}

# run_sanitized KIND REPETITIONS: the tests, and no report of any process.
run_sanitized() {
    local repetition start status count of_headers reports log=$sanitizer_place/$1.log
    # What takes a second can take many: the bounds of the suite are raised, and some children do for many.
    export CONFORMANCE_LIMIT=${CONFORMANCE_LIMIT:-300} CONFORMANCE_CHILDREN=60
    for repetition in $(seq "$2"); do
        start=$SECONDS
        forget_reports "$1"
        status=0
        count=$(run_suite "$sanitizer_place/$1/c-tests/conformance/conformance" "$sanitized_jobs" "$sanitizer_place/$1.suite" env) || status=$?
        if [ -n "$sanitized_headers" ]; then
            ctest --test-dir "$sanitizer_place/$1" -j "$sanitized_jobs" -R "^($sanitized_headers)\." --output-on-failure --no-tests=error \
                >"$log" 2>&1 || status=$?
            of_headers=$(sed -n 's/^100% tests passed, 0 tests failed out of //p' "$log")
            count=$((${count:-0} + ${of_headers:-0}))
        fi
        reports=$(reports_of "$1")
        if [ "$status" != 0 ] || [ -n "$reports" ]; then
            [ -z "$sanitized_headers" ] || grep -A 200 'tests passed' "$log" >&2 || tail -n 40 "$log" >&2
            [ -z "$reports" ] || head -n 60 $(head -n 5 <<<"$reports") >&2
            echo "$1: repetition $repetition of $2 failed; see $sanitizer_place/$1.suite, $log and $sanitizer_place/$1.reports" >&2
            return 1
        fi
        echo "$1: repetition $repetition of $2: $count tests, 0 failed, no report, $((SECONDS - start)) s"
    done
}

sanitize_address() {
    local place=$sanitizer_place/address.reports/report
    # Whether an object is what its type says is found out with a pipe, and some tests take all descriptors away: so not that.
    build_sanitized address \
        "-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined" \
        "-Zsanitizer=address -Zexternal-clangrt -Cforce-frame-pointers=yes -Clink-arg=-lasan"
    expect_in_libraries address __asan_
    # Of thread-local memory of libraries that were loaded later the runtime guesses by an address how it was come by; where the guess is
    # wrong, once in some thousand processes, the search for leaks reads at a wild address. Without it that memory is found as other is.
    export ASAN_OPTIONS="log_path=$place:exitcode=66:intercept_tls_get_addr=0" UBSAN_OPTIONS="print_stacktrace=1:log_path=$place"
    expect_reports address 'AddressSanitizer: heap-buffer-overflow'
    run_sanitized address "$1"
}

# A report does not end the process, and one that ends normally does not wait for more for a second, as it would by default.
export_thread_options() {
    export TSAN_OPTIONS="log_path=$sanitizer_place/$1.reports/report:exitcode=66:atexit_sleep_ms=50"
}

sanitize_thread() {
    build_sanitized thread "-g -O1 -fsanitize=thread" ""
    export_thread_options thread
    expect_reports thread 'ThreadSanitizer: data race'
    run_sanitized thread "$1"
}

sanitize_thread_all() {
    local between=$sanitizer_place/thread_sanitizer_runtime.o
    cc -O1 -fPIC -fno-builtin -c "$root/scripts/thread_sanitizer_runtime.c" -o "$between"
    build_sanitized thread-all "-g -O1 -fsanitize=thread" \
        "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -Zexternal-clangrt --cfg=ipckit_thread_sanitizer -Clink-arg=$between -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub -Clink-arg=-ltsan"
    expect_in_libraries thread-all __tsan_
    export_thread_options thread-all
    expect_reports thread-all 'ThreadSanitizer: data race'
    run_sanitized thread-all "$1"
}

# valgrind runs one thread at a time and slowly: what takes a second can take a minute, so the bounds of suite and library are raised.
sanitize_valgrind() {
    local sanitized_headers=''
    # These look at what valgrind shows of a process as its own: its command line, and the signals that it catches and holds back.
    local left_out_tests='child_configs\.(a_name_without_configs|names_that_are_refused_change_nothing)'
    left_out_tests+='|child_surroundings\.signals_are_as_by_default'
    # These take descriptors away. valgrind refuses to lower the upper limit, and where only one descriptor is left lets socketpair give two,
    # of which the second cannot be used.
    left_out_tests+='|child_life\.the_limit_of_descriptors_is_named|shortage\.an_owner_without_descriptors_is_not_dead'
    build_sanitized valgrind "-g -O1" ""
    export CONFORMANCE_LIMIT=500 IPCKIT_CHILD_START_TIMEOUT_MS=200000
    # Without its debugger's server, of which a process that is killed would leave files behind. Without a look for leaks, which the address
    # sanitizer finds: in a child's guardian it would look through memory that the guardian does not have, a fault for each word.
    export CONFORMANCE_UNDER="valgrind --quiet --trace-children=yes --error-exitcode=66 --fair-sched=yes --vgdb=no --leak-check=no \
        --read-inline-info=no --suppressions=$root/scripts/valgrind.supp --log-file=$sanitizer_place/valgrind.reports/report.%p"
    expect_reports valgrind 'Invalid read'
    run_sanitized valgrind "$1"
}

# run_sanitizers KIND REPETITIONS
run_sanitizers() {
    local kind kinds=("$1")
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "REPETITIONS is a number above 0, not $2"
    case $1 in
    all) kinds=(address thread thread-all valgrind) ;;
    address | thread | thread-all | valgrind) ;;
    *) die "there is no sanitizer $1; there are: address thread thread-all valgrind all" ;;
    esac
    mkdir -p "$sanitizer_place"
    for kind in "${kinds[@]}"; do
        if [ "$kind" = valgrind ]; then
            has valgrind || install_or_name valgrind
        fi
        # A shell of its own: the options of one are not the next one's.
        (set -e; "sanitize_${kind/-/_}" "$2")
    done
}
