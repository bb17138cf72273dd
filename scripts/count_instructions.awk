# SPDX-License-Identifier: Apache-2.0
# Reads what callgrind wrote; prints the instructions executed in the objects whose path matches `object`, and how often
# these call others. Names are written out once and then go by their number.
function full(text,   number) {
    number = text
    sub(/\).*/, ")", number)
    if (index(text, ") ")) names[number] = substr(text, index(text, ") ") + 2)
    return names[number]
}
/^ob=/ { inside = full(substr($0, 4)) ~ object; callee_inside = inside; next }
/^fn=/ { callee_inside = inside; next }
/^cob=/ { callee_inside = full(substr($0, 5)) ~ object; next }
/^calls=/ {
    split(substr($0, 7), words, " ")
    if (inside && !callee_inside) calls += words[1]
    # The line behind it has what the callee executed, which is counted where it did.
    getline
    callee_inside = inside
    next
}
/^[0-9+*-]/ { if (inside) instructions += $2 }
END { printf "%d %d\n", instructions, calls }
