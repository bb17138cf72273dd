// SPDX-License-Identifier: Apache-2.0
// What the pool and its workers agree on.
#ifndef WORKER_POOL_WORKER_POOL_H
#define WORKER_POOL_WORKER_POOL_H

#include <cstdint>

constexpr char WORKER_ENTRY[] = "libworker.so:Work";
constexpr char TASKS[] = "tasks";
constexpr char RESULTS[] = "results";

// Records of this size go through a pipe whole, however many read and write it. What a task covers is in entryParams.
struct Task {
    uint32_t first;
};

// A worker's first result says that it is ready, and is of no task.
constexpr uint32_t READY = UINT32_MAX;

struct Result {
    uint32_t first;
    uint32_t primes;
};

#endif
