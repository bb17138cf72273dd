# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Fuzzes what reads bytes of others. Read by ./run and scripts/test.sh, which set $root. docs/fuzzing.md explains it.

fuzz_place=$root/build/fuzz
fuzz_cargo=$root/build/fuzz/cargo
fuzz_tool=$root/build/tools/bin/cargo-fuzz
fuzz_tool_version=0.13.2
fuzz_seconds=10
# How long it may take to find the fault on purpose. It takes one or two.
fault_seconds=120

# The names of the targets, but for the one that only shows that faults are found.
fuzz_targets() { sed -n 's|^path = "targets/\(.*\)\.rs"|\1|p' "$root/fuzz/Cargo.toml" | grep -v '^deliberate_fault$'; }

# Has cargo-fuzz and what the targets depend on; prints why not.
why_no_fuzzing() {
    local why
    mkdir -p "$fuzz_place"
    if [ "$("$fuzz_tool" --version 2>/dev/null)" != "cargo-fuzz $fuzz_tool_version" ] &&
        ! cargo install --quiet --locked --force --root "$root/build/tools" "cargo-fuzz@$fuzz_tool_version" >"$fuzz_place/install.log" 2>&1; then
        why=$(grep -m 1 '^error' "$fuzz_place/install.log" || true)
        echo "cargo could not install cargo-fuzz $fuzz_tool_version (${why:-see $fuzz_place/install.log})"
    elif ! (cd "$root/fuzz" && quietly cargo fetch --locked) >/dev/null 2>&1; then
        echo "cargo could not download what fuzz/ depends on"
    elif ! rust_has_address_sanitizer; then
        echo "this Rust toolchain has no AddressSanitizer"
    fi
}

build_fuzz_targets() {
    # The flags are not stable yet; what they ask for is part of every compiler.
    (cd "$root" && RUSTC_BOOTSTRAP=1 quietly "$fuzz_tool" fuzz build --fuzz-dir fuzz --target-dir "$fuzz_cargo")
}

# fuzz_once TARGET SECONDS ARGUMENT...: leaves what is new in build/fuzz/corpus/TARGET, and what fails in build/fuzz/artifacts/TARGET.
fuzz_once() {
    local target=$1 seconds=$2 dictionary=$root/fuzz/dictionaries/$1.dict options=()
    mkdir -p "$fuzz_place/corpus/$target" "$fuzz_place/artifacts/$target"
    [ ! -e "$dictionary" ] || options+=("-dict=$dictionary")
    "$(echo "$fuzz_cargo"/*/release)/$target" -max_total_time="$seconds" -len_control=0 -max_len=2048 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$fuzz_place/artifacts/$target/" "${options[@]}" "${@:3}" "$fuzz_place/corpus/$target" \
        $([ ! -d "$root/fuzz/seeds/$target" ] || echo "$root/fuzz/seeds/$target")
}

# Sees a fault on purpose be found: by the fuzzer, which has to see what the code compares, and by the sanitizer.
expect_fault_to_be_found() {
    local log=$fuzz_place/deliberate_fault.log
    rm -rf "$fuzz_place/corpus/deliberate_fault"
    if fuzz_once deliberate_fault "$fault_seconds" >"$log" 2>&1 || ! grep -q 'AddressSanitizer: heap-buffer-overflow' "$log"; then
        tail -n 20 "$log" >&2
        echo "a fault on purpose was not found: the fuzzer or the sanitizer is not on" >&2
        return 1
    fi
    rm -rf "$fuzz_place/artifacts/deliberate_fault"
}

# fuzz_target TARGET SECONDS: a line of what was done, or the log.
fuzz_target() {
    local log=$fuzz_place/$1.log
    if ! fuzz_once "$1" "$2" >"$log" 2>&1; then
        grep -vE '^(INFO|#[0-9]+)' "$log" | tail -n 60 >&2
        echo "the target $1 fails; docs/fuzzing.md says how to repeat it. The log is $log" >&2
        return 1
    fi
    awk -v name="$1" '
        /^stat::number_of_executed_units:/ { inputs = $2 }
        /^Done .* runs in / { seconds = $5 }
        / cov: / { sub(/.* cov: /, ""); covered = $1 }
        END { printf "%-12s %9d inputs in %4d s, %5d places of the code reached\n", name, inputs, seconds, covered
              exit inputs == 0 }' "$log"
}

# The targets in turn, from their seeds and what was found before, in as many seconds each.
run_fuzz() {
    local why target targets wanted=${1:-all} seconds=${2:-60}
    targets=$(fuzz_targets)
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "SECONDS is a number above 0, not $seconds"
    if [ "$wanted" != all ]; then
        grep -qx -- "$wanted" <<<"$targets" || die "there is no target $wanted; there are: all $(paste -sd ' ' <<<"$targets")"
        targets=$wanted
    fi
    why=$(why_no_fuzzing)
    [ -z "$why" ] || die "$why"
    build_fuzz_targets
    expect_fault_to_be_found
    for target in $targets; do
        fuzz_target "$target" "$seconds"
    done
}

# Each target for a moment, from the seeds alone, so that it does not depend on what else was fuzzed here.
fuzz_for_a_moment() {
    fuzz_place=$root/build/fuzz/moment
    rm -rf "$fuzz_place/corpus"
    mkdir -p "$fuzz_place"
    expect_fault_to_be_found
    # As many at once as there are processors.
    local target running=()
    for target in $(fuzz_targets); do
        if [ ${#running[@]} -ge "$(nproc)" ]; then
            wait "${running[0]}"
            running=("${running[@]:1}")
        fi
        fuzz_target "$target" "$fuzz_seconds" &
        running+=($!)
    done
    for target in "${running[@]}"; do
        wait "$target"
    done
}
