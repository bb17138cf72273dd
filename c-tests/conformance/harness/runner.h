// SPDX-License-Identifier: Apache-2.0
// Runs each test in a fresh process, within a time, and sees to it that nothing of it stays.
#ifndef CONFORMANCE_HARNESS_RUNNER_H
#define CONFORMANCE_HARNESS_RUNNER_H

#include "harness.h"

namespace conformance {

// Starts a process for the test and yields whether it passed; says on stdout and stderr what happened.
bool RunTest(const Test &test);
// Is that process. Yields its exit status.
int RunInside(const Test &test);

} // namespace conformance

#endif
