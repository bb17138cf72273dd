// SPDX-License-Identifier: Apache-2.0
// Calls that wait for a process which dies.
#include <csignal>
#include <unistd.h>

#include "death.h"
#include "harness/process_end.h"

using namespace conformance;

namespace {

// A request that stays in its handler until the actor is dead.
Answer AskAndWait(const OHIPCRemoteProxy *proxy)
{
    return Ask(proxy, "block", Parcel().Text("entered").Text("never").Int(1));
}

} // namespace

// pid of a process → ; the process is killed, and gone when the handler returns
BEHAVIOUR(kill_your_caller)
{
    pid_t pid = request.data.Int();
    int process = OpenProcess(pid);
    EXPECT(process >= 0);
    EXPECT_EQ(kill(pid, SIGKILL), 0);
    EXPECT(AwaitProcess(process));
    close(process);
    return OH_IPC_SUCCESS;
}

// name of a kept proxy → ; asks it to kill this process
BEHAVIOUR(have_kept_kill_me)
{
    auto proxy = KeptProxy(request.data.Text());
    Ask(proxy.get(), "kill_your_caller", Parcel().Int(getpid()));
    EXPECT(false);
    return OH_IPC_SUCCESS;
}

// name of a kept proxy → ; adds one to "last breath" through it, and the process ends
BEHAVIOUR(tell_kept_and_end)
{
    EXPECT_EQ(Tell(KeptProxy(request.data.Text()).get(), "count", Parcel().Text("last breath")), OH_IPC_SUCCESS);
    _exit(0);
}

// → ; stays in the handler
BEHAVIOUR(give_never)
{
    Counter("entered").Add();
    Counter("never").AwaitAtLeast(1);
    return OH_IPC_SUCCESS;
}

TEST(a_call_that_waits_is_woken, "a waiting call does not notice that nobody will answer")
{
    Actor &actor = StartActor();
    Threads threads;
    threads.Start([&] {
        Answer answer = AskAndWait(actor.Proxy());
        EXPECT_EQ(answer.result, OH_IPC_DEAD_REMOTE_OBJECT);
        EXPECT_EQ(answer.reply.State(), (State{ 0, 0, 0, 0, 0 }));
    });
    Counter("entered").AwaitAtLeast(1);
    actor.Kill();
    threads.Join();
}

TEST(twenty_calls_that_wait_are_woken,
    "only some of the waiting calls are woken, or those that no worker has taken are not")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("second stub");
    Counter ready("ready");
    Threads threads;
    for (int index = 0; index < 20; index++) {
        threads.Start([&, index] {
            ready.Add();
            EXPECT_EQ(AskAndWait(index % 2 == 0 ? actor.Proxy() : stub.get()).result, OH_IPC_DEAD_REMOTE_OBJECT);
        });
    }
    // The others wait for a worker.
    ready.AwaitAtLeast(20);
    Counter("entered").AwaitAtLeast(17);
    actor.Kill();
    threads.Join();
    EXPECT_EQ(Counter("entered").Value(), 17u);
}

TEST(waiting_calls_are_woken_and_recipients_are_told, "a death is told either to the calls or to the recipients")
{
    Actor &actor = StartActor();
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    Threads threads;
    for (int index = 0; index < 15; index++) {
        threads.Start([&] { EXPECT_EQ(AskAndWait(actor.Proxy()).result, OH_IPC_DEAD_REMOTE_OBJECT); });
    }
    Counter("entered").AwaitAtLeast(15);
    actor.Kill();
    threads.Join();
    recipient.AwaitTold();
    ExpectToldDead(actor.Proxy());
    recipient.ExpectToldInAll(1);
}

TEST(a_call_is_woken_though_its_proxy_was_destroyed, "a call under way needs the wrapper that it was made through")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("stub");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("stub")).Read().Proxy();
    Threads threads;
    threads.Start([&] { EXPECT_EQ(AskAndWait(first.get()).result, OH_IPC_DEAD_REMOTE_OBJECT); });
    Counter("entered").AwaitAtLeast(1);
    second.reset();
    actor.Kill();
    threads.Join();
}

TEST(a_chain_of_calls_is_woken_at_each_link, "a call that waits for one that waits for a dead process hangs")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("last", last.Proxy());
    Threads threads;
    threads.Start([&] {
        Answer answer = middle.Ask("ask_kept", Parcel().Text("last").Text("give_never"));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("entered").AwaitAtLeast(1);
    last.Kill();
    threads.Join();
    ExpectServedBy(middle.Proxy(), middle.Pid());
}

TEST(the_death_of_a_link_wakes_the_first_caller, "a caller waits for the end of a chain whose middle is dead")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("last", last.Proxy());
    Threads threads;
    threads.Start([&] {
        EXPECT_EQ(middle.Ask("ask_kept", Parcel().Text("last").Text("give_never")).result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("entered").AwaitAtLeast(1);
    middle.Kill();
    threads.Join();
    Counter("never").Add();
    ExpectServedBy(last.Proxy(), last.Pid());
}

TEST(a_callee_that_dies_while_it_calls_back_wakes_its_caller,
    "a caller that handles a nested request does not notice that its own call is lost")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("home");
    actor.Introduce("home", stub.get());
    EXPECT_EQ(actor.Ask("have_kept_kill_me", Parcel().Text("home")).result, OH_IPC_DEAD_REMOTE_OBJECT);
    stub.reset();
    ExpectDestroyed("home");
}

TEST(a_death_while_calls_begin_and_end_loses_none, "a call that begins while its callee dies hangs or succeeds")
{
    for (int round = 0; round < 10; round++) {
        Context context("round ", round);
        Actor &actor = StartActor();
        std::string answered = "answered " + std::to_string(round);
        Counter counter(answered);
        Threads threads;
        for (int index = 0; index < 4; index++) {
            threads.Start([&] {
                int result;
                while ((result = actor.Ask("pid").result) == OH_IPC_SUCCESS) {
                    counter.Add();
                }
                EXPECT_EQ(result, OH_IPC_DEAD_REMOTE_OBJECT);
            });
        }
        threads.Start([&] {
            int result;
            while ((result = actor.Tell("count", Parcel().Text("told"))) == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR) {
            }
            EXPECT_EQ(result, OH_IPC_DEAD_REMOTE_OBJECT);
        });
        counter.AwaitAtLeast(static_cast<uint32_t>(20 + round * 7));
        actor.Kill();
        threads.Join();
    }
}

TEST(requests_that_a_process_had_sent_before_its_end_arrive,
    "the asynchronous requests that a process has sent go with it")
{
    Actor &sender = StartActor();
    Actor &receiver = StartActor();
    ProxyPtr inbox = receiver.CreateStub("inbox");
    sender.Introduce("inbox", inbox.get());
    EXPECT_EQ(Tell(inbox.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    for (int index = 0; index < 50; index++) {
        Answer told = sender.Ask("tell_kept", Parcel().Text("inbox").Text("count").Text("arrived"));
        EXPECT_EQ(told.Read().Int(), OH_IPC_SUCCESS);
    }
    sender.Kill();
    sender.AwaitEnd();
    Counter("gate").Add();
    Counter("arrived").AwaitAtLeast(50);
    ExpectServedBy(inbox, receiver.Pid());
    EXPECT_EQ(Counter("arrived").Value(), 50u);
}

TEST(a_request_that_a_process_sends_with_its_last_breath_arrives,
    "an asynchronous request is lost when its sender ends at once after sending it")
{
    StubPtr stub = CreateStub("inbox");
    for (uint32_t round = 1; round <= 20; round++) {
        Actor &sender = StartActor();
        sender.Introduce("inbox", stub.get());
        EXPECT_EQ(sender.Tell("tell_kept_and_end", Parcel().Text("inbox")), OH_IPC_SUCCESS);
        sender.AwaitEnd();
        Counter("last breath").AwaitAtLeast(round);
    }
    EXPECT_EQ(Counter("last breath").Value(), 20u);
}
