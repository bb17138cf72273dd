// SPDX-License-Identifier: Apache-2.0
// Limits of what the system gives, and all that a process can be kept from by them.
#ifndef IPCKIT_TESTS_LIMITS_LIMITS_HPP
#define IPCKIT_TESTS_LIMITS_LIMITS_HPP

#include "processes.hpp"

#include <sys/resource.h>

constexpr int NOT_RUN = 77;

inline std::string ChildLibrary()
{
    return std::filesystem::canonical(BuildDirectory() / "../child_process/libchild_library.so");
}

inline bool IsErrorCode(int code)
{
    return code >= OH_IPC_ERROR_CODE_BASE && code <= OH_IPC_INNER_ERROR;
}

// Uses the library as far as it gets. Nothing here needs memory of the C++ library's, which would throw.
// How many of the steps went well; all of them are what CheckThatItWorks does, and calls of many sizes.
struct Use {
    int well = 0;
    int failed = 0;

    void Note(bool holds)
    {
        (holds ? well : failed)++;
    }

    // An error has to be one of the library's.
    void NoteCode(int code)
    {
        if (code != OH_IPC_SUCCESS && !IsErrorCode(code)) {
            fprintf(stderr, "%d is no error code\n", code);
            _exit(1);
        }
        Note(code == OH_IPC_SUCCESS);
    }

    void Call(const OHIPCRemoteProxy *proxy, uint32_t code, size_t length)
    {
        static const uint8_t bytes[200000] = {};
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        Note(data != nullptr && reply != nullptr);
        if (data != nullptr && reply != nullptr) {
            const int written = OH_IPCParcel_WriteBuffer(data, bytes, static_cast<int32_t>(length));
            NoteCode(written);
            if (written == OH_IPC_SUCCESS) {
                NoteCode(OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, nullptr));
            }
        }
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
    }

    void CallWithStub(const OHIPCRemoteProxy *proxy)
    {
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("client", OnEcho, nullptr, nullptr);
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        Note(stub != nullptr && data != nullptr && reply != nullptr);
        if (stub != nullptr && data != nullptr && reply != nullptr) {
            const int written = OH_IPCParcel_WriteRemoteStub(data, stub);
            NoteCode(written);
            if (written == OH_IPC_SUCCESS) {
                NoteCode(OH_IPCRemoteProxy_SendRequest(proxy, CALL_BACK, data, reply, nullptr));
            }
        }
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        OH_IPCRemoteStub_Destroy(stub);
    }

    void Everything(const Server &server)
    {
        NoteCode(OH_IPCSkeleton_SetMaxWorkThreadNum(16));
        OHIPCRemoteProxy *proxy = server.Import();
        Note(proxy != nullptr);
        if (proxy == nullptr) {
            return;
        }
        for (const size_t length : {size_t{4}, size_t{1000}, size_t{100000}, size_t{200000}}) {
            Call(proxy, LENGTH, length);
        }
        CallWithStub(proxy);
        OH_IPCRemoteProxy_Destroy(proxy);
    }
};

inline rlim_t Limit(__rlimit_resource resource)
{
    rlimit limit{};
    CHECK(getrlimit(resource, &limit) == 0);
    return limit.rlim_cur;
}

// Only the soft limit, so that it can be lifted again.
inline void SetLimit(__rlimit_resource resource, rlim_t most)
{
    rlimit limit{};
    CHECK(getrlimit(resource, &limit) == 0);
    limit.rlim_cur = most;
    CHECK(setrlimit(resource, &limit) == 0);
}

// Uses the library under a limit in a process of its own, then lifts the limit and sees it work. What has failed is explained
// by a line with one of these parts.
inline bool UseUnderLimit(
    const Server &server, __rlimit_resource resource, rlim_t most, const std::vector<std::string> &explanations)
{
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    AwaitSuccess(Fork([&] {
        Use use;
        {
            StandardError log;
            const rlim_t before = Limit(resource);
            SetLimit(resource, most);
            use.Everything(server);
            SetLimit(resource, before);
            bool explained = false;
            for (const std::string &explanation : explanations) {
                explained = explained || log.Says(explanation);
            }
            if (use.failed > 0 && !explained) {
                std::cout << "under a limit of " << most << ", without a cause: " << log.Text() << '\n';
                exit(1);
            }
        }
        CheckThatItWorks(server);
        WriteAll(pipes[1], &use.failed, sizeof(use.failed));
    }));
    int failed = 0;
    ReadAll(pipes[0], &failed, sizeof(failed));
    close(pipes[0]);
    close(pipes[1]);
    return failed == 0;
}

#endif
