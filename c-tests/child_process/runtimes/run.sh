#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh WAY LIBRARY_DIRECTORY INCLUDE_DIRECTORY
# Builds the parent and the library for a runtime or a tool, runs them, and looks at what they say. Exit status: 0 where all is
# as it should be, 77 where the compiler or the tool is missing.
set -u
way=$1
libraries=$2
include=$3
here=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# skip_without TOOL
skip_without() {
    command -v "$1" >/dev/null 2>&1 || { echo "$1 is not installed"; exit 77; }
}

# Flags for linking alone.
link_flags=
# build COMPILER [FLAG...]: what the compiler lacks a runtime for is skipped.
build() {
    compiler=$1
    shift
    skip_without "$compiler"
    cd "$work" || exit 1
    echo 'int main() { return 0; }' >empty.cpp
    "$compiler" "$@" empty.cpp -o empty >/dev/null 2>&1 || { echo "$compiler has no runtime for $*"; exit 77; }
    for source in parent library; do
        "$compiler" -std=c++17 -g -O1 -fPIC "$@" "-I$include" "-I$include/IPCKit" -c "$here/$source.cpp" -o "$source.o" || exit 1
    done
    # One word or none.
    # shellcheck disable=SC2086
    "$compiler" "$@" $link_flags -shared library.o -o libruntimes_library.so "-L$libraries" -lchild_process -lipc_capi -pthread || exit 1
    "$compiler" "$@" $link_flags parent.o -o parent "-L$libraries" "-Wl,-rpath,$libraries" -lchild_process -lipc_capi -pthread || exit 1
}

# run COMMAND...: runs it in $work; what it says goes to "said".
run() {
    status=0
    timeout 100 "$@" >said 2>&1 || status=$?
}

# says TEXT, says_not TEXT
says() { grep -qF -- "$1" said || fail "it does not say: $1"; }
says_not() { ! grep -qF -- "$1" said || fail "it says: $1"; }
fail() {
    echo "$way: $1 (exit status $status). It said:"
    head -c 20000 said
    exit 1
}

check_both_children_ran() {
    says "start: code 0, the child says: hello"
    says "create: code 0, the child answers: 42"
    says_not "Sanitizer"
    says_not "runtime error"
    [ "$status" = 0 ] || fail "it failed"
}

case $way in
gcc_address | gcc_undefined)
    build g++ "-fsanitize=${way#gcc_}"
    run ./parent libruntimes_library.so
    check_both_children_ran
    ;;
gcc_address_preloaded)
    # A library that is built for it, in a program that is not.
    build g++ -fsanitize=address
    g++ -std=c++17 -g "-I$include" "-I$include/IPCKit" "$here/parent.cpp" -o parent "-L$libraries" "-Wl,-rpath,$libraries" \
        -lchild_process -lipc_capi -pthread || exit 1
    run env "LD_PRELOAD=$(g++ -print-file-name=libasan.so)" ./parent libruntimes_library.so
    check_both_children_ran
    ;;
gcc_thread)
    build g++ -fsanitize=thread
    run ./parent libruntimes_library.so
    check_both_children_ran
    ;;
clang_address | clang_undefined)
    skip_without clang++
    # clang leaves it to its users to say where its shared runtimes are.
    link_flags=-Wl,-rpath,$(dirname "$(clang++ -print-file-name=libclang_rt.asan-$(uname -m).so)")
    build clang++ "-fsanitize=${way#clang_}" -shared-libsan
    run ./parent libruntimes_library.so
    check_both_children_ran
    ;;
clang_static_address)
    build clang++ -fsanitize=address
    run ./parent libruntimes_library.so
    says "create: code 16010007"
    says "-shared-libsan"
    ;;
clang_static_thread)
    build clang++ -fsanitize=thread
    run ./parent libruntimes_library.so
    says "create: code 16010007"
    says "-shared-libsan"
    says_not "WARNING: ThreadSanitizer"
    ;;
clang_static_undefined)
    build clang++ -fsanitize=undefined
    run ./parent libruntimes_library.so
    # Said before the child comes upon what it lacks, which these do not.
    check_both_children_ran
    says "-shared-libsan"
    ;;
valgrind)
    build g++
    skip_without valgrind
    run valgrind -q --error-exitcode=9 ./parent libruntimes_library.so
    check_both_children_ran
    ;;
valgrind_in_children)
    build g++
    skip_without valgrind
    run env IPCKIT_CHILD_START_TIMEOUT_MS=90000 valgrind -q --trace-children=yes ./parent libruntimes_library.so
    check_both_children_ran
    ;;
gdb)
    build g++
    skip_without gdb
    run gdb -nx -batch -ex run --args ./parent libruntimes_library.so
    says "start: code 0, the child says: hello"
    says "create: code 0, the child answers: 42"
    ;;
gdb_stops_the_child)
    build g++
    skip_without gdb
    # Stopped for longer than a start may take.
    run env IPCKIT_CHILD_START_TIMEOUT_MS=1000 gdb -nx -batch -ex 'set follow-fork-mode child' -ex 'set detach-on-fork on' \
        -ex 'set breakpoint pending on' -ex 'break NativeChildProcess_OnConnect' -ex run -ex 'shell sleep 2' -ex continue \
        --args ./parent libruntimes_library.so connect
    says "hit Breakpoint 1, NativeChildProcess_OnConnect"
    says "create: code 0, the child answers: 42"
    ;;
gdb_follows_the_child)
    build g++
    skip_without gdb
    run gdb -nx -batch -ex 'set follow-fork-mode child' -ex 'set breakpoint pending on' -ex 'break Say' -ex run \
        -ex kill --args ./parent libruntimes_library.so
    says "hit Breakpoint 1, Say"
    says "executing new program: "
    ;;
coverage)
    build g++ --coverage
    skip_without gcov
    run ./parent libruntimes_library.so
    check_both_children_ran
    # Lines that only a child runs: one of each kind.
    gcov library.gcda >/dev/null 2>&1
    mv library.cpp.gcov said
    grep -qE '^ +1: .*write\(' said || fail "the profile of the child of Start is missing"
    grep -qE '^ +[1-9][0-9]*: .*g_asked = true' said || fail "the profile of the child of Create is missing"
    ;;
*) echo "unknown: $way" >&2; exit 2 ;;
esac
echo "$way: as it should be"
