// SPDX-License-Identifier: Apache-2.0
// Looking at and ending the processes of a test from the runner, whose descendants they are.
#ifndef CONFORMANCE_HARNESS_PROCESSES_H
#define CONFORMANCE_HARNESS_PROCESSES_H

#include <string>
#include <sys/types.h>
#include <vector>

namespace conformance {

// All descendants of this process, the nearest first.
std::vector<pid_t> Descendants();
// What each thread of the process waits in; with gdb's stacks where gdb is installed.
std::string DescribeProcess(pid_t pid);
std::string CommandLine(pid_t pid);
// Waits for the end of a child, or of an adopted one, for at most so many seconds. Yields whether it came.
bool AwaitChild(pid_t pid, int seconds, int *status);
// Reaps this process's children, adopted ones too, until there are none; yields what still lives after so many seconds.
std::vector<pid_t> ReapAll(int seconds);

} // namespace conformance

#endif
