# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Builds the libraries, a sample, and a guide's code. Read by ./run, which sets $root.

libraries_build=$root/build/libraries
toolchain_file=$libraries_build/share/ipckit-host/host.toolchain.cmake

# Runs a command and shows what it printed only where it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# Every build of ours shares one cargo directory, so that nothing is compiled twice.
configure_project() {
    quietly cmake -S "$root" -B "$1" "-DIPCKIT_CARGO_TARGET_DIR=$root/build/cargo" "-DIPCKIT_CARGO=$(command -v cargo)" "${@:2}"
}

build_libraries() {
    configure_project "$libraries_build" -DBUILD_TESTING=OFF
    # cargo's progress is worth seeing: the first build takes a while.
    cmake --build "$libraries_build" >&2
}

# build_as_for_a_device SOURCE BUILD
build_as_for_a_device() {
    quietly cmake -S "$1" -B "$2" "-DCMAKE_TOOLCHAIN_FILE=$toolchain_file"
    quietly cmake --build "$2"
}

# The names of all samples; one is a project with the text that it prints.
sample_names() {
    local output
    for output in "$root"/samples/*/output.txt; do
        basename "$(dirname "$output")"
    done
}

# build_sample NAME: sets sample_program. The libraries have to be there.
build_sample() {
    build_as_for_a_device "$root/samples/$1" "$root/build/samples/$1"
    sample_program=$root/build/samples/$1/$1
}

# Sets guide_program.
build_guide() {
    local place
    place=$root/build/guides/$(basename "$1" .md)
    cargo run --quiet --locked --manifest-path "$root/Cargo.toml" -p ipckit-guide -- "$1" "$place/source" >&2
    build_libraries
    build_as_for_a_device "$place/source" "$place/build"
    guide_program=$place/build/program
}

# Sets child_start_program, which has libraries of its own beside it.
build_child_start() {
    configure_project "$root/build/tests"
    quietly cmake --build "$root/build/tests" --target ipckit_libraries child_start
    child_start_program=$root/build/tests/benches/child_start
}

# Sets bench_program. It has a cargo directory of its own: what it depends on is of no use to any other build.
build_bench() {
    local features=()
    if ! has_libclang && ! { install libclang-dev && has_libclang; }; then
        echo "run: without iceoryx2, whose build needs libclang; please install libclang-dev (its Debian name)" >&2
        features=(--no-default-features)
    fi
    cargo build --release --locked --manifest-path "$root/benches/Cargo.toml" --target-dir "$root/build/bench/cargo" \
        "${features[@]}" >&2
    bench_program=$root/build/bench/cargo/release/ipckit-bench
}

has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib*/llvm*/lib/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib*/libclang*.so*' >/dev/null || compgen -G '/usr/lib/*-linux-gnu/libclang*.so*' >/dev/null
}
