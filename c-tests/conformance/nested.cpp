// SPDX-License-Identifier: Apache-2.0
// Which thread handles a request that comes back to a process that waits. The test process is A, its actors B and C.
#include <mutex>
#include <set>
#include <thread>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

thread_local int g_ofThisThread = 0;
std::recursive_mutex g_lock;

// A stub of this process that an actor knows as "back".
StubPtr IntroduceBack(const Actor &actor)
{
    StubPtr stub = CreateStub("own");
    actor.Introduce("back", stub.get());
    return stub;
}

// Asks the actor to ask what it knows as "back" for its identity, and yields that.
Report AskBack(const Actor &actor)
{
    Answer answer = actor.Ask("ask_kept", Parcel().Text("back").Text("identity"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    return ReadReport(answer.Read());
}

// The same through an actor that asks another, which it knows as "next".
Report AskBackThroughNext(const Actor &actor)
{
    Parcel data;
    data.Text("next").Text("ask_kept").Text("back").Text("identity");
    Answer answer = actor.Ask("ask_kept", data);
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    return ReadReport(answer.Read());
}

} // namespace

// depth, name of the proxy to go on with → the reports of all levels below, and of this one; asks that proxy for the
// same of one level less, where it is known by the same name
BEHAVIOUR(recurse)
{
    int32_t depth = request.data.Int();
    std::string next = request.data.Text();
    if (depth > 0) {
        Answer answer = Ask(KeptProxy(next).get(), "recurse", Parcel().Int(depth - 1).Text(next));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(OH_IPCParcel_Append(request.reply, answer.reply.Get()), OH_IPC_SUCCESS);
    }
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// → what the thread's own variable holds, whether the lock can be taken
BEHAVIOUR(look_at_thread)
{
    WriteInt(request.reply, g_ofThisThread);
    bool locked = g_lock.try_lock();
    WriteInt(request.reply, locked ? 1 : 0);
    if (locked) {
        g_lock.unlock();
    }
    return OH_IPC_SUCCESS;
}

// report's name → ; tells "back" to keep its report under that name, and returns when it has
BEHAVIOUR(tell_back_and_wait)
{
    std::string name = request.data.Text();
    EXPECT_EQ(Tell(KeptProxy("back").get(), "keep_report", Parcel().Text(name)), OH_IPC_SUCCESS);
    Counter("reported " + name).AwaitAtLeast(1);
    return OH_IPC_SUCCESS;
}

// report's name → ; asks "back" to keep its report under that name
BEHAVIOUR(ask_back_to_report)
{
    EXPECT_EQ(Ask(KeptProxy("back").get(), "keep_report", Parcel().Text(request.data.Text())).result, OH_IPC_SUCCESS);
    return OH_IPC_SUCCESS;
}

// report's name → ; asks the same on a thread of its own, and returns when it is done
BEHAVIOUR(ask_back_on_another_thread)
{
    std::string name = request.data.Text();
    std::thread([name] {
        int result = Ask(KeptProxy("back").get(), "keep_report", Parcel().Text(name)).result;
        EXPECT_EQ(result, OH_IPC_SUCCESS);
    }).join();
    return OH_IPC_SUCCESS;
}

// report's name → ; starts a thread that asks "back" to keep its report under that name when the counter "go <name>"
// lets it, and adds one to "done <name>" then
BEHAVIOUR(ask_back_when_told)
{
    std::string name = request.data.Text();
    std::thread([name] {
        Counter("go " + name).AwaitAtLeast(1);
        int result = Ask(KeptProxy("back").get(), "keep_report", Parcel().Text(name)).result;
        EXPECT_EQ(result, OH_IPC_SUCCESS);
        Counter("done " + name).Add();
    }).detach();
    return OH_IPC_SUCCESS;
}

// → own thread (long), report of where a request came that went through "next" and back here
BEHAVIOUR(come_back_through_next)
{
    Answer answer = Ask(KeptProxy("next").get(), "ask_kept", Parcel().Text("previous").Text("identity"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    WriteLong(request.reply, CurrentThread());
    WriteReport(request.reply, ReadReport(answer.Read()));
    return OH_IPC_SUCCESS;
}

// counter's name → ; the same, and expects that it came to this thread
BEHAVIOUR(expect_to_come_back_here)
{
    std::string name = request.data.Text();
    Answer answer = Ask(KeptProxy("next").get(), "ask_kept", Parcel().Text("previous").Text("identity"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(answer.Read()).thread, CurrentThread());
    Counter(name).Add();
    return OH_IPC_SUCCESS;
}

TEST(back_on_the_waiting_thread, "a request back to a process is handled by its pool while the caller waits")
{
    Actor &b = StartActor();
    StubPtr own = IntroduceBack(b);
    for (int round = 0; round < 10; round++) {
        Report report = AskBack(b);
        EXPECT_EQ(report.pid, getpid());
        EXPECT_EQ(report.thread, CurrentThread());
    }
}

TEST(back_on_the_waiting_one_of_many_threads, "a request back comes to any waiting thread of the process")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    StubPtr own = IntroduceBack(b);
    c.Introduce("back", own.get());
    b.Introduce("next", c.Proxy());
    Threads callers;
    for (int index = 0; index < 6; index++) {
        callers.Start([&, index] {
            for (int round = 0; round < 20; round++) {
                EXPECT_EQ((index % 2 == 0 ? AskBack(b) : AskBackThroughNext(b)).thread, CurrentThread());
            }
        });
    }
    callers.Join();
}

TEST(depth_60_on_two_threads, "a recursion between two processes takes another thread at each level, or ends early")
{
    constexpr int32_t DEPTH = 60;
    Actor &b = StartActor();
    StubPtr own = CreateStub("own");
    b.Introduce("other", own.get());
    Answer known = b.Ask("create_stub", Parcel().Text("recursion"));
    KeepProxy("other", known.Read().Proxy());
    Answer answer = b.Ask("recurse", Parcel().Int(DEPTH).Text("other"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    std::set<int64_t> threads[2];
    for (int32_t level = 0; level <= DEPTH; level++) {
        Report report = ReadReport(answer.Read());
        bool inB = level % 2 == 0;
        EXPECT_EQ(report.pid, inB ? b.Pid() : getpid());
        // Each level sees its own caller.
        EXPECT_EQ(report.identity.callingPid, static_cast<uint64_t>(inB ? getpid() : b.Pid()));
        threads[inB ? 0 : 1].insert(report.thread);
    }
    EXPECT_EQ(threads[0].size(), 1u);
    EXPECT(threads[1] == std::set<int64_t>{ CurrentThread() });
    DropKeptProxy("other");
}

TEST(back_through_a_third_process, "only who is asked directly gets the waiting thread")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    StubPtr own = IntroduceBack(c);
    b.Introduce("next", c.Proxy());
    for (int round = 0; round < 10; round++) {
        Report report = AskBackThroughNext(b);
        EXPECT_EQ(report.thread, CurrentThread());
        EXPECT_EQ(report.identity.callingPid, static_cast<uint64_t>(c.Pid()));
    }
}

TEST(back_to_a_handler_that_waits, "only a thread that began the chain of calls gets a request back")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    b.Introduce("next", c.Proxy());
    c.Introduce("previous", b.Proxy());
    Answer answer = b.Ask("come_back_through_next");
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    int64_t thread = answer.Read().Long();
    Report report = ReadReport(answer.Read());
    EXPECT_EQ(report.pid, b.Pid());
    EXPECT_EQ(report.thread, thread);
    EXPECT_EQ(report.identity.callingPid, static_cast<uint64_t>(c.Pid()));
}

TEST(recursion_through_three_processes, "threads that wait are forgotten when their process is asked again")
{
    constexpr int32_t DEPTH = 30;
    Actor &b = StartActor();
    Actor &c = StartActor();
    StubPtr own = CreateStub("own");
    KeepProxy("ring", b.CreateStub("of b"));
    b.Introduce("ring", c.Proxy());
    c.Introduce("ring", own.get());
    Answer answer = Ask(KeptProxy("ring").get(), "recurse", Parcel().Int(DEPTH).Text("ring"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    std::set<std::pair<pid_t, int64_t>> threads;
    for (int32_t level = 0; level <= DEPTH; level++) {
        Report report = ReadReport(answer.Read());
        threads.insert({ report.pid, report.thread });
    }
    EXPECT_EQ(threads.size(), 3u);
    EXPECT_EQ(threads.count({ getpid(), CurrentThread() }), 1u);
    DropKeptProxy("ring");
}

TEST(thread_local_state_and_recursive_locks, "a request back is handled on another thread than the waiting one")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    StubPtr own = IntroduceBack(b);
    c.Introduce("back", own.get());
    b.Introduce("next", c.Proxy());
    g_ofThisThread = 4711;
    std::lock_guard<std::recursive_mutex> lock(g_lock);
    Answer answer = b.Ask("ask_kept", Parcel().Text("back").Text("look_at_thread"));
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), 4711);
    EXPECT_EQ(answer.Read().Int(), 1);
    Parcel data;
    data.Text("next").Text("ask_kept").Text("back").Text("look_at_thread");
    Answer through = b.Ask("ask_kept", data);
    EXPECT_EQ(through.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(through.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(through.Read().Int(), 4711);
    EXPECT_EQ(through.Read().Int(), 1);
}

TEST(async_back_on_a_pool_thread, "an async message back waits for the thread that waits, or is handled on it")
{
    Actor &b = StartActor();
    StubPtr own = IntroduceBack(b);
    EXPECT_EQ(b.Ask("tell_back_and_wait", Parcel().Text("async")).result, OH_IPC_SUCCESS);
    Report report = AwaitKeptReport("async");
    EXPECT_EQ(report.pid, getpid());
    EXPECT(report.thread != CurrentThread());
    EXPECT(IsPoolThread(report));
}

TEST(a_third_party_on_a_pool_thread, "a waiting thread handles requests of others than those it waits for")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    StubPtr own = IntroduceBack(c);
    // C's thread asks while this thread waits for B, which waits for C to be done.
    EXPECT_EQ(c.Ask("ask_back_when_told", Parcel().Text("third")).result, OH_IPC_SUCCESS);
    Parcel data;
    data.Text("go third").Text("reported third").Int(1);
    EXPECT_EQ(b.Ask("block", data).result, OH_IPC_SUCCESS);
    Report report = AwaitKeptReport("third");
    EXPECT(report.thread != CurrentThread());
    EXPECT(IsPoolThread(report));
    EXPECT(report.identity == CallersIdentity(c.Pid()));
    Counter("done third").AwaitAtLeast(1);
}

TEST(another_thread_of_the_callee_on_a_pool_thread, "what belongs to a call is judged by the process and not the thread")
{
    Actor &b = StartActor();
    StubPtr own = IntroduceBack(b);
    EXPECT_EQ(b.Ask("ask_back_on_another_thread", Parcel().Text("other")).result, OH_IPC_SUCCESS);
    Report report = AwaitKeptReport("other");
    EXPECT(report.thread != CurrentThread());
    EXPECT(IsPoolThread(report));
}

TEST(sync_from_an_async_handler_on_a_pool_thread, "a request made in an async handler comes to a thread that waits")
{
    Actor &b = StartActor();
    StubPtr own = IntroduceBack(b);
    EXPECT_EQ(b.Tell("ask_back_to_report", Parcel().Text("async")), OH_IPC_SUCCESS);
    // This thread waits for the same process meanwhile.
    Parcel data;
    data.Text("entered").Text("reported async").Int(1);
    EXPECT_EQ(b.Ask("block", data).result, OH_IPC_SUCCESS);
    Report report = AwaitKeptReport("async");
    EXPECT(report.thread != CurrentThread());
    EXPECT(IsPoolThread(report));
    EXPECT(report.identity == CallersIdentity(b.Pid()));
}

TEST(back_to_an_async_handler_that_waits, "an async handler that waits gets no request back")
{
    Actor &b = StartActor();
    Actor &c = StartActor();
    b.Introduce("next", c.Proxy());
    c.Introduce("previous", b.Proxy());
    EXPECT_EQ(b.Tell("expect_to_come_back_here", Parcel().Text("came back")), OH_IPC_SUCCESS);
    Counter("came back").AwaitAtLeast(1);
}

TEST(back_while_the_pool_is_busy, "a request back to a waiting thread needs a free worker")
{
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    Actor &b = StartActor();
    StubPtr own = IntroduceBack(b);
    StubPtr first = CreateStub("first");
    StubPtr second = CreateStub("second");
    b.Introduce("first", first.get());
    b.Introduce("second", second.get());
    // Both threads of this process's pool are in handlers.
    for (const char *name : { "first", "second" }) {
        Parcel data;
        data.Text(name).Text("block").Text("entered").Text("gate").Int(1);
        Answer answer = b.Ask("tell_kept", data);
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(2);
    EXPECT_EQ(AskBack(b).thread, CurrentThread());
    Counter("gate").Add();
}

TEST(nesting_does_not_starve_pools, "nested requests wait for workers that wait for them")
{
    constexpr int32_t DEPTH = 20;
    constexpr int CALLERS = 12;
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    Actor &b = StartActorWithMaxThreads(1);
    Actor &c = StartActorWithMaxThreads(1);
    StubPtr own = CreateStub("own");
    KeepProxy("ring", b.CreateStub("of b"));
    b.Introduce("ring", c.Proxy());
    c.Introduce("ring", own.get());
    // Each pool has two threads; all of B's wait in handlers of the first two callers.
    Threads callers;
    for (int caller = 0; caller < CALLERS; caller++) {
        callers.Start([&] {
            Answer answer = Ask(KeptProxy("ring").get(), "recurse", Parcel().Int(DEPTH).Text("ring"));
            EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
            for (int32_t level = 0; level <= DEPTH; level++) {
                Report report = ReadReport(answer.Read());
                EXPECT(report.pid != getpid() || report.thread == CurrentThread());
            }
        });
    }
    callers.Join();
    DropKeptProxy("ring");
}
