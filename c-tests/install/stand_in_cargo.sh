#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plays cargo and rustc for cargo_cases.cmake: notes how it was called, and does just enough for the build to go on.
set -eu
here=$(dirname "$0")
case $1 in
-vV)
    release=1.99.0
    if [ -e "$here/release" ]; then release=$(cat "$here/release"); fi
    printf 'release: %s\nhost: x86_64-unknown-linux-gnu\n' "$release"
    ;;
fetch)
    echo "cargo $*" >>"$here/calls"
    case $* in
    *--offline*) [ -e "$here/crates_are_here" ] || { echo "no crates here" >&2; exit 101; } ;;
    esac
    ;;
build)
    echo "cargo $*" >>"$here/calls"
    env >>"$here/calls"
    while [ "$1" != --profile ]; do shift; done
    profile=$2
    while [ "$1" != --target ]; do shift; done
    target=$2
    while [ "$1" != --target-dir ]; do shift; done
    if [ "$profile" = dev ]; then profile=debug; fi
    mkdir -p "$2/$target/$profile"
    cd "$2/$target/$profile"
    touch libipc_capi.so libchild_process.so libhilog_ndk_z.so libace_napi_z.so ipckit_native_child
    ;;
esac
