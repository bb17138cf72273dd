# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What watches memory in `./run test`: AddressSanitizer over the conformance suite and the parcel, valgrind over the cases with NULL, Miri over
# the parcel. Each is seen to report a fault on purpose first. Read by scripts/test.sh, after scripts/sanitizers.sh.

# The tests of the parcel; those of its own lines of code are below `parcel::` in the library. One is left out: it puts itself in the place of
# malloc, where the sanitizer is.
parcel_tests() {
    local file
    for file in "$root"/tests/parcel_*.rs; do
        [ "$(basename "$file")" = parcel_no_memory.rs ] || echo "--test=$(basename "$file" .rs)"
    done
}

# expect_fault TEXT COMMAND...: the command fails, and says that.
expect_fault() {
    local log status=0
    log=$(mktemp)
    "${@:2}" >"$log" 2>&1 || status=$?
    if [ "$status" = 0 ] || ! grep "$1" "$log" >/dev/null; then
        echo "a fault on purpose was not reported as $1 (status $status): nothing watches" >&2
        tail -n 30 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    echo "a fault on purpose is reported: $1"
}

# The whole suite, once.
conformance_under_address_sanitizer() {
    local sanitized_headers=''
    mkdir -p "$sanitizer_place"
    sanitize_address 1
}

# With a target given, what the build itself runs is not built for the sanitizer.
parcel_under_address_sanitizer() {
    local target
    target=$(rustc -vV | sed -n 's/^host: //p')
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" CARGO_TARGET_DIR=$sanitizer_place/parcel
    local test=(cargo test --locked --quiet --manifest-path "$root/Cargo.toml" -p ipc_capi --target "$target")
    expect_fault "AddressSanitizer: heap-use-after-free" "${test[@]}" --test fault_on_purpose -- --ignored
    "${test[@]}" --lib parcel::
    # shellcheck disable=SC2046 # a word for each
    "${test[@]}" $(parcel_tests)
}

null_arguments_under_valgrind() {
    local program place
    local valgrind=(valgrind --quiet --error-exitcode=66)
    place=$(mktemp -d)
    printf 'int main(int count, char **arguments) { int *word = __builtin_malloc(4); __builtin_free(word); return *word + count + (arguments == 0); }\n' |
        cc -g -O0 -x c - -o "$place/fault"
    expect_fault "Invalid read" "${valgrind[@]}" "$place/fault"
    rm -rf "$place"
    for program in "$tests_build"/c-tests/*/*_null_arguments; do
        echo "$(basename "$program"):"
        "${valgrind[@]}" "$program"
    done
}

# Descriptors, the C face and many cases are beyond it, or take it too long.
parcel_under_miri() {
    export MIRIFLAGS=-Zmiri-disable-isolation CARGO_TARGET_DIR=$root/target/miri
    local test=(cargo miri test --locked --quiet --manifest-path "$root/Cargo.toml" -p ipc_capi)
    expect_fault "Undefined Behavior" "${test[@]}" --test fault_on_purpose -- --ignored
    "${test[@]}" --lib parcel::
    "${test[@]}" --test parcel_bytes
    PROPTEST_CASES=4 "${test[@]}" --test parcel_model
}
