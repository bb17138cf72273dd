#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_symbols.sh LIST NAME FILE [FUNCTION...]
# Compares what the shared library FILE exports with what LIST (lines of "library function") has for NAME, or with the
# named FUNCTIONs of it only. Names with the prefix ipckit_ are the libraries' own affair. Exit status 0 where nothing is
# missing and nothing is there besides; 2 where there is nothing to compare.
set -u
LC_ALL=C
export LC_ALL
list=$1
name=$2
file=$3
shift 3

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

awk -v name="$name" '$1 == name { print $2 }' "$list" | sort -u >"$work/listed"
if [ ! -s "$work/listed" ]; then
    echo "$list has no function of $name" >&2
    exit 2
fi
if [ $# -gt 0 ]; then
    printf '%s\n' "$@" | sort -u >"$work/expected"
    unknown=$(comm -13 "$work/listed" "$work/expected")
    if [ -n "$unknown" ]; then
        echo "$list does not have these functions of $name:" $unknown >&2
        exit 2
    fi
else
    cp "$work/listed" "$work/expected"
fi

"${NM:-nm}" -D --defined-only "$file" >"$work/nm" || exit 2
# A versioned name is followed by @ and its version.
awk '{ sub(/@.*/, "", $NF); print $NF }' "$work/nm" | grep -v '^ipckit_' | sort -u >"$work/exported"

missing=$(comm -23 "$work/expected" "$work/exported")
surplus=$(comm -13 "$work/expected" "$work/exported")
[ -z "$missing" ] || printf '%s does not export:\n%s\n' "$name" "$missing" >&2
[ -z "$surplus" ] || printf '%s exports besides:\n%s\n' "$name" "$surplus" >&2
[ -z "$missing$surplus" ] || exit 1
echo "$name exports all $(wc -l <"$work/expected") functions and no other"
