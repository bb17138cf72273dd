// SPDX-License-Identifier: Apache-2.0
// Processes for tests of limits and forks: one that serves requests, others that have to end in time.
#ifndef IPCKIT_TESTS_LIMITS_PROCESSES_HPP
#define IPCKIT_TESTS_LIMITS_PROCESSES_HPP

#include "../child_process/support.hpp"

#include <array>
#include <atomic>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

// What libchild_process.so asks of libipc_capi.so; here it lets processes meet that are not native child processes.
extern "C" int ipckit_reference_export(OHIPCRemoteStub *stub, uint8_t *reference);
extern "C" OHIPCRemoteProxy *ipckit_reference_import(const uint8_t *reference);

using Reference = std::array<uint8_t, 64>;

enum Request : uint32_t { ECHO = 1, HOLD, LET_GO, WATCH, AWAIT_DEATH, CALL_BACK, LENGTH };

// Runs `body` in a forked process, whose status is 0 unless a check in it fails.
template <typename Body> pid_t Fork(const Body &body)
{
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(0);
    }
    return pid;
}

// The process has to end, in a bounded time, and well.
inline void AwaitSuccess(pid_t pid)
{
    int status = 0;
    AwaitThat("the end of forked process " + std::to_string(pid), [&] { return waitpid(pid, &status, WNOHANG) == pid; });
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        std::cerr << "forked process " << pid
                  << (WIFEXITED(status) ? " exited with " : " was killed by signal ")
                  << (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)) << '\n';
        std::exit(1);
    }
}

inline void WriteAll(int descriptor, const void *data, size_t length)
{
    CHECK_EQUAL(write(descriptor, data, length), static_cast<ssize_t>(length));
}

// Waits for what another process writes, in a bounded time.
inline void ReadAll(int descriptor, void *data, size_t length)
{
    pollfd readable{descriptor, POLLIN, 0};
    CHECK_EQUAL(poll(&readable, 1, 60000), 1);
    CHECK_EQUAL(read(descriptor, data, length), static_cast<ssize_t>(length));
}

// Requests of a process that serves them as long as its creator lives.
class Server {
public:
    // To be made before the process uses the library: it forks.
    explicit Server(OH_OnRemoteRequestCallback handler = OnRequest)
    {
        int pipes[2];
        CHECK(pipe2(pipes, O_CLOEXEC) == 0);
        pid_ = Fork([&] {
            Reference reference = Exported(handler);
            WriteAll(pipes[1], reference.data(), reference.size());
            for (;;) {
                pause();
            }
        });
        ReadAll(pipes[0], reference_.data(), reference_.size());
        close(pipes[0]);
        close(pipes[1]);
    }
    // Only the process that made it ends it.
    ~Server()
    {
        if (getpid() == owner_) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

    const Reference &GetReference() const { return reference_; }

    pid_t Pid() const { return pid_; }

    // A proxy of its stub, or NULL.
    OHIPCRemoteProxy *Import() const { return ipckit_reference_import(reference_.data()); }

    OHIPCRemoteProxy *Connect() const
    {
        OHIPCRemoteProxy *proxy = Import();
        CHECK(proxy != nullptr);
        return proxy;
    }

    // A reference to a stub of the calling process that serves as long as the process lives.
    static Reference Exported(OH_OnRemoteRequestCallback handler = OnRequest)
    {
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("server", handler, nullptr, nullptr);
        CHECK(stub != nullptr);
        // A parcel that is never destroyed keeps it.
        CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
        Reference reference;
        CHECK_EQUAL(ipckit_reference_export(stub, reference.data()), 0);
        OH_IPCRemoteStub_Destroy(stub);
        return reference;
    }

private:
    static int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
    {
        static std::mutex mutex;
        static std::condition_variable changed;
        static bool letGo = false;
        static int deaths = 0;
        switch (code) {
        case ECHO: {
            int32_t value = 0;
            CHECK_EQUAL(OH_IPCParcel_ReadInt32(data, &value), OH_IPC_SUCCESS);
            return OH_IPCParcel_WriteInt32(reply, value + 1);
        }
        case LENGTH:
            return OH_IPCParcel_WriteInt32(reply, OH_IPCParcel_GetDataSize(data));
        case HOLD: {
            std::unique_lock<std::mutex> lock(mutex);
            changed.wait(lock, [] { return letGo; });
            return OH_IPCParcel_WriteInt32(reply, 1);
        }
        case LET_GO: {
            const std::lock_guard<std::mutex> lock(mutex);
            letGo = true;
            changed.notify_all();
            return OH_IPCParcel_WriteInt32(reply, 1);
        }
        case WATCH: {
            OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(data);
            CHECK(proxy != nullptr);
            OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(
                [](void *) {
                    const std::lock_guard<std::mutex> lock(mutex);
                    deaths++;
                    changed.notify_all();
                },
                nullptr, nullptr);
            return OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient);
        }
        case AWAIT_DEATH: {
            std::unique_lock<std::mutex> lock(mutex);
            changed.wait_for(lock, std::chrono::seconds(60), [] { return deaths > 0; });
            return OH_IPCParcel_WriteInt32(reply, deaths);
        }
        case CALL_BACK: {
            OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(data);
            CHECK(proxy != nullptr);
            OHIPCParcel *question = OH_IPCParcel_Create();
            OHIPCParcel *answer = OH_IPCParcel_Create();
            OH_IPCParcel_WriteInt32(question, 6);
            const int result = OH_IPCRemoteProxy_SendRequest(proxy, ECHO, question, answer, nullptr);
            int32_t value = 0;
            OH_IPCParcel_ReadInt32(answer, &value);
            OH_IPCParcel_Destroy(question);
            OH_IPCParcel_Destroy(answer);
            OH_IPCRemoteProxy_Destroy(proxy);
            return result == OH_IPC_SUCCESS ? OH_IPCParcel_WriteInt32(reply, value) : result;
        }
        default:
            return OH_IPC_CODE_OUT_OF_RANGE;
        }
    }

    pid_t owner_ = getpid();
    pid_t pid_;
    Reference reference_;
};

// Sends a number, and a stub if one is given; what comes back is the error or, if there is none, the number in the reply.
inline int Ask(const OHIPCRemoteProxy *proxy, uint32_t code, int32_t value = 0, const OHIPCRemoteStub *stub = nullptr)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    CHECK(data != nullptr && reply != nullptr);
    int result = stub == nullptr ? OH_IPCParcel_WriteInt32(data, value) : OH_IPCParcel_WriteRemoteStub(data, stub);
    CHECK_EQUAL(result, OH_IPC_SUCCESS);
    result = OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, nullptr);
    if (result == OH_IPC_SUCCESS && OH_IPCParcel_GetDataSize(reply) > 0) {
        CHECK_EQUAL(OH_IPCParcel_ReadInt32(reply, &result), OH_IPC_SUCCESS);
    }
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
    return result;
}

inline void *Allocate(int32_t length)
{
    return malloc(static_cast<size_t>(length));
}

inline int AskDescriptor(OHIPCRemoteProxy *proxy)
{
    char *text = nullptr;
    int32_t length = 0;
    const int result = OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &text, &length, Allocate);
    free(text);
    return result;
}

// A stub of the calling process that answers ECHO.
inline int OnEcho(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    int32_t value = 0;
    const int result = OH_IPCParcel_ReadInt32(data, &value);
    return result == OH_IPC_SUCCESS ? OH_IPCParcel_WriteInt32(reply, value + 1) : result;
}

// The library works: calls out, calls back, a new stub, a long parcel.
inline void CheckThatItWorks(const Server &server)
{
    OHIPCRemoteProxy *proxy = server.Connect();
    CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
    CHECK_EQUAL(Ask(proxy, ECHO, 41), 42);
    CHECK_EQUAL(AskDescriptor(proxy), OH_IPC_SUCCESS);
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("client", OnEcho, nullptr, nullptr);
    CHECK(stub != nullptr);
    CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCRemoteProxy_Destroy(proxy);
}

#endif
