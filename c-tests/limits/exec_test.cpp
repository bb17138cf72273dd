// SPDX-License-Identifier: Apache-2.0
// Programs that are executed, in place of a process that uses the library or by one that it forks: they inherit nothing of the library's,
// and a process that has become another program is dead to its peers.
#include "processes.hpp"

#include <spawn.h>

extern char **environ;

namespace {

// Has /bin/sh print the descriptors that it was started with beyond the standard ones and the one it prints to.
const char *const LIST = "exec >&3 3>&-; for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -gt 2 ] && [ -e $f ] && echo $n; done; true";

pid_t ByFork(int output)
{
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(output, 3);
        execl("/bin/sh", "sh", "-c", LIST, static_cast<char *>(nullptr));
        _exit(127);
    }
    return pid;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
pid_t ByVfork(int output)
{
    const pid_t pid = vfork();
    if (pid == 0) {
        dup2(output, 3);
        execl("/bin/sh", "sh", "-c", LIST, static_cast<char *>(nullptr));
        _exit(127);
    }
    return pid;
}
#pragma GCC diagnostic pop

pid_t BySpawn(int output)
{
    posix_spawn_file_actions_t actions;
    CHECK_EQUAL(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQUAL(posix_spawn_file_actions_adddup2(&actions, output, 3), 0);
    char *const arguments[] = {const_cast<char *>("sh"), const_cast<char *>("-c"), const_cast<char *>(LIST), nullptr};
    pid_t pid = -1;
    CHECK_EQUAL(posix_spawn(&pid, "/bin/sh", &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

// What a program finds open that is executed now, in each way.
void CheckNothingIsInherited()
{
    for (pid_t (*const start)(int) : {ByFork, ByVfork, BySpawn}) {
        int pipes[2];
        CHECK(pipe2(pipes, O_CLOEXEC) == 0);
        // The number that the program prints to is free, or it stays there for others.
        CHECK(pipes[0] != 3 || dup(pipes[1]) >= 0);
        const pid_t pid = start(pipes[1]);
        CHECK(pid > 0);
        close(pipes[1]);
        std::string said;
        char part[256];
        for (ssize_t length; (length = read(pipes[0], part, sizeof part)) > 0;) {
            said.append(part, static_cast<size_t>(length));
        }
        close(pipes[0]);
        AwaitSuccess(pid);
        CHECK_EQUAL(said, "");
    }
}

// Number 3 is the programs' to print to, and what the test itself was started with is closed.
void KeepTheStandardOnes()
{
    syscall(SYS_close_range, 3, ~0U, 0);
    CHECK_EQUAL(open("/dev/null", O_RDONLY | O_CLOEXEC), 3);
}

std::atomic<bool> g_inHandler{false};

int OnExecutingRequest(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    g_inHandler = true;
    CheckNothingIsInherited();
    return OH_IPCParcel_WriteInt32(reply, 7);
}

void ProgramsInheritNothing()
{
    KeepTheStandardOnes();
    const Server server;
    const Server holding;
    CheckNothingIsInherited();
    // A runtime, a peer, descriptors in parcels, a call that another thread waits for, a handler, and one that is dead.
    CHECK_EQUAL(OH_IPCSkeleton_SetMaxWorkThreadNum(4), OH_IPC_SUCCESS);
    CheckNothingIsInherited();
    OHIPCRemoteProxy *proxy = server.Connect();
    CheckNothingIsInherited();
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQUAL(OH_IPCParcel_WriteFileDescriptor(parcel, STDERR_FILENO), OH_IPC_SUCCESS);
    CheckNothingIsInherited();
    OHIPCRemoteProxy *held = holding.Connect();
    std::thread caller([&] { CHECK_EQUAL(Ask(held, HOLD), 1); });
    CheckNothingIsInherited();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("executing", OnExecutingRequest, nullptr, nullptr);
    CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
    CHECK(g_inHandler);
    CHECK_EQUAL(Ask(held, LET_GO), 1);
    caller.join();
    kill(server.Pid(), SIGKILL);
    AwaitThat("the death of a server", [&] { return OH_IPCRemoteProxy_IsRemoteDead(proxy) == 1; });
    CheckNothingIsInherited();
    OH_IPCParcel_Destroy(parcel);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteProxy_Destroy(held);
    OH_IPCRemoteStub_Destroy(stub);
}

// A process executes a program in its own place, on its main thread or on another one, with a call of its own under way and one of a
// peer's: the peers take it for dead, though its number lives on.
void CheckDeadByExec(bool onAnotherThread)
{
    const Server server;
    const Server holding;
    int pipes[2];
    int orders[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0 && pipe2(orders, O_CLOEXEC) == 0);
    const pid_t pid = Fork([&] {
        OHIPCRemoteProxy *proxy = server.Connect();
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("watched", OnEcho, nullptr, nullptr);
        CHECK_EQUAL(Ask(proxy, WATCH, 0, stub), OH_IPC_SUCCESS);
        std::thread([held = holding.Connect()] { Ask(held, HOLD); }).detach();
        const Reference reference = Server::Exported();
        WriteAll(pipes[1], reference.data(), reference.size());
        char order;
        ReadAll(orders[0], &order, 1);
        const auto execute = [] { execl("/bin/sleep", "sleep", "1000", static_cast<char *>(nullptr)); };
        if (onAnotherThread) {
            std::thread(execute).join();
        }
        execute();
    });
    Reference reference;
    ReadAll(pipes[0], reference.data(), reference.size());
    OHIPCRemoteProxy *watcher = server.Connect();
    OHIPCRemoteProxy *other = ipckit_reference_import(reference.data());
    CHECK(other != nullptr);
    CHECK_EQUAL(Ask(other, ECHO, 1), 2);
    std::thread caller([&] { CHECK_EQUAL(Ask(other, HOLD), OH_IPC_DEAD_REMOTE_OBJECT); });
    WriteAll(orders[1], "", 1);
    caller.join();
    CHECK_EQUAL(Ask(watcher, AWAIT_DEATH), 1);
    AwaitThat("the death by exec", [&] { return OH_IPCRemoteProxy_IsRemoteDead(other) == 1; });
    CHECK_EQUAL(Ask(other, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT);
    CHECK(IsThere(pid));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    CheckThatItWorks(server);
    OH_IPCRemoteProxy_Destroy(other);
    OH_IPCRemoteProxy_Destroy(watcher);
}

void OnTheMainThread()
{
    CheckDeadByExec(false);
}

void OnAnotherThread()
{
    CheckDeadByExec(true);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"programs_inherit_nothing", ProgramsInheritNothing}, {"on_the_main_thread", OnTheMainThread},
            {"on_another_thread", OnAnotherThread}});
}
