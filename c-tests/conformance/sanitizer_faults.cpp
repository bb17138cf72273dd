// SPDX-License-Identifier: Apache-2.0
// Faults on purpose, which a run under a sanitizer must report: else it was not on. They run only where they are asked for by name.
#include <atomic>
#include <memory>
#include <thread>

#include "harness.h"

using namespace conformance;

namespace {

int raced;

// Reads beyond an array, for who looks at memory, and has a data race, for who looks at threads.
void Fault()
{
    std::unique_ptr<char[]> array(new char[8]());
    volatile int length = 8;
    volatile char beyond = array[static_cast<size_t>(length)];
    static_cast<void>(beyond);
    std::atomic<bool> came{ false };
    std::thread thread([&] {
        raced++;
        came.store(true, std::memory_order_relaxed);
    });
    while (!came.load(std::memory_order_relaxed)) {
        std::this_thread::yield();
    }
    raced++;
    thread.join();
}

} // namespace

BEHAVIOUR(fault)
{
    Fault();
    return OH_IPC_SUCCESS;
}

TEST(in_the_test, "it always fails under a sanitizer")
{
    Fault();
    EXPECT_EQ(raced, 2);
}

TEST(in_an_actor, "it always fails under a sanitizer")
{
    StartActor().Ask("fault");
    EXPECT_EQ(raced, 0);
}
