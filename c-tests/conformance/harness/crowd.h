// SPDX-License-Identifier: Apache-2.0
// How many handlers a process runs at once.
#ifndef CONFORMANCE_HARNESS_CROWD_H
#define CONFORMANCE_HARNESS_CROWD_H

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/actor.h"
#include "harness/identity.h"
#include "harness/parcel.h"
#include "harness/threads.h"

namespace conformance {

// Sends so many sync requests to the stub, each from a thread of its own, and expects that `atOnce` handlers run at
// once and never more, and that all requests are handled. Yields where each ran. `name` is used once in a test.
std::vector<Report> ExpectAtOnce(
    const OHIPCRemoteProxy *stub, const std::string &name, uint32_t atOnce, uint32_t requests);

// Sets how many threads the actor's pool has at most; yields the result.
int SetMaxThreads(const Actor &actor, int32_t number);
// Occupies a worker of the actor with a handler that runs until the gate's counter is 1. The counter "occupied" is one
// more then.
void Occupy(Threads &threads, const Actor &actor, const std::string &gate);

// The threads of a process that are named as the library's workers are.
int CountPoolThreads(pid_t pid);
// All threads of a process.
int CountThreads(pid_t pid);

} // namespace conformance

#endif
