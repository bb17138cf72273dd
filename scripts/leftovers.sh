# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tells what a run left behind. Other runs may be under way on the same machine: processes are known by a mark in their
# environment, sockets and files by not having been there before and by staying.

# Processes whose environment has the mark $1.
marked_processes() {
    { grep -lzsx "IPCKIT_TEST_RUN=$1" /proc/[0-9]*/environ || true; } | sed 's|/proc/\(.*\)/environ|process \1|'
}

# Sockets and files with our names, one a line.
sockets_and_files() {
    awk '$NF ~ /^@ipckit|\/ipckit/ { print "socket " $NF }' /proc/net/unix
    find /dev/shm "${TMPDIR:-/tmp}" ${XDG_RUNTIME_DIR:+"$XDG_RUNTIME_DIR"} -maxdepth 1 -name 'ipckit*' -printf 'file %p\n' 2>/dev/null || true
}

# wait_until_gone LIST_COMMAND ARGUMENT...: waits, bounded, until what the command lists now is no longer listed; prints what stays.
wait_until_gone() {
    local listed still end=$((SECONDS + 30))
    listed=$("$@" | sort -u)
    while still=$(comm -12 <(echo "$listed") <("$@" | sort -u) | grep .); do
        if [ $SECONDS -ge $end ]; then
            echo "$still"
            return 1
        fi
        sleep 0.05
    done
}

new_sockets_and_files() { sockets_and_files | sort -u | comm -13 "$1" -; }

# run_and_look_for_leftovers COMMAND...: its exit status, or 1 where it left something behind.
run_and_look_for_leftovers() {
    local mark before status=0
    mark=$$-$RANDOM$RANDOM-$(date +%s%N)
    before=$(mktemp)
    sockets_and_files | sort -u >"$before"
    IPCKIT_TEST_RUN=$mark "$@" || status=$?
    if ! wait_until_gone marked_processes "$mark" || ! wait_until_gone new_sockets_and_files "$before"; then
        echo "the run left behind what is listed above"
        status=1
    fi
    rm -f "$before"
    return "$status"
}
