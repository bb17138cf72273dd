// SPDX-License-Identifier: Apache-2.0
// Servers and clients as forked processes, and bounded waits for what they do.
#ifndef ROBUSTNESS_SUPPORT_HPP
#define ROBUSTNESS_SUPPORT_HPP

#include <IPCKit/ipc_kit.h>

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <new>
#include <thread>

#include "check.h"

extern "C" int ipckit_reference_export(OHIPCRemoteStub *stub, uint8_t *reference);
extern "C" OHIPCRemoteProxy *ipckit_reference_import(const uint8_t *reference);

// A T that this process and those it forks see alike.
template <typename T> T &Shared()
{
    void *memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        abort();
    }
    return *new (memory) T();
}

// Only what never happens takes that long.
inline bool Until(const std::function<bool()> &holds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

// Runs `body` in a forked process, which then waits to be killed and never outlives this one.
inline pid_t Fork(const std::function<void()> &body)
{
    fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        fflush(nullptr);
        for (;;) {
            pause();
        }
    }
    return child;
}

// The status by which a child has ended.
inline int Reap(pid_t child)
{
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

inline void Kill(pid_t child)
{
    kill(child, SIGKILL);
    Reap(child);
}

inline int OpenDescriptors()
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != nullptr) {
        ++count;
    }
    closedir(directory);
    return count - 3;
}

constexpr int REFERENCE_BYTES = 64;

// Makes a stub and the bytes by which one other process gets a proxy of it. The stub lives until that has let go.
inline bool Export(OHIPCRemoteStub *stub, uint8_t *reference)
{
    return CHECK_EQ(ipckit_reference_export(stub, reference), 0);
}

inline int Call(OHIPCRemoteProxy *proxy, uint32_t code)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    const int result = OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, nullptr);
    OH_IPCParcel_Destroy(reply);
    OH_IPCParcel_Destroy(data);
    return result;
}

#endif
