// SPDX-License-Identifier: Apache-2.0
// Threads that become workers, and workers that end.
#include <mutex>
#include <pthread.h>
#include <set>
#include <thread>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

std::string Ended(int64_t thread)
{
    return "ended " + std::to_string(thread);
}

// Tells with a counter that its thread has ended.
struct EndOfThread {
    int64_t thread = CurrentThread();
    ~EndOfThread() { Counter(Ended(thread)).Add(); }
};

void TellEndOfThisThread()
{
    thread_local EndOfThread end;
    (void)end.thread;
}

Report StopThread(const OHIPCRemoteProxy *proxy)
{
    Answer answer = Ask(proxy, "stop_thread");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    return ReadReport(answer.Read());
}

Report ReportOf(const OHIPCRemoteProxy *proxy)
{
    Answer answer = Ask(proxy, "identity");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    return ReadReport(answer.Read());
}

// Has the actor start a thread of this name, which joins so often when Join() lets it, after it called
// StopWorkThread if that is said.
void StartJoining(const Actor &actor, const std::string &name, bool stopBefore, int32_t times)
{
    Parcel data;
    data.Text(name).Int(stopBefore ? 1 : 0).Int(times);
    EXPECT_EQ(actor.Ask("start_joining", data).result, OH_IPC_SUCCESS);
}

void LetJoin(const std::string &name)
{
    Counter("join " + name).Add();
}

std::string Returned(const std::string &name)
{
    return "returned " + name;
}

// Has so many handlers in the actor at once, of which those on threads of the pool call StopWorkThread, and waits for
// the ends of these threads. Yields how many that were.
size_t StopPoolThreads(const OHIPCRemoteProxy *stub, uint32_t handlers)
{
    Threads callers;
    std::vector<Report> reports(handlers);
    for (Report &report : reports) {
        callers.Start([&, handlers] {
            Answer answer = Ask(stub, "stop_pool_thread", Parcel().Int(static_cast<int32_t>(handlers)));
            if (EXPECT_EQ(answer.result, OH_IPC_SUCCESS)) {
                report = ReadReport(answer.Read());
            }
        });
    }
    callers.Join();
    std::set<int64_t> ended;
    for (const Report &report : reports) {
        if (IsPoolThread(report)) {
            Counter(Ended(report.thread)).AwaitAtLeast(1);
            ended.insert(report.thread);
        }
    }
    return ended.size();
}

} // namespace

// name, whether to call StopWorkThread before, how often to join → ; starts a thread
BEHAVIOUR(start_joining)
{
    std::string name = request.data.Text();
    bool stopBefore = request.data.Int() != 0;
    int32_t times = request.data.Int();
    std::thread([name, stopBefore, times] {
        pthread_setname_np(pthread_self(), name.c_str());
        Counter("join " + name).AwaitAtLeast(1);
        if (stopBefore) {
            OH_IPCSkeleton_StopWorkThread();
        }
        for (int32_t time = 0; time < times; time++) {
            OH_IPCSkeleton_JoinWorkThread();
            Counter(Returned(name)).Add();
        }
    }).detach();
    return OH_IPC_SUCCESS;
}

// → as "identity"; calls StopWorkThread
BEHAVIOUR(stop_thread)
{
    TellEndOfThisThread();
    OH_IPCSkeleton_StopWorkThread();
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// number of handlers → as "identity"; waits until so many are here; a thread of the pool calls StopWorkThread
BEHAVIOUR(stop_pool_thread)
{
    auto handlers = static_cast<uint32_t>(request.data.Int());
    Counter here("here to stop");
    here.Add();
    here.AwaitAtLeast(handlers);
    Report report = CurrentReport();
    if (IsPoolThread(report)) {
        TellEndOfThisThread();
        OH_IPCSkeleton_StopWorkThread();
    }
    WriteReport(request.reply, report);
    return OH_IPC_SUCCESS;
}

// → as "identity"; another thread calls StopWorkThread meanwhile
BEHAVIOUR(stop_on_another_thread)
{
    std::thread(OH_IPCSkeleton_StopWorkThread).join();
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// → ; calls StopWorkThread, on a thread where nobody has before
BEHAVIOUR(stop_in_async)
{
    // Not destroyed at the end of the process, when threads may still be here.
    static auto *mutex = new std::mutex;
    static auto *stopped = new std::set<int64_t>;
    {
        std::lock_guard<std::mutex> lock(*mutex);
        EXPECT(stopped->insert(CurrentThread()).second);
    }
    struct End {
        ~End() { Counter("async thread ended").Add(); }
    };
    thread_local End end;
    (void)&end;
    OH_IPCSkeleton_StopWorkThread();
    return OH_IPC_SUCCESS;
}

// name of a kept proxy → as "identity"; has that proxy's process ask its proxy "stub", which is of this process, to
// "stop_thread": that comes back to this thread, which waits
BEHAVIOUR(be_stopped_while_waiting)
{
    auto back = KeptProxy(request.data.Text());
    Parcel data;
    data.Text("stub").Text("stop_thread");
    Answer answer = Ask(back.get(), "ask_kept", data);
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(answer.Read()).thread, CurrentThread());
    // The handler goes on, and the thread still makes requests.
    EXPECT_EQ(Ask(back.get(), "pid").result, OH_IPC_SUCCESS);
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, whether to stop → ; starts threads that occupy the two threads of its pool, let its main
// thread join, ask it for its thread, and stop it if that is said
BEHAVIOUR(serve_on_main)
{
    std::string name = request.data.Text();
    bool stop = request.data.Int() != 0;
    std::thread([name, stop] {
        auto proxy = KeptProxy(name);
        Threads callers;
        for (uint32_t index = 1; index <= 2; index++) {
            callers.Start([proxy] {
                Parcel data;
                data.Text("occupied").Text("gate").Int(1);
                EXPECT_EQ(Ask(proxy.get(), "block", data).result, OH_IPC_SUCCESS);
            });
            Counter("occupied").AwaitAtLeast(index);
        }
        LetJoin("main");
        EXPECT_EQ(ReportOf(proxy.get()).threadName, "main");
        Counter("served").Add();
        if (stop) {
            EXPECT_EQ(ReportOf(proxy.get()).threadName, "main");
            EXPECT_EQ(StopThread(proxy.get()).threadName, "main");
            Counter("stopped").Add();
        }
        callers.Join();
        Counter("done").Add();
    }).detach();
    return OH_IPC_SUCCESS;
}

TEST(join_serves_until_stopped, "a joined thread returns after a request, or goes on after StopWorkThread")
{
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", false, 1);
    Threads callers;
    Occupy(callers, actor, "gate");
    Occupy(callers, actor, "gate");
    LetJoin("joined");
    for (int call = 0; call < 5; call++) {
        EXPECT_EQ(ReportOf(actor.Proxy()).threadName, "joined");
    }
    EXPECT_EQ(Counter(Returned("joined")).Value(), 0u);
    EXPECT_EQ(StopThread(actor.Proxy()).threadName, "joined");
    Counter(Returned("joined")).AwaitAtLeast(1);
    Counter("gate").Add();
    callers.Join();
    EXPECT(IsPoolThread(ReportOf(actor.Proxy())));
}

TEST(join_and_stop_on_the_main_thread, "the main thread cannot join, or does not get out")
{
    // The pool has two threads, which the actor occupies, so that all else runs here.
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    Actor &actor = StartActor();
    pthread_setname_np(pthread_self(), "main");
    StubPtr stub = CreateStub("own");
    actor.Introduce("stub", stub.get());
    EXPECT_EQ(actor.Ask("serve_on_main", Parcel().Text("stub").Int(1)).result, OH_IPC_SUCCESS);
    Counter("join main").AwaitAtLeast(1);
    OH_IPCSkeleton_JoinWorkThread();
    EXPECT_EQ(CurrentThread(), getpid());
    Counter("stopped").AwaitAtLeast(1);
    EXPECT(CurrentIdentity() == OwnIdentity());
    Counter("gate").Add();
    Counter("done").AwaitAtLeast(1);
}

TEST(stopped_before_it_joins, "a thread that was stopped before joins for ever, or not at all, or only the first time")
{
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", true, 2);
    Threads callers;
    Occupy(callers, actor, "gate");
    Occupy(callers, actor, "gate");
    LetJoin("joined");
    EXPECT_EQ(ReportOf(actor.Proxy()).threadName, "joined");
    Counter(Returned("joined")).AwaitAtLeast(1);
    EXPECT_EQ(Counter(Returned("joined")).Value(), 1u);
    EXPECT_EQ(ReportOf(actor.Proxy()).threadName, "joined");
    Counter(Returned("joined")).AwaitAtLeast(2);
    // Nobody is left who would take another one before a worker is free.
    EXPECT_EQ(actor.Tell("keep_report", Parcel().Text("third")), OH_IPC_SUCCESS);
    Counter("gate").Add();
    callers.Join();
    EXPECT(IsPoolThread(ReadReport(actor.Ask("give_report", Parcel().Text("third")).Read())));
}

TEST(stopped_while_it_waits_before_it_joins, "the flag is set on a worker only, and not on a thread that waits")
{
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    Actor &actor = StartActor();
    pthread_setname_np(pthread_self(), "main");
    StubPtr stub = CreateStub("own");
    actor.Introduce("stub", stub.get());
    // The request comes back to this thread, which waits.
    Answer answer = actor.Ask("ask_kept", Parcel().Text("stub").Text("stop_thread"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(answer.Read()).thread, getpid());
    EXPECT_EQ(actor.Ask("serve_on_main", Parcel().Text("stub").Int(0)).result, OH_IPC_SUCCESS);
    Counter("join main").AwaitAtLeast(1);
    OH_IPCSkeleton_JoinWorkThread();
    Counter("served").AwaitAtLeast(1);
    EXPECT_EQ(Counter("served").Value(), 1u);
    Counter("gate").Add();
    Counter("done").AwaitAtLeast(1);
}

TEST(stop_is_for_its_own_thread, "StopWorkThread on one thread ends another")
{
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", false, 1);
    Threads callers;
    Occupy(callers, actor, "gate");
    Occupy(callers, actor, "gate");
    LetJoin("joined");
    for (int call = 0; call < 3; call++) {
        Answer answer = actor.Ask("stop_on_another_thread");
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(ReadReport(answer.Read()).threadName, "joined");
    }
    EXPECT_EQ(Counter(Returned("joined")).Value(), 0u);
    Counter("gate").Add();
    callers.Join();
}

TEST(stop_ends_a_pool_thread, "StopWorkThread does nothing on a thread of the pool, or ends it within its handler")
{
    Actor &actor = StartActor();
    Report report = StopThread(actor.Proxy());
    EXPECT(IsPoolThread(report));
    Counter(Ended(report.thread)).AwaitAtLeast(1);
    EXPECT(ReportOf(actor.Proxy()).thread != report.thread);
}

TEST(stop_in_an_async_handler, "a stopped thread goes on with the stub's messages that wait, or they are lost")
{
    constexpr uint32_t MESSAGES = 8;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("stub");
    EXPECT_EQ(Tell(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    for (uint32_t message = 0; message < MESSAGES; message++) {
        EXPECT_EQ(Tell(stub.get(), "stop_in_async"), OH_IPC_SUCCESS);
    }
    Counter("gate").Add();
    Counter("async thread ended").AwaitAtLeast(MESSAGES);
    // The queue goes on being served.
    EXPECT_EQ(Tell(stub.get(), "count", Parcel().Text("after")), OH_IPC_SUCCESS);
    Counter("after").AwaitAtLeast(1);
}

TEST(a_chore_is_no_request, "a thread that was stopped before joins, and returns without having served anybody")
{
    Actor &actor = StartActorWithMaxThreads(1);
    ProxyPtr chore = actor.CreateStub("chore");
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("chore")).result, OH_IPC_SUCCESS);
    StartJoining(actor, "joined", true, 1);
    Threads callers;
    Occupy(callers, actor, "gate");
    Occupy(callers, actor, "gate");
    LetJoin("joined");
    // Only the joined thread is there for the stub's end.
    chore.reset();
    Counter("destroyed chore").AwaitAtLeast(1);
    EXPECT_EQ(actor.Tell("keep_report", Parcel().Text("served")), OH_IPC_SUCCESS);
    Counter(Returned("joined")).AwaitAtLeast(1);
    EXPECT_EQ(Counter("reported served").Value(), 1u);
    Counter("gate").Add();
    callers.Join();
}

TEST(stop_in_a_nested_handler_ends_the_thread_later, "a thread that waits in a handler is ended before it is through")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("own");
    actor.Introduce("back", stub.get());
    KeepProxy("stub", actor.CreateStub("stub"));
    Answer answer = actor.Ask("be_stopped_while_waiting", Parcel().Text("back"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    Report report = ReadReport(answer.Read());
    EXPECT(IsPoolThread(report));
    Counter(Ended(report.thread)).AwaitAtLeast(1);
    DropKeptProxy("stub");
}

TEST(stopped_pool_threads_are_replaced,
    "documented: threads that were stopped are missing for good; device: they are replaced")
{
    Actor &actor = StartActor();
    EXPECT_EQ(StopPoolThreads(actor.Proxy(), 11), 11u);
    if (DeviceMode()) {
        ExpectAtOnce(actor.Proxy(), "rest of the pool", 6, 20);
    } else {
        ExpectAtOnce(actor.Proxy(), "whole pool", 17, 30);
    }
}

TEST(a_pool_stopped_empty,
    "documented: a pool without threads serves nobody; device: it starts another, or loses what waits")
{
    constexpr int MESSAGES = 5;
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", false, 1);
    EXPECT_EQ(StopPoolThreads(actor.Proxy(), 2), 2u);
    for (int index = 0; index < MESSAGES; index++) {
        EXPECT_EQ(actor.Tell("keep_report", Parcel().Text(std::to_string(index))), OH_IPC_SUCCESS);
    }
    if (!DeviceMode()) {
        Counter("reported " + std::to_string(MESSAGES - 1)).AwaitAtLeast(1);
        EXPECT(IsPoolThread(ReportOf(actor.Proxy())));
    }
    LetJoin("joined");
    Counter("reported " + std::to_string(MESSAGES - 1)).AwaitAtLeast(1);
    for (int index = 0; index < MESSAGES; index++) {
        Answer answer = actor.Ask("give_report", Parcel().Text(std::to_string(index)));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        Report report = ReadReport(answer.Read());
        EXPECT(DeviceMode() ? report.threadName == "joined" : IsPoolThread(report));
    }
}

TEST(only_joined_threads_are_left,
    "documented: the pool is not filled up again; device: it is, or the joined thread is stopped with it")
{
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", false, 1);
    LetJoin("joined");
    EXPECT_EQ(StopPoolThreads(actor.Proxy(), 3), 2u);
    if (DeviceMode()) {
        for (const Report &report : ExpectAtOnce(actor.Proxy(), "one", 1, 6)) {
            EXPECT_EQ(report.threadName, "joined");
        }
    } else {
        ExpectAtOnce(actor.Proxy(), "three", 3, 9);
    }
}

TEST(a_process_ends_with_joined_threads, "a joined thread, or a handler on one, keeps its process from ending")
{
    Actor &actor = StartActorWithMaxThreads(1);
    StartJoining(actor, "joined", false, 1);
    StartJoining(actor, "other", false, 1);
    LetJoin("joined");
    LetJoin("other");
    Threads callers;
    for (int index = 0; index < 3; index++) {
        callers.Start([&] {
            int result = actor.Ask("block", Parcel().Text("entered").Text("gate").Int(1)).result;
            EXPECT_EQ(result, OH_IPC_DEAD_REMOTE_OBJECT);
        });
    }
    Counter("entered").AwaitAtLeast(3);
    actor.End();
    callers.Join();
}
