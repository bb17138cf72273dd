# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Everything that CI does. Read by ./run, which sets $root. A step that fails does not keep the others from running.

source "$root/scripts/fuzz.sh"
source "$root/scripts/instructions.sh"
source "$root/scripts/leftovers.sh"
source "$root/scripts/matrix.sh"
source "$root/scripts/sanitizers.sh"
source "$root/scripts/memory.sh"
source "$root/scripts/soak.sh"

shared=$root/../shared
tests_build=$root/build/tests
repetitions=30
sample_repetitions=5
summary=()
passed=0 failed=0 skipped=0

# step NAME COMMAND...
step() {
    local status start=$SECONDS
    printf '\n=== %s\n' "$1"
    # A shell of its own, whose status is not tested: only so does `set -e` hold in the command's functions.
    set +e
    (set -e; "${@:2}")
    status=$?
    set -e
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        summary+=("ok       $1 ($((SECONDS - start)) s)")
    else
        failed=$((failed + 1))
        summary+=("FAILED   $1 (status $status)")
    fi
}

# not_run NAME REASON
not_run() {
    skipped=$((skipped + 1))
    summary+=("not run  $1: $2")
}

in_root() { (cd "$root" && "$@"); }

# Those of Node-API, beside Node.js.
has_node_headers() { has node && [ -e "$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")/include/node/node_api.h" ]; }

# Those that clang's sanitizers need, which are in a package of their own.
has_clang_runtimes() { has clang && [ -e "$(clang -print-file-name="libclang_rt.asan-$(uname -m).so")" ]; }

# The package is for one version of clang.
install_clang_runtimes() {
    local version
    has clang || return 0
    has_clang_runtimes && return
    version=$(clang -dumpversion)
    install "libclang-rt-${version%%.*}-dev" || true
    has_clang_runtimes || not_run "tests that use clang's sanitizers" "libclang-rt-${version%%.*}-dev is not installed, and could not be"
}

# Where the tests look for it.
has_libfaketime() {
    compgen -G "/usr/lib*/*/faketime/libfaketimeMT.so.1" >/dev/null || compgen -G "/usr/lib*/faketime/libfaketimeMT.so.1" >/dev/null ||
        [ -e /usr/local/lib/faketime/libfaketimeMT.so.1 ]
}

# Tools that tests use where they are there.
install_test_tools() {
    local package missing=()
    has clang || missing+=(clang)
    has valgrind || missing+=(valgrind)
    has gdb || missing+=(gdb)
    has pkg-config || missing+=(pkg-config)
    has readelf && has nm || missing+=(binutils)
    has node || missing+=(nodejs)
    has_node_headers || has npm || missing+=(libnode-dev)
    has_libfaketime || missing+=(libfaketime)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}" || true
    for package in "${missing[@]}"; do
        case $package in
        binutils) has nm ;;
        nodejs) has node ;;
        libnode-dev) has_node_headers ;;
        libfaketime) has_libfaketime ;;
        *) has "$package" ;;
        esac || not_run "tests that use $package" "it is not installed, and could not be"
    done
    install_clang_runtimes
}

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        in_root cargo nextest run --locked --workspace
        in_root cargo test --locked --workspace --doc
    else
        in_root cargo test --locked --workspace
    fi
}

loom_is_there() { (cd "$root/tests/models" && quietly cargo fetch --locked); }

# Apart from other builds, as the flag is for all crates.
loom_models() {
    (cd "$root/tests/models" && CARGO_TARGET_DIR=$root/target/loom RUSTFLAGS="--cfg loom" cargo test --locked --quiet)
}

c_build() {
    configure_project "$tests_build"
    cmake --build "$tests_build" -j "$(nproc)"
}

c_tests() {
    # Most tests wait most of the time.
    ctest --test-dir "$tests_build" -j "$(($(nproc) * 2))" --output-on-failure --no-tests=error | tee "$tests_build/ctest.log"
}

# What a test that was skipped said of why: its first line.
why_skipped() {
    awk -v name="$1" '$2 == "Test:" && $3 == name { found = 1 } found && /^-+$/ { getline; print; exit }' \
        "$tests_build/Testing/Temporary/LastTest.log" | sed 's/^skipped: //'
}

name_skipped_c_tests() {
    local name
    [ -e "$tests_build/ctest.log" ] || return 0
    while read -r name; do
        not_run "C test $name" "$(why_skipped "$name")"
    done < <(sed -n 's/^[[:space:]]*[0-9]* - \(.*\) (Skipped)$/\1/p' "$tests_build/ctest.log")
}

# repeat_program COUNT PROGRAM CHECK...: runs it again and again; each run exits 0, leaves nothing behind, and passes the check,
# which is given the files with what it wrote to standard output and standard error.
repeat_program() {
    local run status place
    place=$(mktemp -d)
    for run in $(seq "$1"); do
        status=0
        run_and_look_for_leftovers timeout --kill-after=5 60 env -u LD_LIBRARY_PATH "$2" >"$place/out" 2>"$place/err" || status=$?
        if [ "$status" != 0 ] || ! "${@:3}" "$place/out" "$place/err"; then
            echo "run $run of $1: status $status, output:"
            cat "$place/out" "$place/err"
            rm -rf "$place"
            return 1
        fi
    done
    rm -rf "$place"
    echo "$1 runs: each printed what it should, exited 0 and left nothing behind"
}

# has_printed SAMPLE OUT ERR
has_printed() { diff "$root/samples/$1/output.txt" "$2"; }

has_printed_the_sum() { cat "$@" | grep -qF 'AsyncAdd: 2 + 3 = 5, ret=0'; }

# repeat_sample NAME COUNT
repeat_sample() {
    build_libraries
    build_sample "$1"
    repeat_program "$2" "$sample_program" has_printed "$1"
}

repeat_guide() {
    build_guide "$1"
    repeat_program "$repetitions" "$guide_program" has_printed_the_sum
}

# The recorded run had the standard descriptors and number 10 open, and the numbers that follow from that are compared.
compare_with_recording() {
    local descriptor
    for descriptor in {3..9} {11..40}; do
        eval "exec $descriptor>&-"
    done
    # Apart: bash keeps what a redirection replaces under number 10 for a moment, and closes that.
    exec </dev/null
    exec 10</dev/null
    bash "$shared/spec/vectors/compare.sh" "$tests_build/lib/libipc_capi.so"
}

run_all_tests() {
    require_build_tools
    install_test_tools
    # What the crates need is there after this, whichever step comes first.
    step "cargo fetch" in_root cargo fetch --locked
    (cd "$root/tests/published_crates" && quietly cargo fetch --locked) ||
        not_run "the published crates" "cargo could not download them"

    if cargo fmt --version >/dev/null 2>&1; then
        step "cargo fmt" in_root cargo fmt --all --check
        step "cargo fmt of benches/" in_root cargo fmt --manifest-path benches/Cargo.toml --check
        step "cargo fmt of tests/models/" in_root cargo fmt --manifest-path tests/models/Cargo.toml --check
        step "cargo fmt of fuzz/" in_root cargo fmt --manifest-path fuzz/Cargo.toml --check
    else
        not_run "cargo fmt" "this Rust toolchain has no rustfmt"
    fi
    if cargo clippy --version >/dev/null 2>&1; then
        step "cargo clippy" in_root cargo clippy --locked --workspace --all-targets -- -D warnings
    else
        not_run "cargo clippy" "this Rust toolchain has no clippy"
    fi
    step "MATRIX.md" check_matrix
    step "Rust tests" rust_tests
    if loom_is_there; then
        step "loom models" loom_models
    else
        not_run "loom models" "cargo could not download loom"
    fi
    local why
    why=$(why_no_fuzzing)
    if [ -z "$why" ]; then
        step "fuzz targets: build" build_fuzz_targets
        step "fuzz targets, $fuzz_seconds s each" fuzz_for_a_moment
    else
        not_run "fuzz targets, $fuzz_seconds s each" "$why"
    fi
    step "C build" c_build
    rm -f "$tests_build/ctest.log"
    step "C tests" c_tests
    name_skipped_c_tests
    step "deaths at some of the library's steps" soak_steps --sample 60
    step "deaths at random moments, for a while" soak_kill --seconds 15
    step "the conformance suite with AddressSanitizer" conformance_under_address_sanitizer
    if rust_has_address_sanitizer; then
        step "the parcel with AddressSanitizer" parcel_under_address_sanitizer
    else
        not_run "the parcel with AddressSanitizer" "this Rust toolchain comes without the sanitizer's runtime"
    fi
    # Where it could not be installed the summary says so already.
    if has valgrind; then
        step "the NULL cases under valgrind" null_arguments_under_valgrind
    fi
    if cargo miri --version >/dev/null 2>&1; then
        step "the parcel under Miri" parcel_under_miri
    else
        not_run "the parcel under Miri" "this Rust toolchain has no Miri, which comes with nightly ones only"
    fi
    why=$(why_no_instructions)
    if [ -z "$why" ]; then
        step "instruction counts" compare_instructions
    else
        not_run "instruction counts" "$why"
    fi
    local sample count
    for sample in $(sample_names); do
        # What the guide teaches first runs most often: it found what came up once in 30 runs.
        count=$([ "$sample" = async_add ] && echo "$repetitions" || echo "$sample_repetitions")
        step "the sample $sample, $count times" repeat_sample "$sample" "$count"
    done

    local guide guides=("$shared"/guide/*.md)
    if [ -e "${guides[0]}" ]; then
        for guide in "${guides[@]}"; do
            step "the guide $(basename "$guide"), $repetitions times" repeat_guide "$guide"
        done
    else
        not_run "the guide, $repetitions times" "there is no ../shared/guide beside the repository"
    fi
    if [ -e "$shared/spec/vectors/compare.sh" ]; then
        step "recorded parcel operations" compare_with_recording
    else
        not_run "recorded parcel operations" "there is no ../shared/spec/vectors beside the repository"
    fi

    printf '\n=== Summary\n'
    printf '%s\n' "${summary[@]}"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
