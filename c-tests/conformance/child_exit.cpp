// SPDX-License-Identifier: Apache-2.0
// Exit callbacks, and killing children.
#include <csignal>
#include <map>
#include <mutex>
#include <unistd.h>

#include "harness/child.h"

using namespace conformance;

namespace {

std::mutex g_mutex;
std::map<pid_t, std::vector<int>> g_signals;

void OnExit(int32_t pid, int32_t signal)
{
    {
        std::lock_guard<std::mutex> lock(g_mutex);
        g_signals[pid].push_back(signal);
    }
    EXPECT(!IsThere(pid));
    EXPECT(CurrentThread() != getpid());
    Counter("exits").Add();
}

void OnExitToo(int32_t, int32_t)
{
    Counter("exits told to the second").Add();
}

std::vector<int> SignalsOf(pid_t pid)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    return g_signals[pid];
}

bool Is(const std::vector<int> &signals, int expected)
{
    return signals == std::vector<int>{ expected };
}

} // namespace

TEST(ends_are_told_with_their_signal, "an end is not told, told twice, or with another signal")
{
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    struct Case {
        std::string entry;
        std::string text;
        int signal;
    };
    const std::string library = std::string(CHILD_LIBRARY) + ":";
    const Case cases[] = { { library + "Nothing", "", 0 }, { library + "ExitWithStatus", "3", 0 },
        { library + "KillItself", "15", SIGTERM }, { library + "KillItself", "6", SIGABRT },
        { "libnowhere.so:Main", "", 0 }, { library + "NoSuchFunction", "", 0 } };
    uint32_t told = 0;
    for (const Case &each : cases) {
        Context context(each.entry, " ", each.text);
        Started child = StartEntry(each.entry, Arguments().Text(each.text));
        REQUIRE_EQ(child.code, NCP_NO_ERROR);
        Counter("exits").AwaitAtLeast(++told);
        EXPECT(Is(SignalsOf(child.pid), each.signal));
    }
    EXPECT_EQ(Counter("exits").Value(), told);
}

TEST(ends_of_connected_children_are_not_told, "the end of a child of Create is told to exit callbacks")
{
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    setenv("CHILD_MAIN", "return", 1);
    EXPECT_EQ(CreateChild().code, NCP_NO_ERROR);
    unsetenv("CHILD_MAIN");
    Outcome outcome = CreateChild();
    Parcel data;
    Parcel reply;
    REQUIRE_EQ(SendSync(outcome.proxy.get(), 100, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    pid_t connected = reply.Read().Int();
    EXPECT_EQ(OH_Ability_KillChildProcess(connected), NCP_NO_ERROR);
    AwaitGone(connected);
    // One that is told ends after them.
    Started child = StartChild("Nothing", Arguments());
    Counter("exits").AwaitAtLeast(1);
    EXPECT_EQ(Counter("exits").Value(), 1u);
    EXPECT(Is(SignalsOf(child.pid), 0));
    EXPECT(SignalsOf(connected).empty());
}

TEST(callbacks_are_taken_back, "a callback is called after it was taken back, or another one goes with it")
{
    EXPECT_EQ(OH_Ability_UnregisterNativeChildProcessExitCallback(OnExit), NCP_ERR_CALLBACK_NOT_EXIST);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_UnregisterNativeChildProcessExitCallback(nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExitToo), NCP_NO_ERROR);
    REQUIRE_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
    Counter("exits").AwaitAtLeast(1);
    Counter("exits told to the second").AwaitAtLeast(1);
    // Registered twice, it is there once.
    EXPECT_EQ(OH_Ability_UnregisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_UnregisterNativeChildProcessExitCallback(OnExit), NCP_ERR_CALLBACK_NOT_EXIST);
    REQUIRE_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
    Counter("exits told to the second").AwaitAtLeast(2);
    EXPECT_EQ(Counter("exits").Value(), 1u);
}

TEST(a_killed_child_is_gone, "a child cannot be killed, of one kind or the other, or its end is told with another signal")
{
    EXPECT_EQ(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    Pipe in;
    Pipe out;
    Started child = StartChild("Wait", Arguments().Descriptor("in", in.Reading()).Descriptor("out", out.Writing()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    EXPECT_EQ(OH_Ability_KillChildProcess(child.pid), NCP_NO_ERROR);
    Counter("exits").AwaitAtLeast(1);
    EXPECT(Is(SignalsOf(child.pid), SIGKILL));
    EXPECT_EQ(OH_Ability_KillChildProcess(child.pid), NCP_ERR_INVALID_PID);

    Actor &actor = StartActor();
    EXPECT_EQ(OH_Ability_KillChildProcess(actor.Pid()), NCP_NO_ERROR);
    actor.AwaitEnd();
    AwaitGone(actor.Pid());
    EXPECT_EQ(OH_Ability_KillChildProcess(actor.Pid()), NCP_ERR_INVALID_PID);
}

TEST(nobody_else_is_killed, "a process that is no child of this library's is signalled")
{
    Actor &actor = StartActor();
    pid_t own = fork();
    if (own == 0) {
        pause();
        _exit(0);
    }
    for (pid_t pid : { -1, 0, 1, getpid(), getppid(), own, -actor.Pid(), INT32_MIN, INT32_MAX }) {
        EXPECT_EQ(OH_Ability_KillChildProcess(pid), NCP_ERR_INVALID_PID);
    }
    // Everybody still lives.
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
    EXPECT(IsThere(own));
    kill(own, SIGKILL);
}
