// SPDX-License-Identifier: Apache-2.0
// How many workers a process has, and what waits while all are busy.
#include <climits>
#include <set>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

constexpr uint32_t DEFAULT_AT_ONCE = 17;

std::set<int64_t> ThreadsOf(const std::vector<Report> &reports)
{
    std::set<int64_t> threads;
    for (const Report &report : reports) {
        threads.insert(report.thread);
    }
    return threads;
}

} // namespace

// counter of entered handlers, gate's name, number, gate's name → ; sets the number behind the first gate
BEHAVIOUR(set_max_threads_later)
{
    Counter(request.data.Text()).Add();
    Counter(request.data.Text()).AwaitAtLeast(1);
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(request.data.Int()), OH_IPC_SUCCESS);
    Counter(request.data.Text()).AwaitAtLeast(1);
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, number, crowd's name, at once → ; what ExpectAtOnce does, in this process
BEHAVIOUR(expect_at_once)
{
    auto proxy = KeptProxy(request.data.Text());
    auto requests = static_cast<uint32_t>(request.data.Int());
    std::string name = request.data.Text();
    ExpectAtOnce(proxy.get(), name, static_cast<uint32_t>(request.data.Int()), requests);
    Counter("done").Add();
    return OH_IPC_SUCCESS;
}

// place → ; expects that so many came here before
BEHAVIOUR(come_in_order)
{
    EXPECT_EQ(static_cast<int32_t>(Counter("came").Add()) - 1, request.data.Int());
    return OH_IPC_SUCCESS;
}

TEST(seventeen_handlers_at_once, "the default of the pool's size changes, or a request waits though there is room in it")
{
    Actor &actor = StartActor();
    std::vector<Report> reports = ExpectAtOnce(actor.Proxy(), "crowd", DEFAULT_AT_ONCE, 40);
    for (const Report &report : reports) {
        EXPECT(IsPoolThread(report));
    }
    EXPECT_EQ(ThreadsOf(reports).size(), DEFAULT_AT_ONCE);
    EXPECT_EQ(CountPoolThreads(actor.Pid()), DEFAULT_AT_ONCE);
}

TEST(threads_are_named_by_number_and_id, "workers get another name, or two of them the same number")
{
    Actor &actor = StartActor();
    std::set<std::string> names;
    for (const Report &report : ExpectAtOnce(actor.Proxy(), "crowd", DEFAULT_AT_ONCE, DEFAULT_AT_ONCE)) {
        Context context(report.threadName, " is thread ", report.thread);
        EXPECT(IsPoolThread(report));
        EXPECT(names.insert(report.threadName.substr(0, report.threadName.rfind('_'))).second);
    }
}

TEST(workers_are_created_as_needed, "the pool is started whole")
{
    Actor &actor = StartActor();
    for (int call = 0; call < 3; call++) {
        EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
    }
    EXPECT(CountPoolThreads(actor.Pid()) >= 1);
    // One for the request, one for what the harness has just let go of there, and one that is free for what comes meanwhile.
    EXPECT(CountPoolThreads(actor.Pid()) <= 3);
}

TEST(a_skeleton_call_starts_the_first_worker, "nobody is there to serve before the first child process is")
{
    EXPECT_EQ(CountThreads(getpid()), 1);
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(16), OH_IPC_SUCCESS);
    EXPECT(CountThreads(getpid()) > 1);
}

TEST(async_handlers_take_workers_too, "async messages have workers of their own, or more of them")
{
    constexpr uint32_t STUBS = 24;
    Actor &actor = StartActor();
    std::vector<ProxyPtr> stubs;
    for (uint32_t index = 0; index < STUBS; index++) {
        stubs.push_back(actor.CreateStub("stub " + std::to_string(index)));
    }
    for (const ProxyPtr &stub : stubs) {
        Parcel data;
        data.Text("crowd").Int(DEFAULT_AT_ONCE);
        EXPECT_EQ(Tell(stub.get(), "stand_in_crowd", data), OH_IPC_SUCCESS);
    }
    for (uint32_t step = 0; step < STUBS; step++) {
        Counter("in crowd").AwaitAtLeast(std::min(DEFAULT_AT_ONCE + step, STUBS));
        Counter("gate crowd").Add();
    }
    Counter("out crowd").AwaitAtLeast(STUBS);
    EXPECT_EQ(Counter("out crowd").Value(), STUBS);
}

TEST(set_max_gives_one_more, "SetMaxWorkThreadNum(n) lets n handlers run at once, or is not obeyed")
{
    for (int32_t number : { 1, 2, 32 }) {
        Actor &actor = StartActorWithMaxThreads(number);
        auto atOnce = static_cast<uint32_t>(number) + 1;
        ExpectAtOnce(actor.Proxy(), "crowd of " + std::to_string(number), atOnce, atOnce + 15);
        EXPECT_EQ(CountPoolThreads(actor.Pid()), atOnce);
    }
}

TEST(set_max_before_anything_else, "a number that is set before the runtime has started is forgotten")
{
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(2), OH_IPC_SUCCESS);
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("own");
    actor.Introduce("stub", stub.get());
    Parcel data;
    data.Text("stub").Int(12).Text("crowd").Int(3);
    // Async, because a request back would run on this thread while it waits.
    EXPECT_EQ(actor.Tell("expect_at_once", data), OH_IPC_SUCCESS);
    Counter("done").AwaitAtLeast(1);
    EXPECT_EQ(CountPoolThreads(getpid()), 3);
    EXPECT_EQ(actor.Ask("pid").Read().Int(), actor.Pid());
}

TEST(set_max_takes_1_to_32, "a number outside of 1 to 32 is accepted or one within refused, or a refused one counts")
{
    for (int32_t number : { 32, 16, 1 }) {
        EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(number), OH_IPC_SUCCESS);
    }
    Actor &actor = StartActorWithMaxThreads(1);
    for (int32_t number : { 0, -1, 33, INT_MAX, INT_MIN }) {
        Context context("number ", number);
        EXPECT_EQ(SetMaxThreads(actor, number), OH_IPC_CHECK_PARAM_ERROR);
        EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(number), OH_IPC_CHECK_PARAM_ERROR);
    }
    ExpectAtOnce(actor.Proxy(), "crowd", 2, 12);
}

TEST(set_max_can_be_raised, "a pool that is full does not grow when its number is raised")
{
    Actor &actor = StartActorWithMaxThreads(1);
    ExpectAtOnce(actor.Proxy(), "two", 2, 10);
    EXPECT_EQ(SetMaxThreads(actor, 4), OH_IPC_SUCCESS);
    ExpectAtOnce(actor.Proxy(), "five", 5, 15);
}

TEST(raising_serves_who_waits, "requests that wait for a worker go on waiting when the number is raised")
{
    Actor &actor = StartActorWithMaxThreads(1);
    ProxyPtr stub = actor.CreateStub("stub");
    Threads callers;
    Occupy(callers, actor, "gate");
    callers.Start([&] {
        Parcel data;
        data.Text("occupied").Text("raise").Int(3).Text("gate");
        EXPECT_EQ(actor.Ask("set_max_threads_later", data).result, OH_IPC_SUCCESS);
    });
    Counter("occupied").AwaitAtLeast(2);
    EXPECT_EQ(Tell(stub.get(), "count", Parcel().Text("waiting")), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("waiting").Value(), 0u);
    Counter("raise").Add();
    // Both workers that there were stay in their handlers.
    Counter("waiting").AwaitAtLeast(1);
    Counter("gate").Add();
    callers.Join();
}

TEST(lowering_stops_no_thread, "a number below the current one ends workers, or keeps them idle")
{
    Actor &actor = StartActor();
    ExpectAtOnce(actor.Proxy(), "before", DEFAULT_AT_ONCE, 25);
    EXPECT_EQ(SetMaxThreads(actor, 2), OH_IPC_SUCCESS);
    ExpectAtOnce(actor.Proxy(), "after", DEFAULT_AT_ONCE, 25);
    EXPECT_EQ(CountPoolThreads(actor.Pid()), DEFAULT_AT_ONCE);
}

TEST(each_joined_thread_is_one_more, "a joined thread takes a place of the pool, or serves nothing")
{
    Actor &actor = StartActor();
    for (const char *name : { "first", "second", "third" }) {
        EXPECT_EQ(actor.Ask("start_joining", Parcel().Text(name).Int(0).Int(1)).result, OH_IPC_SUCCESS);
        Counter(std::string("join ") + name).Add();
    }
    std::vector<Report> reports = ExpectAtOnce(actor.Proxy(), "crowd", DEFAULT_AT_ONCE + 3, 40);
    std::multiset<std::string> joined;
    for (const Report &report : reports) {
        if (!IsPoolThread(report)) {
            joined.insert(report.threadName);
        }
    }
    for (const char *name : { "first", "second", "third" }) {
        EXPECT(joined.count(name) >= 1);
    }
    EXPECT_EQ(CountPoolThreads(actor.Pid()), DEFAULT_AT_ONCE);
}

TEST(requests_wait_in_order, "a worker that gets free takes another than the request that has waited longest")
{
    constexpr int32_t STUBS = 30;
    Actor &actor = StartActorWithMaxThreads(1);
    std::vector<ProxyPtr> stubs;
    for (int32_t index = 0; index < STUBS; index++) {
        stubs.push_back(actor.CreateStub("stub " + std::to_string(index)));
    }
    Threads callers;
    Occupy(callers, actor, "gate");
    Occupy(callers, actor, "last gate");
    // Async to different stubs: each is in the queue when it has been sent, and waits for nothing but a worker.
    for (int32_t index = 0; index < STUBS; index++) {
        EXPECT_EQ(Tell(stubs[static_cast<size_t>(index)].get(), "come_in_order", Parcel().Int(index)), OH_IPC_SUCCESS);
    }
    EXPECT_EQ(Counter("came").Value(), 0u);
    // One worker takes them all, one after another.
    Counter("gate").Add();
    Counter("came").AwaitAtLeast(STUBS);
    Counter("last gate").Add();
    callers.Join();
}

TEST(requests_of_two_processes_wait_in_order, "a worker takes the requests of one process before another's earlier ones")
{
    constexpr int32_t STUBS = 30;
    Actor &server = StartActorWithMaxThreads(1);
    Actor &sender = StartActor();
    std::vector<ProxyPtr> stubs;
    for (int32_t index = 0; index < STUBS; index++) {
        stubs.push_back(server.CreateStub("stub " + std::to_string(index)));
        sender.Introduce("stub " + std::to_string(index), stubs.back().get());
    }
    Threads callers;
    Occupy(callers, server, "gate");
    Occupy(callers, server, "last gate");
    // Async to different stubs: each is in the queue when it has been sent, and waits for nothing but a worker.
    for (int32_t index = 0; index < STUBS; index++) {
        if (index % 3 == 2) {
            Parcel data;
            data.Text("stub " + std::to_string(index)).Text("come_in_order").Int(index);
            EXPECT_EQ(sender.Ask("tell_kept", data).Read().Int(), OH_IPC_SUCCESS);
        } else {
            EXPECT_EQ(Tell(stubs[static_cast<size_t>(index)].get(), "come_in_order", Parcel().Int(index)), OH_IPC_SUCCESS);
        }
    }
    EXPECT_EQ(Counter("came").Value(), 0u);
    // One worker takes them all, one after another.
    Counter("gate").Add();
    Counter("came").AwaitAtLeast(STUBS);
    Counter("last gate").Add();
    callers.Join();
}

TEST(nothing_is_lost_while_all_are_busy, "a request that no worker is free for is dropped")
{
    constexpr uint32_t ASYNC = 100;
    constexpr uint32_t SYNC = 30;
    Actor &actor = StartActorWithMaxThreads(1);
    Threads callers;
    Occupy(callers, actor, "gate");
    ProxyPtr stub = actor.CreateStub("stub");
    Occupy(callers, actor, "gate");
    for (uint32_t index = 0; index < ASYNC; index++) {
        const OHIPCRemoteProxy *proxy = index % 2 == 0 ? stub.get() : actor.Proxy();
        EXPECT_EQ(Tell(proxy, "count", Parcel().Text("async")), OH_IPC_SUCCESS);
    }
    for (uint32_t index = 0; index < SYNC; index++) {
        callers.Start([&] {
            EXPECT_EQ(Ask(stub.get(), "count", Parcel().Text("sync")).result, OH_IPC_SUCCESS);
        });
    }
    EXPECT_EQ(Counter("async").Value(), 0u);
    EXPECT_EQ(Counter("sync").Value(), 0u);
    Counter("gate").Add();
    callers.Join();
    EXPECT_EQ(Counter("sync").Value(), SYNC);
    Counter("async").AwaitAtLeast(ASYNC);
    EXPECT_EQ(Counter("async").Value(), ASYNC);
}
