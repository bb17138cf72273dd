# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sees the conformance suite fail: builds the libraries so that they can be broken on purpose, and breaks them. Read by ./run.

source "$root/scripts/leftovers.sh"

mutants_build=$root/build/mutants

# mutants [--survey] [MUTATION]...
run_mutants() {
    require_build_tools
    # Libraries of another kind: neither they nor what cargo makes of them get in the way of the others.
    quietly cmake -S "$root" -B "$mutants_build" -DIPCKIT_MUTATIONS=ON -DIPCKIT_INSTALL=OFF "-DIPCKIT_CARGO=$(command -v cargo)"
    quietly cmake --build "$mutants_build" -j "$(nproc)" --target conformance
    quietly cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p ipckit-mutants
    # A broken library may write without end, and what is killed is no news.
    ulimit -f 1048576
    ulimit -c 0
    run_and_look_for_leftovers "${CARGO_TARGET_DIR:-$root/target}/debug/ipckit-mutants" "$@" "$mutants_build/c-tests/conformance/conformance"
}
