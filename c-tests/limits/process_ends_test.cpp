// SPDX-License-Identifier: Apache-2.0
// A process ends by exit() or quick_exit() while its threads are in the middle of calls and handlers: it ends with the status that it was
// given, at once, and whoever it had to do with goes on.
#include "processes.hpp"

#include <cstdlib>

namespace {

constexpr int STATUS = 42;

void AwaitStatus(pid_t pid, int expected)
{
    int status = 0;
    AwaitThat("the end of process " + std::to_string(pid), [&] { return waitpid(pid, &status, WNOHANG) == pid; });
    if (!WIFEXITED(status)) {
        std::cerr << "killed by signal " << WTERMSIG(status) << '\n';
    }
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), expected);
}

// Threads that call, are called back, send asynchronous messages, connect and make objects, for ever. What they are told once the
// process is ending does not matter.
void KeepBusy(const Server &server, const Server &holding, std::atomic<int> &calls)
{
    OHIPCRemoteProxy *proxy = server.Connect();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("busy", OnEcho, nullptr, nullptr);
    const std::vector<std::function<void()>> actions = {
        [=] { Ask(proxy, ECHO, 41); },
        [=] { Ask(proxy, CALL_BACK, 0, stub); },
        [=] {
            OHIPCParcel *data = OH_IPCParcel_Create();
            OH_IPCParcel_WriteInt32(data, 1);
            OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
            OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, nullptr, &async);
            OH_IPCParcel_Destroy(data);
        },
        [&server] { OH_IPCRemoteProxy_Destroy(server.Import()); },
        [=] { OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create("brief", OnEcho, nullptr, nullptr)); },
    };
    for (const auto &action : actions) {
        std::thread([&calls, action] {
            for (;;) {
                action();
                calls++;
            }
        }).detach();
    }
    std::thread([] { OH_IPCSkeleton_JoinWorkThread(); }).detach();
    // A call that never comes back.
    std::thread([held = holding.Connect()] { Ask(held, HOLD); }).detach();
}

void EndDuringCalls(void (*end)(int))
{
    const Server server;
    for (int round = 0; round < 40; round++) {
        // Its worker is kept for ever.
        const Server holding;
        AwaitStatus(Fork([&] {
            // What the threads use outlives this function, as the process does not.
            static std::atomic<int> calls{0};
            KeepBusy(server, holding, calls);
            AwaitThat("calls", [] { return calls > 20; });
            end(STATUS);
        }), STATUS);
    }
    CheckThatItWorks(server);
}

void ExitDuringCalls()
{
    EndDuringCalls(exit);
}

void QuickExitDuringCalls()
{
    EndDuringCalls(quick_exit);
}

OHIPCRemoteProxy *g_proxy;

// What is registered for the end uses the library once more.
void CallOnceMore()
{
    if (Ask(g_proxy, ECHO, 1) != 2) {
        _exit(1);
    }
    OH_IPCRemoteProxy_Destroy(g_proxy);
}

void CallsAtTheEnd()
{
    const Server server;
    for (const bool quickly : {false, true}) {
        AwaitStatus(Fork([&] {
            g_proxy = server.Connect();
            (quickly ? at_quick_exit : atexit)(CallOnceMore);
            (quickly ? quick_exit : exit)(STATUS);
        }), STATUS);
        // Without any use before.
        AwaitStatus(Fork([&] {
            static const Server *const used = &server;
            const auto connectAndCall = [] {
                g_proxy = used->Connect();
                CallOnceMore();
            };
            (quickly ? at_quick_exit : atexit)(connectAndCall);
            (quickly ? quick_exit : exit)(STATUS);
        }), STATUS);
    }
}

void (*g_end)(int);

int OnEnd(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    g_end(STATUS);
    return OH_IPC_SUCCESS;
}

// A handler ends its process, on a worker or on a thread that was called back; the caller learns that it is dead.
void InAHandler()
{
    const Server server;
    for (void (*const end)(int) : {exit, quick_exit}) {
        g_end = end;
        for (int round = 0; round < 20; round++) {
            int pipes[2];
            CHECK(pipe2(pipes, O_CLOEXEC) == 0);
            const pid_t ending = Fork([&] {
                OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("ending", OnEnd, nullptr, nullptr);
                Reference reference;
                CHECK_EQUAL(ipckit_reference_export(stub, reference.data()), 0);
                WriteAll(pipes[1], reference.data(), reference.size());
                for (;;) {
                    pause();
                }
            });
            Reference reference;
            ReadAll(pipes[0], reference.data(), reference.size());
            close(pipes[0]);
            close(pipes[1]);
            const pid_t caller = Fork([&] {
                OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
                CHECK(proxy != nullptr);
                CHECK_EQUAL(Ask(proxy, 1), OH_IPC_DEAD_REMOTE_OBJECT);
            });
            AwaitStatus(ending, STATUS);
            AwaitSuccess(caller);
            AwaitStatus(Fork([&] {
                OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("ending", OnEnd, nullptr, nullptr);
                Ask(server.Connect(), CALL_BACK, 0, stub);
            }), STATUS);
        }
    }
    CheckThatItWorks(server);
}

// The end comes while another thread makes the runtime.
void WhileItStarts()
{
    const Server server;
    for (void (*const end)(int) : {exit, quick_exit}) {
        for (int round = 0; round < 50; round++) {
            AwaitStatus(Fork([&] {
                std::atomic<bool> begun{false};
                std::thread([&] {
                    begun = true;
                    OH_IPCRemoteProxy_Destroy(server.Import());
                }).detach();
                while (!begun) {
                }
                const auto start = std::chrono::steady_clock::now();
                while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(round * 20)) {
                }
                end(STATUS);
            }), STATUS);
        }
    }
}

void IgnoreOutcome(int, OHIPCRemoteProxy *) {}

// And while a child is being started.
void WhileAChildStarts()
{
    const std::string library = std::filesystem::canonical(BuildDirectory() / "../child_process/libchild_library.so");
    Behave("wait");
    for (void (*const end)(int) : {exit, quick_exit}) {
        for (int round = 0; round < 10; round++) {
            AwaitStatus(Fork([&] {
                static const std::string path = library;
                static std::atomic<bool> begun{false};
                std::thread([] {
                    begun = true;
                    OH_Ability_CreateNativeChildProcess(path.c_str(), IgnoreOutcome);
                }).detach();
                while (!begun) {
                }
                const auto start = std::chrono::steady_clock::now();
                while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(round * 300)) {
                }
                end(STATUS);
            }), STATUS);
        }
    }
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"exit_during_calls", ExitDuringCalls}, {"quick_exit_during_calls", QuickExitDuringCalls},
            {"calls_at_the_end", CallsAtTheEnd}, {"in_a_handler", InAHandler}, {"while_it_starts", WhileItStarts},
            {"while_a_child_starts", WhileAChildStarts}});
}
