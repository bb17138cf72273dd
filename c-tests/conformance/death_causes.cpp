// SPDX-License-Identifier: Apache-2.0
// However a process ends, its death is told; a process that only stands still is not dead.
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>
#include <unistd.h>

#include "death.h"
#include "harness/pipe.h"

using namespace conformance;

namespace {

void LeaveNoCore()
{
    rlimit none = { 0, 0 };
    EXPECT_EQ(setrlimit(RLIMIT_CORE, &none), 0);
}

// Watches the actor and a stub of it, has `end` end it, and expects both deaths to be told.
template <typename End>
void ExpectDeathTold(Actor &actor, End end)
{
    ProxyPtr stub = actor.CreateStub("stub of the dead");
    Recipient ofActor("of the actor");
    Recipient ofStub("of its stub");
    EXPECT_EQ(ofActor.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(ofStub.AddTo(stub), OH_IPC_SUCCESS);
    end();
    ofActor.AwaitTold();
    ofStub.AwaitTold();
    ExpectToldDead(actor.Proxy());
    ExpectToldDead(stub);
    ofActor.ExpectToldInAll(1);
    ofStub.ExpectToldInAll(1);
}

} // namespace

// → ; the process ends by abort()
BEHAVIOUR(abort_process)
{
    LeaveNoCore();
    std::abort();
}

// → ; the process ends as by an invalid access
BEHAVIOUR(crash_process)
{
    LeaveNoCore();
    // Not by an access, which a sanitizer would report.
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return OH_IPC_SUCCESS;
}

// descriptor → ; the process becomes a program that lives until the end of what it reads from there
BEHAVIOUR(become_another_program)
{
    int fd = request.data.Descriptor();
    EXPECT_EQ(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    execl("/bin/cat", "cat", static_cast<char *>(nullptr));
    EXPECT(false);
    return OH_IPC_INNER_ERROR;
}

// name of a kept proxy → ; a sync request to it waits for the gate
BEHAVIOUR(have_kept_block)
{
    auto proxy = KeptProxy(request.data.Text());
    return Ask(proxy.get(), "block", Parcel().Text("entered").Text("gate").Int(1)).result;
}

TEST(sigkill_is_told, "a killed process's death is not noticed")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { actor.Kill(); });
}

TEST(a_normal_end_is_told, "the end of a process whose main thread returns is not noticed")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { actor.End(); });
}

TEST(exit_is_told, "the end of a process by exit() is not noticed, or the call that caused it hangs")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { EXPECT_EQ(actor.Ask("exit_process", Parcel().Int(3)).result, OH_IPC_DEAD_REMOTE_OBJECT); });
}

TEST(exit_in_an_asynchronous_request_is_told, "the end of a process by exit() on a worker is not noticed")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { EXPECT_EQ(actor.Tell("exit_process", Parcel().Int(0)), OH_IPC_SUCCESS); });
}

TEST(end_without_cleanup_is_told, "the end of a process by _exit() is not noticed, or the call that caused it hangs")
{
    Actor &actor = StartActor();
    ExpectDeathTold(
        actor, [&] { EXPECT_EQ(actor.Ask("end_process_at_once", Parcel().Int(0)).result, OH_IPC_DEAD_REMOTE_OBJECT); });
}

TEST(abort_is_told, "the end of a process by abort() is not noticed, or the call that caused it hangs")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { EXPECT_EQ(actor.Ask("abort_process").result, OH_IPC_DEAD_REMOTE_OBJECT); });
}

TEST(a_crash_is_told, "the end of a process by SIGSEGV is not noticed, or the call that caused it hangs")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { EXPECT_EQ(actor.Ask("crash_process").result, OH_IPC_DEAD_REMOTE_OBJECT); });
}

TEST(a_kill_from_inside_is_told,
    "the end of a process by a signal of its own is not noticed, or the call that caused it hangs")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] { EXPECT_EQ(actor.Ask("kill_process").result, OH_IPC_DEAD_REMOTE_OBJECT); });
}

TEST(becoming_another_program_is_told, "a process that executes another program is taken to live because its pid does")
{
    Actor &actor = StartActor();
    Pipe pipe;
    ExpectDeathTold(actor, [&] {
        EXPECT_EQ(actor.Ask("become_another_program", Parcel().Descriptor(pipe.Reading())).result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    EXPECT_EQ(kill(actor.Pid(), 0), 0);
    pipe.CloseWriting();
    actor.AwaitEnd();
}

TEST(a_stopped_process_is_not_dead, "a process that does not answer is taken to be dead")
{
    Actor &stopped = StartActor();
    Recipient recipient("of the stopped");
    EXPECT_EQ(recipient.AddTo(stopped.Proxy()), OH_IPC_SUCCESS);
    stopped.Stop();
    EXPECT_EQ(stopped.Tell("count", Parcel().Text("served")), OH_IPC_SUCCESS);
    Threads threads;
    threads.Start([&] { EXPECT_EQ(stopped.Ask("count", Parcel().Text("served")).result, OH_IPC_SUCCESS); });
    // Time passes, in which other processes come, serve and die.
    for (int round = 0; round < 5; round++) {
        Actor &other = StartActor();
        Recipient ofOther("of the other " + std::to_string(round));
        EXPECT_EQ(ofOther.AddTo(other.Proxy()), OH_IPC_SUCCESS);
        other.Kill();
        ofOther.AwaitTold();
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(stopped.Proxy()), 0);
        EXPECT_EQ(recipient.Told(), 0u);
    }
    EXPECT_EQ(Counter("served").Value(), 0u);
    stopped.Continue();
    threads.Join();
    Counter("served").AwaitAtLeast(2);
    ExpectServedBy(stopped.Proxy(), stopped.Pid());
    EXPECT_EQ(recipient.Told(), 0u);
    stopped.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(a_stopped_process_that_is_killed_is_dead, "a process is known to be dead only if it could run before its end")
{
    Actor &actor = StartActor();
    ExpectDeathTold(actor, [&] {
        actor.Stop();
        actor.Kill();
    });
}

TEST(a_caller_that_dies_disturbs_nobody,
    "the death of a process that waits for an answer leaves its handler or its objects behind")
{
    Actor &caller = StartActor();
    Actor &other = StartActor();
    StubPtr stub = CreateStub("served");
    caller.Introduce("served", stub.get());
    other.Introduce("served", stub.get());
    EXPECT_EQ(caller.Ask("watch_kept", Parcel().Text("caller").Text("served")).Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(caller.Tell("have_kept_block", Parcel().Text("served")), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    caller.Kill();
    caller.AwaitEnd();
    ExpectKeptServedBy(other, "served", getpid());
    Counter("gate").Add();
    ExpectKeptServedBy(other, "served", getpid());
    EXPECT_EQ(other.Ask("drop_proxy", Parcel().Text("served")).result, OH_IPC_SUCCESS);
    stub.reset();
    ExpectDestroyed("served");
}
