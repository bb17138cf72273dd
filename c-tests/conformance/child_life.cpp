// SPDX-License-Identifier: Apache-2.0
// Children as nobody's children, their limits, their end at any moment, and the end of their parent.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/child.h"

using namespace conformance;

namespace {

std::atomic<int> g_reaped{ 0 };
std::atomic<int> g_childSignals{ 0 };

// As users write it.
void ReapEverything(int)
{
    int before = errno;
    g_childSignals++;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
        g_reaped++;
    }
    errno = before;
}

int AskForPid(const OHIPCRemoteProxy *proxy, pid_t &pid)
{
    Parcel data;
    Parcel reply;
    int result = SendSync(proxy, 100, data.Get(), reply.Get());
    pid = result == OH_IPC_SUCCESS ? reply.Read().Int() : -1;
    return result;
}

void SetLimit(const char *number)
{
    setenv("IPCKIT_MAX_CHILDREN", number, 1);
}

} // namespace

TEST(a_parent_that_reaps_everything, "a child raises SIGCHLD in its parent, can be waited for, or is seen as a zombie")
{
    struct sigaction action{};
    action.sa_handler = ReapEverything;
    REQUIRE_EQ(sigaction(SIGCHLD, &action, nullptr), 0);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback([](int32_t, int32_t signal) {
        EXPECT_EQ(signal, SIGKILL);
        Counter("exits").Add();
    }), NCP_NO_ERROR);
    Pipe in;
    Pipe out;
    Started child = StartChild("Wait", Arguments().Descriptor("in", in.Reading()).Descriptor("out", out.Writing()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    for (pid_t whom : { child.pid, -1 }) {
        EXPECT_EQ(waitpid(whom, nullptr, WNOHANG), -1);
        EXPECT_EQ(errno, ECHILD);
    }
    EXPECT(std::filesystem::exists("/proc/" + std::to_string(child.pid)));
    EXPECT_EQ(kill(child.pid, SIGSTOP), 0);
    EXPECT_EQ(kill(child.pid, SIGCONT), 0);
    EXPECT_EQ(OH_Ability_KillChildProcess(child.pid), NCP_NO_ERROR);
    Counter("exits").AwaitAtLeast(1);
    EXPECT(!std::filesystem::exists("/proc/" + std::to_string(child.pid)));
    EXPECT_EQ(waitpid(child.pid, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(g_childSignals.load(), 0);
    // A child of the program's own is reaped as ever.
    if (fork() == 0) {
        _exit(0);
    }
    while (g_reaped.load() == 0) {
        usleep(1000);
    }
    EXPECT_EQ(g_reaped.load(), 1);
}

TEST(one_limit_for_children_of_all_kinds, "children of one kind do not count, or an ended one takes its place on")
{
    SetLimit("2");
    Outcome connected = CreateChild();
    REQUIRE_EQ(connected.code, NCP_NO_ERROR);
    Pipe in;
    Pipe out;
    Started child = StartChild("Wait", Arguments().Descriptor("in", in.Reading()).Descriptor("out", out.Writing()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    EXPECT_EQ(StartChild("Nothing", Arguments()).code, NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    EXPECT_EQ(CreateChild().code, NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    EXPECT(CountInOutput("2 children live already; IPCKIT_MAX_CHILDREN sets another limit") == 2);
    EXPECT_EQ(OH_Ability_KillChildProcess(child.pid), NCP_NO_ERROR);
    AwaitGone(child.pid);
    // There is room again a little later.
    int code;
    while ((code = StartChild("Nothing", Arguments()).code) == NCP_ERR_MAX_CHILD_PROCESSES_REACHED) {
        usleep(1000);
    }
    EXPECT_EQ(code, NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_KillChildProcess(child.pid), NCP_ERR_INVALID_PID);
}

TEST(children_of_start_leave_room_for_others, "children of Start count among the fifty of Create")
{
    unsetenv("IPCKIT_MAX_CHILDREN");
    Pipe in;
    Pipe out;
    std::vector<pid_t> children;
    for (int index = 0; index < 51; index++) {
        Started child = StartChild("Wait", Arguments().Descriptor("in", in.Reading()).Descriptor("out", out.Writing()));
        REQUIRE_EQ(child.code, NCP_NO_ERROR);
        children.push_back(child.pid);
    }
    EXPECT_EQ(CreateChild().code, NCP_NO_ERROR);
    in.CloseWriting();
    out.ReadToEnd();
    for (pid_t pid : children) {
        AwaitGone(pid);
    }
}

TEST(the_limit_of_descriptors_is_named, "a parent without descriptors crashes, hangs, or is not told which limit it is")
{
    Pipe out;
    Arguments arguments;
    rlimit limit{ 64, 64 };
    REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    // The starting thread is there already, and nothing else is left of a child: two descriptors are the thread's.
    int before = CountDescriptors();
    REQUIRE_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
    while (CountDescriptors() > before + 2) {
        usleep(1000);
    }
    std::vector<int> used;
    for (int fd; (fd = dup(0)) >= 0;) {
        used.push_back(fd);
    }
    for (size_t left = 0; left < 4; left++) {
        Context context("descriptors left: ", left);
        int code = StartChild("Nothing", Arguments().Descriptor("out", out.Writing())).code;
        EXPECT(code == NCP_ERR_SERVICE_ERROR || (left == 3 && code == NCP_NO_ERROR));
        close(used.back());
        used.pop_back();
    }
    for (int fd : used) {
        close(fd);
    }
    EXPECT(CountInOutput("RLIMIT_NOFILE is 64") >= 3);
    EXPECT_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
}

TEST(children_that_end_around_their_reply, "a caller hangs, or gets a reply that is none, where the process ends around its reply")
{
    for (int round = 0; round < 10; round++) {
        for (uint32_t code : { 2u, 5u }) {
            Context context("request ", code);
            Outcome outcome = CreateChild();
            REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
            pid_t pid;
            REQUIRE_EQ(AskForPid(outcome.proxy.get(), pid), OH_IPC_SUCCESS);
            Parcel data;
            Parcel reply;
            int result = SendSync(outcome.proxy.get(), code, data.Get(), reply.Get());
            // Whether the handler had returned before the signal came nobody can know: there may be no reply to be held to.
            EXPECT(result == OH_IPC_SUCCESS || result == OH_IPC_DEAD_REMOTE_OBJECT);
            if (result == OH_IPC_SUCCESS) {
                EXPECT_EQ(reply.Read().Int(), 7);
            }
            AwaitGone(pid);
        }
    }
}

TEST(a_reply_is_there_before_the_process_ends, "a reply is lost, or an answered process is not told dead, when it kills itself")
{
    for (int round = 0; round < 10; round++) {
        Outcome outcome = CreateChild();
        REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
        pid_t pid;
        REQUIRE_EQ(AskForPid(outcome.proxy.get(), pid), OH_IPC_SUCCESS);
        Parcel data;
        Parcel reply;
        REQUIRE_EQ(SendSync(outcome.proxy.get(), 7, data.Get(), reply.Get()), OH_IPC_SUCCESS);
        // Only from this does the thread that ends the process learn that there is a reply.
        Counter("answered " + std::to_string(pid)).Add();
        AwaitGone(pid);
        EXPECT_EQ(reply.Read().Int(), 7);
        pid_t none;
        EXPECT_EQ(AskForPid(outcome.proxy.get(), none), OH_IPC_DEAD_REMOTE_OBJECT);
    }
}

TEST(a_handler_outlasts_the_main_procedure, "a request that is being handled when the main procedure returns is not answered")
{
    setenv("CHILD_MAIN", "end", 1);
    for (int round = 0; round < 10; round++) {
        Outcome outcome = CreateChild();
        REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
        pid_t pid;
        REQUIRE_EQ(AskForPid(outcome.proxy.get(), pid), OH_IPC_SUCCESS);
        Parcel data;
        Parcel reply;
        REQUIRE_EQ(SendSync(outcome.proxy.get(), 8, data.Get(), reply.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(reply.Read().Int(), 7);
        AwaitGone(pid);
    }
}

TEST(children_that_end_while_they_answer, "a caller waits on for a child that is gone")
{
    for (uint32_t code : { 3u, 4u }) {
        Context context("request ", code);
        Outcome outcome = CreateChild();
        REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
        Parcel data;
        Parcel reply;
        EXPECT_EQ(SendSync(outcome.proxy.get(), code, data.Get(), reply.Get()), OH_IPC_DEAD_REMOTE_OBJECT);
        pid_t pid;
        EXPECT_EQ(AskForPid(outcome.proxy.get(), pid), OH_IPC_DEAD_REMOTE_OBJECT);
    }
}

TEST(ends_before_the_main_procedure, "an exit in OnConnect is told as a success, or a main procedure that returns as a failure")
{
    setenv("CHILD_CONNECT", "exit", 1);
    Outcome outcome = CreateChild();
    EXPECT_EQ(outcome.code, NCP_ERR_CONNECTION_FAILED);
    EXPECT(outcome.proxy == nullptr);
    unsetenv("CHILD_CONNECT");
    setenv("CHILD_MAIN", "return", 1);
    outcome = CreateChild();
    EXPECT_EQ(outcome.code, NCP_NO_ERROR);
    EXPECT(outcome.proxy != nullptr);
}

TEST(two_starts_at_once, "starts of two threads disturb each other")
{
    Threads threads;
    for (int thread = 0; thread < 2; thread++) {
        threads.Start([] {
            for (int round = 0; round < 10; round++) {
                EXPECT_EQ(OH_Ability_CreateNativeChildProcess(CHILD_LIBRARY, [](int code, OHIPCRemoteProxy *proxy) {
                    EXPECT_EQ(code, NCP_NO_ERROR);
                    pid_t pid = -1;
                    EXPECT_EQ(AskForPid(proxy, pid), OH_IPC_SUCCESS);
                    EXPECT_EQ(OH_Ability_KillChildProcess(pid), NCP_NO_ERROR);
                    OH_IPCRemoteProxy_Destroy(proxy);
                    Counter("told").Add();
                }), NCP_NO_ERROR);
                std::string text = std::to_string(gettid()) + " " + std::to_string(round);
                EXPECT_EQ(ReportOf("ReportArguments", Arguments().Text(text))["text"], text);
            }
        });
    }
    threads.Join();
    Counter("told").AwaitAtLeast(20);
}

TEST(starts_from_callbacks, "a start waits for the thread that it is made on")
{
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback([](int32_t, int32_t) {
        if (Counter("exits").Add() == 1) {
            EXPECT_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
        }
    }), NCP_NO_ERROR);
    setenv("CHILD_MAIN", "return", 1);
    EXPECT_EQ(OH_Ability_CreateNativeChildProcess(CHILD_LIBRARY, [](int, OHIPCRemoteProxy *proxy) {
        OH_IPCRemoteProxy_Destroy(proxy);
        EXPECT_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
        EXPECT_EQ(OH_Ability_CreateNativeChildProcess(CHILD_LIBRARY, [](int, OHIPCRemoteProxy *next) {
            OH_IPCRemoteProxy_Destroy(next);
            Counter("told").Add();
        }), NCP_NO_ERROR);
    }), NCP_NO_ERROR);
    Counter("told").AwaitAtLeast(1);
    Counter("exits").AwaitAtLeast(2);
}

BEHAVIOUR(create_in_handler)
{
    int code = OH_Ability_CreateNativeChildProcess(CHILD_LIBRARY, [](int outcome, OHIPCRemoteProxy *proxy) {
        EXPECT_EQ(outcome, NCP_NO_ERROR);
        EXPECT_EQ(CurrentThreadName().substr(0, 7), "OS_IPC_");
        // A Create that waits for this waits for ever.
        Counter("create has returned").AwaitAtLeast(1);
        OH_IPCRemoteProxy_Destroy(proxy);
        Counter("told").Add();
    });
    Counter("create has returned").Add();
    return OH_IPCParcel_WriteInt32(request.reply, code);
}

TEST(create_in_a_handler_waits_for_nothing, "Create in a handler waits for its callback")
{
    Actor &asked = StartActor();
    StubPtr own = CreateStub("own");
    asked.Introduce("back", own.get());
    setenv("IPCKIT_CHILD_HEAD_START_MS", "3600000", 1);
    setenv("CHILD_MAIN", "pause", 1);
    Answer answer = asked.Ask("ask_kept", Parcel().Text("back").Text("create_in_handler"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    Counter("told").AwaitAtLeast(1);
}

TEST(one_library_as_parent_and_child, "a library that the parent has loaded cannot be that of its child")
{
    void *library = dlopen(CHILD_LIBRARY, RTLD_NOW);
    if (library == nullptr) {
        char program[4096] = {};
        REQUIRE(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
        std::string path(program);
        library = dlopen((path.substr(0, path.rfind('/') + 1) + CHILD_LIBRARY).c_str(), RTLD_NOW);
    }
    REQUIRE(library != nullptr);
    auto create = reinterpret_cast<int (*)(OH_Ability_OnNativeChildProcessStarted)>(dlsym(library, "CreateOneself"));
    REQUIRE(create != nullptr);
    EXPECT_EQ(create([](int code, OHIPCRemoteProxy *proxy) {
        EXPECT_EQ(code, NCP_NO_ERROR);
        pid_t pid = -1;
        EXPECT_EQ(AskForPid(proxy, pid), OH_IPC_SUCCESS);
        EXPECT(pid != getpid());
        OH_IPCRemoteProxy_Destroy(proxy);
        Counter("told").Add();
    }), NCP_NO_ERROR);
    Counter("told").AwaitAtLeast(1);
    Counter("end of all").Add();
}

TEST(a_parent_that_is_killed_under_load, "children or their guardians outlive their parent")
{
    Pipe alive;
    // Its other end stays open here: who waits for its end goes with the parent, or never. So does who pauses.
    Pipe in;
    setenv("CHILD_MAIN", "pause", 1);
    pid_t parent = fork();
    if (parent == 0) {
        // Children of Start hold the pipe's other end, and so does their parent.
        for (int index = 0; index < 4; index++) {
            StartChild("Wait", Arguments().Descriptor("in", in.Reading()).Descriptor("out", alive.Writing()));
        }
        Outcome outcome = CreateChild();
        for (int thread = 0; thread < 2; thread++) {
            std::thread([&] {
                for (pid_t pid;;) {
                    AskForPid(outcome.proxy.get(), pid);
                    Counter("requests").Add();
                }
            }).detach();
        }
        for (;;) {
            StartChild("Nothing", Arguments().Descriptor("out", alive.Writing()));
            Counter("starts").Add();
        }
    }
    Counter("requests").AwaitAtLeast(1000);
    Counter("starts").AwaitAtLeast(10);
    EXPECT_EQ(kill(parent, SIGKILL), 0);
    int status;
    EXPECT_EQ(waitpid(parent, &status, 0), parent);
    // Comes when the last of them is gone. The runner finds whoever else is left.
    alive.ReadToEnd();
}
