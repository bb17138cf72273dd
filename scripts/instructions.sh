# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Counts the instructions that a fixed set of operations executes in libipc_capi.so, and how often it calls other
# libraries, and compares both with what is committed. Counting instead of timing gives the same on a busy machine.
# Read by ./run, which sets $root.

instructions_baseline=$root/benches/instructions/baseline.txt
# That of the tests, so that nothing is built twice.
instructions_build=$root/build/tests
# In percent. The same build gives the same count within 0.1.
instructions_tolerance=5

# What the counts depend on: what the library is compiled with, and for. The C library's own instructions are not
# counted, as its copying depends on the processor.
instructions_key() {
    (cd "$root" && rustc --version --verbose | sed -n 's/^host: /host /p; s/^release: /rustc /p' | sort | paste -sd ' ')
}

# Why there is nothing to compare, or nothing.
why_no_instructions() {
    local key
    has valgrind || { echo "valgrind is not installed"; return; }
    [ -e "$instructions_baseline" ] || { echo "there is no baseline; ./run instructions --accept makes one"; return; }
    key=$(sed -n 's/^# for //p' "$instructions_baseline")
    [ "$key" = "$(instructions_key)" ] || echo "the baseline is for $key, this is $(instructions_key)"
}

# Prints a line for each operation: name, instructions, calls to other libraries; of one operation.
count_instructions() {
    local library operation out=$instructions_build/callgrind.out
    configure_project "$instructions_build"
    quietly cmake --build "$instructions_build" --target ipckit_libraries operations
    library=$instructions_build/lib/libipc_capi.so
    for operation in $("$instructions_build/benches/operations"); do
        # An empty LD_LIBRARY_PATH would come before the directory that the program names itself.
        quietly env -u LD_LIBRARY_PATH IPCKIT_LOG_LEVEL=F valgrind --tool=callgrind --collect-atstart=no \
            --toggle-collect=measured --callgrind-out-file="$out" "$instructions_build/benches/operations" "$operation"
        # 100 repetitions are measured; callgrind counts the calls of all 300, whether it collects or not.
        awk -v object="/libipc_capi[.]so$" -f "$root/scripts/count_instructions.awk" "$out" |
            awk -v name="$operation" '{ printf "%-20s %8.1f %6.2f\n", name, $1 / 100, $2 / 300 }'
    done
    rm -f "$out"
}

accept_instructions() {
    local counts
    counts=$(count_instructions)
    {
        echo "# Instructions of an operation in libipc_capi.so, and its calls to other libraries. Made by ./run instructions --accept"
        echo "# for $(instructions_key)"
        echo "$counts"
    } | tee "$instructions_baseline"
}

# Fails where an operation takes more instructions than the baseline allows, or fewer: then the baseline is to be renewed,
# as it would hide the way back.
compare_instructions() {
    local counts
    counts=$(count_instructions)
    awk -v tolerance="$instructions_tolerance" '
        function off(now, before) { return before == 0 ? (now == 0 ? 0 : 100) : 100 * (now - before) / before }
        NR == FNR { if (!/^#/) { instructions[$1] = $2; calls[$1] = $3 } next }
        { seen[$1] = 1 }
        !($1 in instructions) { printf "%-20s is not in the baseline\n", $1; bad = 1; next }
        {
            more = off($2, instructions[$1]); further = off($3, calls[$1])
            wrong = more > tolerance || more < -tolerance || further > tolerance || further < -tolerance
            printf "%-20s %8.1f instructions (%+.1f %%) %6.2f calls (%+.1f %%)%s\n", $1, $2, more, $3, further,
                wrong ? "  <-- more than " tolerance " % off" : ""
            if (wrong) bad = 1
        }
        END {
            for (name in instructions) if (!(name in seen)) { printf "%-20s was not counted\n", name; bad = 1 }
            if (bad) print "If that is meant, ./run instructions --accept makes a new baseline, to be committed."
            exit bad
        }' "$instructions_baseline" <(echo "$counts")
}
