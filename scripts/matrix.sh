# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# MATRIX.md, from the sources: which functions there are, since when, whether the libraries have them, which tests call them.

# since_of FUNCTION: the API level in the comment before its declaration.
since_of() {
    awk -v name="$1" '
        /@since/ { match($0, /@since +[0-9]+/); since = substr($0, RSTART + 7, RLENGTH - 7); gsub(/ /, "", since) }
        $0 ~ "(^|[ *])" name "\\(" { print since; exit }
    ' "$root"/include/*/*.h
}

# defined FUNCTION: whether a library's sources define it for export.
defined() {
    grep -rqE "(fn $1\(|^ *$1 => )" "$root/src/capi" "$root/hilog/src" "$root/child_process/src" 2>/dev/null
}

# tests_of FUNCTION: the test directories and files that name it, those that only look at declarations aside.
tests_of() {
    (cd "$root" && grep -rlw "$1" c-tests tests hilog/tests child_process/tests 2>/dev/null || true) |
        (grep -vE '^c-tests/(headers|symbols)/|/CMakeLists\.txt$|agreement\.c$|rust_functions\.txt$' || true) |
        sed -E 's#^c-tests/##' | LC_ALL=C sort | awk '{ printf "%s%s", (NR > 1 ? ", " : ""), $0 }'
}

print_matrix() {
    local library name implemented tests
    echo "# Functions"
    echo
    echo "Made by \`./run matrix\` from the sources; \`./run test\` checks that it is up to date. Tests are named by their files below \`c-tests/\`, or from the top."
    local last=
    while read -r library name; do
        if [ "$library" != "$last" ]; then
            printf '\n## %s\n\n| function | since API level | implemented | tests |\n| --- | --- | --- | --- |\n' "$library"
            last=$library
        fi
        implemented=no
        ! defined "$name" || implemented=yes
        tests=$(tests_of "$name")
        echo "| $name | $(since_of "$name") | $implemented | ${tests:-none} |"
    done <"$root/c-tests/symbols/symbols.txt"
}

check_matrix() {
    local made
    made=$(mktemp)
    print_matrix >"$made"
    if ! diff "$root/MATRIX.md" "$made"; then
        rm -f "$made"
        echo "MATRIX.md is not up to date: run ./run matrix and commit it"
        return 1
    fi
    rm -f "$made"
}
