#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_headers.sh COMPILER STANDARD INCLUDE_DIRECTORY
# Compiles every public header on its own, twice over, and by its bare name, and then the files that say what is in them,
# without a warning. Exit status: 0 where all of it compiles, 77 where there is no such compiler.
set -u
compiler=$1
standard=$2
include=$(cd "$3" && pwd) || exit 1
here=$(cd "$(dirname "$0")" && pwd) || exit 1

if ! command -v "$compiler" >/dev/null 2>&1; then
    echo "$compiler is not installed: the headers are not checked with it"
    exit 77
fi

warnings="-Wall -Wextra -Wpedantic -Werror"
case $("$compiler" --version) in
*clang*) warnings="$warnings -Wdocumentation" ;; # finds parameters that a comment calls by another name
esac
case $standard in
c++*) language=c++ layout=$here/layout.cpp ;;
*) language=c layout=$here/layout.c warnings="$warnings -Wstrict-prototypes" ;;
esac

compiled=0
failed=0
# compile TEXT [ARGUMENT...]
compile() {
    text=$1
    shift
    compiled=$((compiled + 1))
    # The warnings are several words.
    # shellcheck disable=SC2086
    if ! printf '%s\n' "$text" |
        "$compiler" -x "$language" "-std=$standard" $warnings -fsyntax-only "-I$include" "$@" -; then
        printf '%s -std=%s: does not compile cleanly:\n%s\n' "$compiler" "$standard" "$text" >&2
        failed=1
    fi
}

for header in IPCKit/ipc_kit.h IPCKit/ipc_error_code.h IPCKit/ipc_cparcel.h IPCKit/ipc_cremote_object.h \
    IPCKit/ipc_cskeleton.h AbilityKit/native_child_process.h hilog/log.h; do
    if [ ! -f "$include/$header" ]; then
        echo "$include/$header is missing" >&2
        failed=1
    fi
done

# Those and whatever else is installed with them; napi/ goes on to the headers of Node.js, of which nothing is known here.
for header in $(cd "$include" && find -L . -name '*.h' ! -path './napi/*' | sed 's|^\./||' | sort); do
    bare=$(basename "$header")
    compile "#include <$header>"
    compile "#include <$header>
#include <$header>"
    compile "#include \"$bare\"
#include <$header>" "-I$include/$(dirname "$header")"
done
compile "#include \"$here/names.c\""
compile "#include \"$layout\""

echo "$compiler -std=$standard: $compiled compilations"
exit "$failed"
