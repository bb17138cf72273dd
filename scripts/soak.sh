# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs the trials of docs/soak.md. Read by ./run, which sets $root.

source "$root/scripts/leftovers.sh"

fault_points_build=$root/build/fault_points

# Builds a tool of the workspace; sets tool_program.
build_tool() {
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p "$1"
    tool_program=${CARGO_TARGET_DIR:-$root/target}/debug/$1
}

# Libraries of another kind: neither they nor what cargo makes of them get in the way of the others.
build_with_fault_points() {
    quietly cmake -S "$root" -B "$fault_points_build" -DIPCKIT_FAULT_POINTS=ON -DIPCKIT_INSTALL=OFF -DBUILD_TESTING=OFF \
        "-DIPCKIT_CARGO=$(command -v cargo)"
    quietly cmake --build "$fault_points_build" --target ipckit_libraries
}

# Peers are killed, stopped and crashed at random moments.
soak_kill() {
    build_libraries
    build_tool ipckit-soak
    run_and_look_for_leftovers "$tool_program" kill "$@" "$libraries_build/lib/libipc_capi.so"
}

# A peer is killed at each of the library's own steps in turn.
soak_steps() {
    build_with_fault_points
    build_tool ipckit-soak
    run_and_look_for_leftovers "$tool_program" steps "$@" "$fault_points_build/lib/libipc_capi.so"
}

# A peer does what it should not.
soak_hostile() {
    build_libraries
    build_tool ipckit-hostile
    run_and_look_for_leftovers "$tool_program" --library "$libraries_build/lib/libipc_capi.so" "$@"
}

# soak kill [SECONDS [SEED]] | steps [CASE [TIMES]] | hostile [SECONDS [SEED]] | all
run_soak() {
    local what=${1:-all}
    shift || true
    require_build_tools
    case $what in
    kill) soak_kill ${1:+--seconds "$1"} ${2:+--seed "$2"} ;;
    steps) soak_steps ${1:+--case "$1"} ${2:+--times "$2"} ;;
    hostile) soak_hostile --seconds "${1:-300}" ${2:+--seed "$2"} ;;
    all)
        soak_steps
        soak_kill --seconds 300
        soak_hostile --seconds 300
        ;;
    *)
        echo "usage: ./run soak [kill [SECONDS [SEED]] | steps [CASE [TIMES]] | hostile [SECONDS [SEED]] | all]" >&2
        exit 2
        ;;
    esac
}
