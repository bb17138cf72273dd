// SPDX-License-Identifier: Apache-2.0
// What a test of this directory is written with. Every test runs in a process of its own (the test process), which can
// start up to three child processes (actors). Test process and actors run the same sources, so a behaviour that a test's
// file defines serves requests in all of them.
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#include <string>
#include <vector>

#include "harness/actor.h"
#include "harness/board.h"
#include "harness/crowd.h"
#include "harness/expect.h"
#include "harness/identity.h"
#include "harness/parcel.h"
#include "harness/recipient.h"
#include "harness/stub.h"
#include "harness/threads.h"

namespace conformance {

struct Test {
    std::string name; // <file's name>.<test's name>
    std::string note; // what has to break in the library for it to fail
    void (*body)();
};

std::vector<Test> &Tests();
bool RegisterTest(const char *file, const char *name, const char *note, void (*body)());

// Whether the library is to do what a device does where that differs from the documentation.
bool DeviceMode();

} // namespace conformance

// TEST(name_of_the_row, "what has to break in the library for this to fail") { body }
#define TEST(name, note) \
    static void Test_##name(); \
    [[maybe_unused]] static const bool registered_##name = \
        ::conformance::RegisterTest(__FILE__, #name, note, Test_##name); \
    static void Test_##name()

#endif
