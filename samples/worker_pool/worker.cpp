// SPDX-License-Identifier: Apache-2.0
// libworker.so: a child process that counts the primes of one range after the other, until there are no more.
#include "worker_pool.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include <AbilityKit/native_child_process.h>
#include <hilog/log.h>

#undef LOG_DOMAIN
#undef LOG_TAG
#define LOG_DOMAIN 0x0202
#define LOG_TAG "Worker"

namespace {

int FindDescriptor(const NativeChildProcess_Args &args, const char *name)
{
    for (const NativeChildProcess_Fd *node = args.fdList.head; node != nullptr; node = node->next) {
        if (std::strcmp(node->fdName, name) == 0) {
            return node->fd;
        }
    }
    return -1;
}

// False at the end of all tasks, and where reading fails.
bool ReadTask(int tasks, Task &task)
{
    ssize_t length;
    do {
        length = read(tasks, &task, sizeof(task));
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        OH_LOG_ERROR(LOG_APP, "cannot read a task: %{public}s", std::strerror(errno));
    }
    return length == static_cast<ssize_t>(sizeof(task));
}

bool WriteResult(int results, const Result &result)
{
    ssize_t length;
    do {
        length = write(results, &result, sizeof(result));
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        OH_LOG_ERROR(LOG_APP, "cannot write a result: %{public}s", std::strerror(errno));
    }
    return length == static_cast<ssize_t>(sizeof(result));
}

bool IsPrime(uint32_t number)
{
    for (uint32_t divisor = 2; uint64_t{ divisor } * divisor <= number; divisor++) {
        if (number % divisor == 0) {
            return false;
        }
    }
    return number >= 2;
}

} // namespace

extern "C" void Work(NativeChildProcess_Args args)
{
    const int tasks = FindDescriptor(args, TASKS);
    const int results = FindDescriptor(args, RESULTS);
    const auto count = static_cast<uint32_t>(std::strtoul(args.entryParams, nullptr, 10));
    if (tasks < 0 || results < 0 || count == 0) {
        OH_LOG_ERROR(LOG_APP, "a worker needs descriptors for tasks and results, and how much a task covers");
        return;
    }
    if (!WriteResult(results, { READY, 0 })) {
        return;
    }
    for (Task task; ReadTask(tasks, task);) {
        Result result = { task.first, 0 };
        for (uint32_t offset = 0; offset < count; offset++) {
            result.primes += IsPrime(task.first + offset) ? 1 : 0;
        }
        if (!WriteResult(results, result)) {
            return;
        }
    }
}
