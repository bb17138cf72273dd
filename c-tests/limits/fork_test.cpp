// SPDX-License-Identifier: Apache-2.0
// Forks of a process that uses the library: the forked process begins anew, what it inherited is dead to it, and the process
// that forked is as it was.
#include "processes.hpp"

#include <dirent.h>

namespace {

int OnCounted(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return OH_IPC_SUCCESS;
}

void IgnoreDeath(void *) {}

// One of everything that a process can hold.
struct Holdings {
    explicit Holdings(const Server &server)
    {
        proxy = server.Connect();
        other = server.Connect();
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
        stub = OH_IPCRemoteStub_Create("held", OnCounted, nullptr, nullptr);
        sent = OH_IPCRemoteStub_Create("sent", OnEcho, nullptr, nullptr);
        CHECK(stub != nullptr && sent != nullptr);
        CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, sent), 7);
        CHECK_EQUAL(Ask(proxy, WATCH, 0, sent), OH_IPC_SUCCESS);
        recipient = OH_IPCDeathRecipient_Create(IgnoreDeath, nullptr, nullptr);
        unused = OH_IPCDeathRecipient_Create(IgnoreDeath, nullptr, nullptr);
        CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
        parcel = OH_IPCParcel_Create();
        CHECK_EQUAL(OH_IPCParcel_WriteInt32(parcel, 5), OH_IPC_SUCCESS);
        CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(parcel, stub), OH_IPC_SUCCESS);
        CHECK_EQUAL(OH_IPCParcel_WriteRemoteProxy(parcel, proxy), OH_IPC_SUCCESS);
        CHECK_EQUAL(OH_IPCParcel_WriteFileDescriptor(parcel, STDERR_FILENO), OH_IPC_SUCCESS);
        reply = OH_IPCParcel_Create();
        CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(proxy, ECHO, parcel, reply, nullptr), OH_IPC_SUCCESS);
    }

    // In a forked process.
    void CheckDeadAndDestroy()
    {
        for (OHIPCRemoteProxy *inherited : {proxy, other}) {
            CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(inherited), 1);
            CHECK_EQUAL(Ask(inherited, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT);
            CHECK_EQUAL(AskDescriptor(inherited), OH_IPC_DEAD_REMOTE_OBJECT);
            OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
            OHIPCParcel *data = OH_IPCParcel_Create();
            CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(inherited, ECHO, data, nullptr, &async), OH_IPC_DEAD_REMOTE_OBJECT);
            OH_IPCParcel_Destroy(data);
            CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(inherited, unused), OH_IPC_INNER_ERROR);
            CHECK_EQUAL(OH_IPCRemoteProxy_RemoveDeathRecipient(inherited, recipient), OH_IPC_INNER_ERROR);
        }
        int32_t value = 0;
        CHECK_EQUAL(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
        CHECK_EQUAL(value, 5);
        OHIPCRemoteStub *read = OH_IPCParcel_ReadRemoteStub(parcel);
        CHECK(read != nullptr);
        OH_IPCRemoteStub_Destroy(read);
        OHIPCRemoteProxy *readProxy = OH_IPCParcel_ReadRemoteProxy(parcel);
        CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(readProxy), 1);
        OH_IPCRemoteProxy_Destroy(readProxy);
        Destroy();
    }

    // In a forked process: stubs are the program's own, and go on in either process.
    void CheckStubs(const Server &server) const
    {
        OHIPCRemoteProxy *fresh = server.Connect();
        CHECK_EQUAL(Ask(fresh, CALL_BACK, 0, sent), 7);
        OH_IPCRemoteProxy_Destroy(fresh);
    }

    void Destroy()
    {
        OH_IPCParcel_Destroy(parcel);
        OH_IPCParcel_Destroy(reply);
        OH_IPCRemoteStub_Destroy(stub);
        OH_IPCRemoteStub_Destroy(sent);
        OH_IPCRemoteProxy_Destroy(proxy);
        OH_IPCRemoteProxy_Destroy(other);
        OH_IPCDeathRecipient_Destroy(recipient);
        OH_IPCDeathRecipient_Destroy(unused);
    }

    // In the process that forked.
    void CheckUndisturbed() const
    {
        CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
        CHECK_EQUAL(Ask(proxy, ECHO, 8), 9);
        CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, sent), 7);
    }

    OHIPCRemoteProxy *proxy;
    OHIPCRemoteProxy *other;
    OHIPCRemoteStub *stub;
    OHIPCRemoteStub *sent;
    OHIPCDeathRecipient *recipient;
    OHIPCDeathRecipient *unused;
    OHIPCParcel *parcel;
    OHIPCParcel *reply;
};

void EverythingInheritedIsDead()
{
    const Server server;
    Holdings holdings(server);
    AwaitSuccess(Fork([&] {
        holdings.CheckStubs(server);
        holdings.CheckDeadAndDestroy();
        CheckThatItWorks(server);
    }));
    // One that lets go of everything and uses nothing more.
    AwaitSuccess(Fork([&] { holdings.CheckDeadAndDestroy(); }));
    AwaitSuccess(Fork([&] { holdings.Destroy(); }));
    // One that ends as programs do.
    AwaitSuccess(Fork([&] {
        holdings.CheckDeadAndDestroy();
        CheckThatItWorks(server);
        exit(0);
    }));
    holdings.CheckUndisturbed();
    holdings.Destroy();
}

// A descriptor that was asked for before the fork is answered from memory, as that of any dead object is.
void KnownDescriptor()
{
    const Server server;
    OHIPCRemoteProxy *proxy = server.Connect();
    CHECK_EQUAL(AskDescriptor(proxy), OH_IPC_SUCCESS);
    AwaitSuccess(Fork([&] {
        CHECK_EQUAL(AskDescriptor(proxy), OH_IPC_SUCCESS);
        CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 1);
    }));
    OH_IPCRemoteProxy_Destroy(proxy);
}

// What belongs to a peer that was dead before the fork is freed with the last proxy, in either process.
void PeersThatWereDeadBefore()
{
    const Server server;
    std::vector<OHIPCRemoteProxy *> proxies;
    for (int index = 0; index < 4; index++) {
        const Server brief;
        proxies.push_back(brief.Connect());
        CHECK_EQUAL(Ask(proxies.back(), ECHO, 1), 2);
        kill(brief.Pid(), SIGKILL);
        AwaitThat("the death of a server", [&] { return OH_IPCRemoteProxy_IsRemoteDead(proxies.back()) == 1; });
    }
    for (int round = 0; round < 3; round++) {
        AwaitSuccess(Fork([&] {
            CheckThatItWorks(server);
            for (OHIPCRemoteProxy *proxy : proxies) {
                OH_IPCRemoteProxy_Destroy(proxy);
            }
            CheckThatItWorks(server);
        }));
    }
    CheckThatItWorks(server);
    for (OHIPCRemoteProxy *proxy : proxies) {
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

void SecondGeneration()
{
    const Server server;
    Holdings first(server);
    AwaitSuccess(Fork([&] {
        Holdings second(server);
        AwaitSuccess(Fork([&] {
            Holdings third(server);
            AwaitSuccess(Fork([&] {
                third.CheckDeadAndDestroy();
                second.CheckDeadAndDestroy();
                first.CheckDeadAndDestroy();
                CheckThatItWorks(server);
            }));
            first.CheckDeadAndDestroy();
            second.CheckDeadAndDestroy();
            third.CheckUndisturbed();
        }));
        second.CheckUndisturbed();
        first.CheckDeadAndDestroy();
        second.Destroy();
    }));
    first.CheckUndisturbed();
}

// Of a fork that no handler is told of, the library learns when it is used next.
pid_t ForkPastHandlers(const std::function<void()> &body)
{
    const long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(0);
    }
    return static_cast<pid_t>(pid);
}

void PastTheHandlers()
{
    const Server server;
    Holdings holdings(server);
    AwaitSuccess(ForkPastHandlers([&] { holdings.Destroy(); }));
    for (int round = 0; round < 10; round++) {
        AwaitSuccess(ForkPastHandlers([&] {
            holdings.CheckDeadAndDestroy();
            CheckThatItWorks(server);
        }));
    }
    AwaitSuccess(ForkPastHandlers([&] {
        // Ordinary forks of it, before and after it has used the library.
        AwaitSuccess(Fork([&] { holdings.CheckDeadAndDestroy(); }));
        Holdings second(server);
        AwaitSuccess(Fork([&] {
            second.CheckDeadAndDestroy();
            CheckThatItWorks(server);
        }));
        AwaitSuccess(ForkPastHandlers([&] {
            second.CheckDeadAndDestroy();
            holdings.CheckDeadAndDestroy();
            CheckThatItWorks(server);
        }));
        second.CheckUndisturbed();
        holdings.CheckDeadAndDestroy();
    }));
    holdings.CheckUndisturbed();
    holdings.Destroy();
}

void BeforeTheFirstUse()
{
    const Server server;
    AwaitSuccess(Fork([&] { CheckThatItWorks(server); }));
    AwaitSuccess(ForkPastHandlers([&] { CheckThatItWorks(server); }));
    CheckThatItWorks(server);
}

// Descriptors above the standard ones.
std::set<std::string> OpenDescriptors()
{
    std::set<std::string> names;
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory != nullptr);
    const std::string own = std::to_string(dirfd(directory));
    while (const dirent *entry = readdir(directory)) {
        if (entry->d_name != own && entry->d_name[0] != '.') {
            names.insert(entry->d_name);
        }
    }
    closedir(directory);
    return names;
}

void ForkedProcessHoldsNoDescriptors()
{
    const Server server;
    const std::set<std::string> before = OpenDescriptors();
    OHIPCRemoteProxy *proxy = server.Connect();
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    AwaitSuccess(Fork([&] { CHECK(OpenDescriptors() == before); }));
    AwaitSuccess(ForkPastHandlers([&] {
        CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 1);
        CHECK(OpenDescriptors() == before);
    }));
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    OH_IPCRemoteProxy_Destroy(proxy);
}

// A process dies while its forked child lives on: who has called it, or held its objects, learns of the death all the same.
void CheckDeathIsNoticed(pid_t (*fork)(const std::function<void()> &))
{
    const Server server;
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    struct Told {
        Reference reference;
        pid_t forked;
    };
    const pid_t victim = Fork([&] {
        OHIPCRemoteProxy *proxy = server.Connect();
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("victim", OnEcho, nullptr, nullptr);
        CHECK_EQUAL(Ask(proxy, WATCH, 0, stub), OH_IPC_SUCCESS);
        Told told{Server::Exported(), 0};
        told.forked = fork([] {
            prctl(PR_SET_PDEATHSIG, 0);
            for (;;) {
                pause();
            }
        });
        WriteAll(pipes[1], &told, sizeof(told));
        for (;;) {
            pause();
        }
    });
    Told told;
    ReadAll(pipes[0], &told, sizeof(told));
    OHIPCRemoteProxy *ofVictim = ipckit_reference_import(told.reference.data());
    CHECK(ofVictim != nullptr);
    CHECK_EQUAL(Ask(ofVictim, ECHO, 1), 2);
    OHIPCRemoteProxy *proxy = server.Connect();
    kill(victim, SIGKILL);
    CHECK_EQUAL(Ask(proxy, AWAIT_DEATH), 1);
    AwaitThat("the victim's death", [&] { return OH_IPCRemoteProxy_IsRemoteDead(ofVictim) == 1; });
    CHECK_EQUAL(Ask(ofVictim, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT);
    CHECK(IsThere(told.forked));
    CHECK(kill(told.forked, SIGKILL) == 0);
    waitpid(victim, nullptr, 0);
    OH_IPCRemoteProxy_Destroy(ofVictim);
    OH_IPCRemoteProxy_Destroy(proxy);
}

pid_t ForkByFunction(const std::function<void()> &body)
{
    return Fork(body);
}

void DeathIsNoticed()
{
    CheckDeathIsNoticed(ForkByFunction);
}

void DeathIsNoticedPastTheHandlers()
{
    CheckDeathIsNoticed(ForkPastHandlers);
}

// A call that another thread of the parent waits for goes on, though the proxy is dead in the child.
void CallUnderWay()
{
    const Server server;
    OHIPCRemoteProxy *proxy = server.Connect();
    std::atomic<int> result{0};
    std::thread caller([&] { result = Ask(proxy, HOLD); });
    for (int round = 0; round < 10; round++) {
        AwaitSuccess(Fork([&] {
            CHECK_EQUAL(Ask(proxy, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT);
            CheckThatItWorks(server);
            OH_IPCRemoteProxy_Destroy(proxy);
        }));
    }
    CHECK_EQUAL(result.load(), 0);
    CHECK_EQUAL(Ask(proxy, LET_GO), 1);
    caller.join();
    CHECK_EQUAL(result.load(), 1);
    OH_IPCRemoteProxy_Destroy(proxy);
}

// Threads that keep every lock of the library busy while another one forks.
void LocksHeldByOtherThreads()
{
    const Server server;
    OHIPCRemoteProxy *proxy = server.Connect();
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("busy", OnEcho, nullptr, nullptr);
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(IgnoreDeath, nullptr, nullptr);
    std::atomic<bool> over{false};
    const std::vector<std::function<void()>> busy = {
        [&] { CHECK_EQUAL(Ask(proxy, ECHO, 41), 42); },
        [&] { CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7); },
        [&] {
            CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
            CHECK_EQUAL(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
        },
        [&] { OH_IPCRemoteProxy_Destroy(server.Connect()); },
        [&] { CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0); },
        [&] {
            OHIPCParcel *data = OH_IPCParcel_Create();
            OH_IPCParcel_WriteInt32(data, 1);
            OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
            const int result = OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, nullptr, &async);
            CHECK(result == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR);
            OH_IPCParcel_Destroy(data);
        },
    };
    std::vector<std::thread> threads;
    for (const auto &action : busy) {
        for (int copy = 0; copy < 2; copy++) {
            threads.emplace_back([&over, action] {
                while (!over) {
                    action();
                }
            });
        }
    }
    for (int round = 0; round < 100; round++) {
        AwaitSuccess(Fork([&] {
            CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 1);
            CHECK_EQUAL(Ask(proxy, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT);
            CHECK_EQUAL(AskDescriptor(proxy), OH_IPC_DEAD_REMOTE_OBJECT);
            CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_INNER_ERROR);
            CHECK_EQUAL(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, recipient), OH_IPC_INNER_ERROR);
            OHIPCRemoteProxy *fresh = server.Connect();
            CHECK_EQUAL(Ask(fresh, CALL_BACK, 0, stub), 7);
            OH_IPCRemoteProxy_Destroy(fresh);
            OH_IPCRemoteProxy_Destroy(proxy);
            OH_IPCRemoteStub_Destroy(stub);
            OH_IPCDeathRecipient_Destroy(recipient);
        }));
    }
    over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCDeathRecipient_Destroy(recipient);
}

// Forks while another thread uses the library for the first time.
void WhileItStarts()
{
    const Server server;
    for (int round = 0; round < 100; round++) {
        AwaitSuccess(Fork([&] {
            std::atomic<bool> begun{false};
            std::thread first([&] {
                begun = true;
                CheckThatItWorks(server);
            });
            while (!begun) {
            }
            const auto start = std::chrono::steady_clock::now();
            while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(round * 10)) {
            }
            AwaitSuccess(Fork([&] { CheckThatItWorks(server); }));
            first.join();
        }));
    }
}

// The process has to end, in a bounded time, with status 1.
void AwaitFailure(pid_t pid)
{
    int status = 0;
    AwaitThat("the end of forked process " + std::to_string(pid), [&] { return waitpid(pid, &status, WNOHANG) == pid; });
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 1);
}

std::atomic<pid_t> g_forkedInHandler;
std::atomic<bool> g_returns;

int OnForkingRequest(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *data)
{
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        CHECK_EQUAL(OH_IPCSkeleton_IsHandlingTransaction(), 0);
        CHECK_EQUAL(OH_IPCSkeleton_GetCallingPid(), static_cast<uint64_t>(getpid()));
        if (!g_returns) {
            CheckThatItWorks(*static_cast<const Server *>(data));
            _exit(0);
        }
    }
    g_forkedInHandler = pid;
    return OH_IPCParcel_WriteInt32(reply, 7);
}

// A handler forks: on a worker, where it runs for another process, and on the thread whose call led to it.
void InAHandler()
{
    const Server server;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("forking", OnForkingRequest, nullptr, const_cast<Server *>(&server));
    OHIPCRemoteProxy *proxy = server.Connect();
    for (int round = 0; round < 10; round++) {
        CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
        AwaitSuccess(g_forkedInHandler);
    }
    // The forked process comes back out of the handler: there is nobody whom it could answer, and it ends.
    g_returns = true;
    for (int round = 0; round < 10; round++) {
        CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
        AwaitFailure(g_forkedInHandler);
    }
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCRemoteProxy_Destroy(proxy);
}

void InAWorkersHandler()
{
    const Server server;
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    const pid_t forking = Fork([&] {
        OHIPCRemoteStub *stub =
            OH_IPCRemoteStub_Create("forking", OnForkingRequest, nullptr, const_cast<Server *>(&server));
        Reference reference;
        CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
        CHECK_EQUAL(ipckit_reference_export(stub, reference.data()), 0);
        WriteAll(pipes[1], reference.data(), reference.size());
        for (int round = 0; round < 10; round++) {
            AwaitThat("a fork in the handler", [] { return g_forkedInHandler != 0; });
            (g_returns ? AwaitFailure : AwaitSuccess)(g_forkedInHandler.exchange(0));
            g_returns = !g_returns;
            WriteAll(pipes[1], "", 1);
        }
        for (;;) {
            pause();
        }
    });
    Reference reference;
    ReadAll(pipes[0], reference.data(), reference.size());
    OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
    CHECK(proxy != nullptr);
    for (int round = 0; round < 10; round++) {
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 7);
        char byte;
        ReadAll(pipes[0], &byte, 1);
    }
    OH_IPCRemoteProxy_Destroy(proxy);
    kill(forking, SIGKILL);
    waitpid(forking, nullptr, 0);
}

void IgnoreExit(int32_t, int32_t) {}

// A child process that runs a function and ends.
void StartChild(const std::string &entry)
{
    int32_t pid = 0;
    CHECK_EQUAL(OH_Ability_StartNativeChildProcess(entry.c_str(), NativeChildProcess_Args{}, NativeChildProcess_Options{}, &pid),
        NCP_NO_ERROR);
    CHECK(pid > 0);
}

void ChangeExitCallbacks()
{
    OH_Ability_RegisterNativeChildProcessExitCallback(IgnoreExit);
    OH_Ability_UnregisterNativeChildProcessExitCallback(IgnoreExit);
}

// Threads that wait for the locks for starting children while another one forks, and the forked process starts children itself.
void WhileChildrenStart()
{
    // Made before there are threads: a static one could be half made at a fork, and the forked process would wait for it for ever.
    const std::string entry = (BuildDirectory() / "../child_process/libchild_library.so").string() + ":Run";
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int copy = 0; copy < 8; copy++) {
        threads.emplace_back([&over, &entry, copy] {
            while (!over) {
                copy < 2 ? StartChild(entry) : ChangeExitCallbacks();
            }
        });
    }
    for (int round = 0; round < 100; round++) {
        AwaitSuccess(Fork([&entry] {
            std::vector<std::thread> own;
            for (int copy = 0; copy < 4; copy++) {
                own.emplace_back([&entry] {
                    StartChild(entry);
                    for (int change = 0; change < 1000; change++) {
                        ChangeExitCallbacks();
                    }
                });
            }
            for (std::thread &thread : own) {
                thread.join();
            }
        }));
    }
    over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"everything_inherited_is_dead", EverythingInheritedIsDead}, {"known_descriptor", KnownDescriptor},
            {"peers_that_were_dead_before", PeersThatWereDeadBefore}, {"second_generation", SecondGeneration},
            {"past_the_handlers", PastTheHandlers}, {"before_the_first_use", BeforeTheFirstUse},
            {"no_descriptors", ForkedProcessHoldsNoDescriptors}, {"death_is_noticed", DeathIsNoticed},
            {"death_is_noticed_past_the_handlers", DeathIsNoticedPastTheHandlers}, {"call_under_way", CallUnderWay},
            {"locks_held_by_other_threads", LocksHeldByOtherThreads}, {"while_it_starts", WhileItStarts},
            {"while_children_start", WhileChildrenStart}, {"in_a_handler", InAHandler},
            {"in_a_workers_handler", InAWorkersHandler}});
}
