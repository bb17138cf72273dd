// SPDX-License-Identifier: Apache-2.0
// What the processes of one test share without the library that is tested: counters that one can wait for, and the
// count of checks and failures. It lasts from before the test's process until after it.
#ifndef CONFORMANCE_HARNESS_BOARD_H
#define CONFORMANCE_HARNESS_BOARD_H

#include <atomic>
#include <cstdint>
#include <string>

namespace conformance {

// A counter that all processes of a test know by its name (at most 47 bytes), 0 at first. Thread-safe.
class Counter {
public:
    explicit Counter(const std::string &name);

    uint32_t Value() const;
    // Yields the new value.
    uint32_t Add(uint32_t number = 1);
    // Returns when the value is `number` or more, or the test is over. What bounds it is the time that the test has.
    void AwaitAtLeast(uint32_t number) const;

private:
    std::atomic<uint32_t> *value_;
};

struct Board {
    static constexpr size_t SLOTS = 4096;
    static constexpr uint32_t OVER = 0x80000000;

    struct Slot {
        std::atomic<uint64_t> nameHash; // 0 in a free one
        std::atomic<uint32_t> value;    // with OVER when the test is over
        char name[48];                  // for people
    };

    std::atomic<uint32_t> checks;
    std::atomic<uint32_t> failures;
    std::atomic<uint32_t> over;
    Slot slots[SLOTS];
};

// The board of this process's test, from the file that the environment names.
Board &SharedBoard();
// Lets everything that waits for a counter go on, in all processes.
void EndAllWaits();
// All that the test and its actors have written to stdout and stderr so far.
std::string OutputSoFar();
// How often it says this.
size_t CountInOutput(const std::string &text);

constexpr char BOARD_VARIABLE[] = "CONFORMANCE_BOARD";
constexpr char OUTPUT_VARIABLE[] = "CONFORMANCE_OUTPUT";

} // namespace conformance

#endif
