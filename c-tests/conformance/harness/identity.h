// SPDX-License-Identifier: Apache-2.0
// Who a handler thinks it is called by, and where it ran.
#ifndef CONFORMANCE_HARNESS_IDENTITY_H
#define CONFORMANCE_HARNESS_IDENTITY_H

#include <cstdint>
#include <ostream>
#include <string>
#include <sys/types.h>

#include "harness/parcel.h"

namespace conformance {

// What the skeleton's questions are answered with.
struct Identity {
    uint64_t callingPid;
    uint64_t callingUid;
    uint64_t callingToken;
    uint64_t firstToken;
    uint64_t selfToken;
    int local;
    int handling;
};
bool operator==(const Identity &a, const Identity &b);
std::ostream &operator<<(std::ostream &stream, const Identity &identity);

// On the calling thread.
Identity CurrentIdentity();
// What is right outside of handlers in a process of this token id, 0 for none.
Identity OwnIdentity(uint64_t token = 0);
// What is right in a handler of a request by this process (0 for async ones) with this token id, in one with that.
Identity CallersIdentity(pid_t caller, uint64_t callersToken = 0, uint64_t selfToken = 0);

// What the behaviour "identity" answers.
struct Report {
    Identity identity;
    pid_t pid;
    uid_t uid;
    int64_t thread;
    std::string threadName;
};
Report CurrentReport();
void WriteReport(OHIPCParcel *parcel, const Report &report);
Report ReadReport(const Reader &reader);

// For handlers whose reply nobody gets: keeps the thread's report under a name in this process, and yields it in this
// process once it is there.
void KeepReport(const std::string &name);
Report AwaitKeptReport(const std::string &name);

// Whether the report comes from one of the workers that the library starts, by its name.
bool IsPoolThread(const Report &report);

} // namespace conformance

#endif
