// SPDX-License-Identifier: Apache-2.0
// What waits while all workers are busy gets its turn, whatever else is waiting.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/syscall.h>
#include <thread>

#include "death.h"

using namespace conformance;

namespace {

constexpr char HANDLED[] = "handled";
constexpr char SERVED[] = "served";
// More than are taken in at a time.
constexpr uint32_t MESSAGES = 80;

// Returns when the thread sleeps on a futex, as a caller does whose request nobody has taken.
void AwaitAsleep(int64_t thread)
{
    std::string path = "/proc/self/task/" + std::to_string(thread);
    for (;;) {
        std::string stat;
        std::getline(std::ifstream(path + "/stat"), stat);
        std::string call;
        std::ifstream(path + "/syscall") >> call;
        size_t state = stat.rfind(") ");
        if (state != std::string::npos && stat[state + 2] == 'S' && call == std::to_string(SYS_futex)) {
            return;
        }
        sched_yield();
    }
}

// Returns when the library's own threads have nothing to do.
void AwaitInnerThreadsAsleep()
{
    for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        while (name.compare(0, 7, "ipckit_") == 0) {
            std::string stat;
            std::getline(std::ifstream(task.path() / "stat"), stat);
            size_t state = stat.rfind(") ");
            if (state != std::string::npos && stat[state + 2] == 'S') {
                break;
            }
            sched_yield();
        }
    }
}

// Sends a sync request from a thread of its own. Returns when it waits for its answer.
void StartCall(Threads &callers, const OHIPCRemoteProxy *proxy, const char *behaviour, const std::string &counter)
{
    std::atomic<int64_t> thread{ 0 };
    callers.Start([&thread, proxy, behaviour, counter] {
        Parcel data;
        data.Text(counter);
        thread = CurrentThread();
        EXPECT_EQ(Ask(proxy, behaviour, data).result, OH_IPC_SUCCESS);
    });
    while (thread == 0) {
        sched_yield();
    }
    AwaitAsleep(thread);
}

// Two stubs whose first handlers take both workers until the gate is open, and the messages that wait behind them.
void SendBursts(const OHIPCRemoteProxy *first, const OHIPCRemoteProxy *second)
{
    for (const OHIPCRemoteProxy *stub : { first, second }) {
        EXPECT_EQ(Tell(stub, "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(2);
    for (uint32_t message = 0; message < MESSAGES / 2; message++) {
        EXPECT_EQ(Tell(first, "handle_in_turn"), OH_IPC_SUCCESS);
        EXPECT_EQ(Tell(second, "handle_in_turn"), OH_IPC_SUCCESS);
    }
}

} // namespace

// → ; one of many, of which a worker may handle a few before it goes to what else waits. When many have been handled by
// both, one waits for that, so that the other worker shows how many it still handles
BEHAVIOUR(handle_in_turn)
{
    static std::atomic<bool> waits{ false };
    static std::atomic<int> after{ 0 };
    constexpr auto PATIENCE = std::chrono::seconds(20);
    if (Counter(HANDLED).Add() <= MESSAGES / 4 || Counter(SERVED).Value() > 0) {
        return OH_IPC_SUCCESS;
    }
    if (waits.exchange(true)) {
        EXPECT(++after <= 10);
        return OH_IPC_SUCCESS;
    }
    auto start = std::chrono::steady_clock::now();
    while (Counter(SERVED).Value() == 0 && std::chrono::steady_clock::now() - start < PATIENCE) {
        sched_yield();
    }
    EXPECT(Counter(SERVED).Value() > 0);
    return OH_IPC_SUCCESS;
}

// counter's name → ; adds one to it, and expects that the async message sent before this request has been handled
BEHAVIOUR(come_after_async)
{
    EXPECT_EQ(Counter("async").Value(), 1u);
    Counter(request.data.Text()).Add();
    return OH_IPC_SUCCESS;
}

// names of two kept proxies → ; sends their stubs what SendBursts sends
BEHAVIOUR(send_bursts)
{
    auto first = KeptProxy(request.data.Text());
    auto second = KeptProxy(request.data.Text());
    SendBursts(first.get(), second.get());
    Counter("sent").Add();
    return OH_IPC_SUCCESS;
}

TEST(an_async_among_sync_requests, "an async message waits until its sender's sync requests are all handled")
{
    constexpr uint32_t CALLERS = 6;
    Actor &actor = StartActorWithMaxThreads(1);
    Threads callers;
    Occupy(callers, actor, "first gate");
    Occupy(callers, actor, "second gate");
    EXPECT_EQ(actor.Tell("count", Parcel().Text("async")), OH_IPC_SUCCESS);
    for (uint32_t caller = 0; caller < CALLERS; caller++) {
        StartCall(callers, actor.Proxy(), "come_after_async", SERVED);
    }
    Counter("first gate").Add();
    Counter(SERVED).AwaitAtLeast(CALLERS);
    Counter("second gate").Add();
    callers.Join();
}

TEST(a_sync_request_among_async_ones, "a worker stays with a stub until all its messages are handled")
{
    Actor &actor = StartActorWithMaxThreads(1);
    ProxyPtr first = actor.CreateStub("first");
    ProxyPtr second = actor.CreateStub("second");
    SendBursts(first.get(), second.get());
    Threads callers;
    StartCall(callers, actor.Proxy(), "count", SERVED);
    Counter("gate").Add();
    callers.Join();
    Counter(HANDLED).AwaitAtLeast(MESSAGES);
}

TEST(a_death_among_async_messages, "a death is told when no async message is left")
{
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    Actor &sender = StartActor();
    Actor &victim = StartActor();
    StubPtr first = CreateStub("first");
    StubPtr second = CreateStub("second");
    sender.Introduce("first", first.get());
    sender.Introduce("second", second.get());
    Recipient recipient("victim", [] { Counter(SERVED).Add(); });
    EXPECT_EQ(recipient.AddTo(victim.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(sender.Tell("send_bursts", Parcel().Text("first").Text("second")), OH_IPC_SUCCESS);
    Counter("sent").AwaitAtLeast(1);
    std::thread caller([&victim] {
        int result = victim.Ask("block", Parcel().Text("at the victim").Text("never").Int(1)).result;
        EXPECT_EQ(result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("at the victim").AwaitAtLeast(1);
    victim.Kill();
    // The call ends when the death is noted, and the thread that has noted it goes on to have it told.
    caller.join();
    AwaitInnerThreadsAsleep();
    Counter("gate").Add();
    recipient.AwaitTold();
    Counter(HANDLED).AwaitAtLeast(MESSAGES);
}
