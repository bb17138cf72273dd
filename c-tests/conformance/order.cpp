// SPDX-License-Identifier: Apache-2.0
// In which order requests are handled, and which of them at the same time.
#include <map>
#include <mutex>
#include <numeric>
#include <sched.h>
#include <unistd.h>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

struct Records {
    std::mutex mutex;
    std::map<std::string, std::vector<int32_t>> numbers;
    std::map<std::string, int> running;
};

Records &AllRecords()
{
    static auto *records = new Records;
    return *records;
}

constexpr char RECORDED[] = "recorded";
constexpr char RECORDED_OF[] = "recorded_of";

// Sends the number to be recorded, with so many bytes behind it.
int TellNumber(const OHIPCRemoteProxy *proxy, int32_t number, size_t size = 0)
{
    Parcel data;
    data.Int(number);
    if (size > 0) {
        data.Bytes(size);
    }
    return Tell(proxy, "record", data);
}

std::vector<int32_t> RecordedOf(const Actor &actor, const std::string &stub, uint32_t all)
{
    Counter(RECORDED).AwaitAtLeast(all);
    Answer answer = actor.Ask(RECORDED_OF, Parcel().Text(stub));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    std::vector<int32_t> numbers(static_cast<size_t>(answer.Read().Int()));
    for (int32_t &number : numbers) {
        number = answer.Read().Int();
    }
    return numbers;
}

std::vector<int32_t> UpTo(int32_t end)
{
    std::vector<int32_t> numbers(static_cast<size_t>(end));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

} // namespace

// number, anything → ; records the number for its stub, alone of all requests to that stub
BEHAVIOUR(record)
{
    {
        std::lock_guard<std::mutex> lock(AllRecords().mutex);
        AllRecords().numbers[request.stub].push_back(request.data.Int());
        EXPECT_EQ(++AllRecords().running[request.stub], 1);
    }
    // Lets others in that do not wait for this one.
    for (int turn = 0; turn < 10; turn++) {
        sched_yield();
    }
    {
        std::lock_guard<std::mutex> lock(AllRecords().mutex);
        AllRecords().running[request.stub]--;
    }
    Counter(RECORDED).Add();
    return OH_IPC_SUCCESS;
}

// stub's name → how many numbers were recorded, the numbers
BEHAVIOUR(recorded_of)
{
    std::lock_guard<std::mutex> lock(AllRecords().mutex);
    const std::vector<int32_t> &numbers = AllRecords().numbers[request.data.Text()];
    WriteInt(request.reply, static_cast<int32_t>(numbers.size()));
    for (int32_t number : numbers) {
        WriteInt(request.reply, number);
    }
    return OH_IPC_SUCCESS;
}

TEST(async_of_4_threads_in_the_order_sent,
    "async messages to one stub are taken by any free worker, or queued for each sending thread by itself")
{
    constexpr int32_t THREADS = 4;
    constexpr int32_t MESSAGES = 200;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("ordered");
    Counter turn("turn");
    Threads senders;
    for (int32_t thread = 0; thread < THREADS; thread++) {
        senders.Start([&, thread] {
            for (int32_t number = thread; number < MESSAGES; number += THREADS) {
                turn.AwaitAtLeast(static_cast<uint32_t>(number));
                EXPECT_EQ(TellNumber(stub.get(), number), OH_IPC_SUCCESS);
                turn.Add();
            }
        });
    }
    senders.Join();
    EXPECT(RecordedOf(actor, "ordered", MESSAGES) == UpTo(MESSAGES));
}

TEST(async_of_4_threads_at_once,
    "two async messages to one stub are handled at once, or those of a thread overtake each other, or one is lost")
{
    constexpr int32_t THREADS = 4;
    constexpr int32_t MESSAGES = 200;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("ordered");
    Threads senders;
    for (int32_t thread = 0; thread < THREADS; thread++) {
        senders.Start([&, thread] {
            for (int32_t message = 0; message < MESSAGES; message++) {
                EXPECT_EQ(TellNumber(stub.get(), thread * MESSAGES + message), OH_IPC_SUCCESS);
            }
        });
    }
    senders.Join();
    std::vector<int32_t> next(THREADS, 0);
    std::vector<int32_t> recorded = RecordedOf(actor, "ordered", THREADS * MESSAGES);
    EXPECT_EQ(recorded.size(), static_cast<size_t>(THREADS * MESSAGES));
    for (int32_t number : recorded) {
        auto thread = static_cast<size_t>(number / MESSAGES);
        EXPECT_EQ(number % MESSAGES, next[thread]++);
    }
}

TEST(async_of_two_processes_in_the_order_sent,
    "the messages to a stub wait in a queue of their sender's, and the queues are served in another order")
{
    constexpr int32_t MESSAGES = 60;
    Actor &server = StartActor();
    Actor &sender = StartActor();
    ProxyPtr stub = server.CreateStub("ordered");
    sender.Introduce("ordered", stub.get());
    for (int32_t number = 0; number < MESSAGES; number += 2) {
        EXPECT_EQ(TellNumber(stub.get(), number), OH_IPC_SUCCESS);
        Parcel request;
        request.Text("ordered").Text("record").Int(number + 1);
        Answer answer = sender.Ask("tell_kept", request);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    }
    EXPECT(RecordedOf(server, "ordered", MESSAGES) == UpTo(MESSAGES));
}

TEST(async_through_all_wrappers_in_the_order_sent, "the order is kept for each proxy and not for the stub")
{
    constexpr int32_t MESSAGES = 40;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("ordered");
    Answer again = actor.Ask("give_stub", Parcel().Text("ordered"));
    ProxyPtr other = again.Read().Proxy();
    REQUIRE(other != nullptr);
    for (int32_t number = 0; number < MESSAGES; number++) {
        EXPECT_EQ(TellNumber((number % 2 == 0 ? stub : other).get(), number), OH_IPC_SUCCESS);
    }
    EXPECT(RecordedOf(actor, "ordered", MESSAGES) == UpTo(MESSAGES));
}

TEST(async_of_all_kinds_in_the_order_sent, "large messages, or those with objects or descriptors, take another way")
{
    constexpr int32_t MESSAGES = 24;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("ordered");
    StubPtr own = CreateStub("own");
    for (int32_t number = 0; number < MESSAGES; number++) {
        Parcel data;
        data.Int(number);
        switch (number % 4) {
            case 0: data.Bytes(60000); break;
            case 1: data.Descriptor(STDERR_FILENO); break;
            case 2: data.Stub(own.get()); break;
            default: break;
        }
        // Six large ones fit into a receiver that handles nothing.
        EXPECT_EQ(Tell(stub.get(), "record", data), OH_IPC_SUCCESS);
    }
    EXPECT(RecordedOf(actor, "ordered", MESSAGES) == UpTo(MESSAGES));
}

TEST(async_to_different_stubs_at_once, "a process handles one async message at a time, whichever stub it is for")
{
    constexpr uint32_t STUBS = 5;
    Actor &actor = StartActor();
    std::vector<ProxyPtr> stubs;
    for (uint32_t index = 0; index < STUBS; index++) {
        stubs.push_back(actor.CreateStub("stub " + std::to_string(index)));
    }
    for (const ProxyPtr &stub : stubs) {
        EXPECT_EQ(Tell(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(STUBS);
    EXPECT_EQ(Counter("entered").Value(), STUBS);
    Counter("gate").Add();
}

TEST(async_outlives_its_proxy, "the end of the sender's last proxy overtakes the messages sent through it before")
{
    constexpr uint32_t MESSAGES = 200;
    Actor &actor = StartActor();
    for (uint32_t message = 0; message < MESSAGES; message++) {
        std::string name = "stub " + std::to_string(message);
        ProxyPtr stub = actor.CreateStub(name);
        EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text(name)).result, OH_IPC_SUCCESS);
        // Nobody else holds the stub when the proxy goes.
        EXPECT_EQ(Tell(stub.get(), "count", Parcel().Text("came")), OH_IPC_SUCCESS);
    }
    Counter("came").AwaitAtLeast(MESSAGES);
}

TEST(queued_async_takes_no_worker, "a message that waits for its stub's turn holds a worker, or those behind it up")
{
    Actor &actor = StartActorWithMaxThreads(1);
    ProxyPtr busy = actor.CreateStub("busy");
    ProxyPtr other = actor.CreateStub("other");
    EXPECT_EQ(Tell(busy.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    for (int32_t number = 0; number < 20; number++) {
        EXPECT_EQ(TellNumber(busy.get(), number), OH_IPC_SUCCESS);
    }
    EXPECT_EQ(Tell(other.get(), "count", Parcel().Text("other")), OH_IPC_SUCCESS);
    Counter("other").AwaitAtLeast(1);
    EXPECT_EQ(Ask(other.get(), "pid").Read().Int(), actor.Pid());
    EXPECT_EQ(Counter(RECORDED).Value(), 0u);
    Counter("gate").Add();
    EXPECT(RecordedOf(actor, "busy", 20) == UpTo(20));
}

TEST(sync_requests_at_once, "sync requests to one stub are handled one at a time")
{
    constexpr uint32_t CALLERS = 8;
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("stub");
    Threads callers;
    for (uint32_t index = 0; index < CALLERS; index++) {
        callers.Start([&] {
            Answer answer = Ask(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1));
            EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        });
    }
    Counter("entered").AwaitAtLeast(CALLERS);
    EXPECT_EQ(Counter("entered").Value(), CALLERS);
    Counter("gate").Add();
    callers.Join();
}

TEST(sync_overtakes_queued_async, "a sync request waits behind the async messages that were sent before it")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("stub");
    ProxyPtr other = actor.CreateStub("other");
    EXPECT_EQ(Tell(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    for (int32_t number = 0; number < 3; number++) {
        EXPECT_EQ(TellNumber(stub.get(), number), OH_IPC_SUCCESS);
    }
    EXPECT_EQ(Ask(stub.get(), "pid").Read().Int(), actor.Pid());
    EXPECT_EQ(Ask(other.get(), "pid").Read().Int(), actor.Pid());
    EXPECT_EQ(Counter(RECORDED).Value(), 0u);
    Counter("gate").Add();
    EXPECT(RecordedOf(actor, "stub", 3) == UpTo(3));
}

TEST(async_handler_and_sync_handler_at_once, "an async message waits for the sync requests to its stub")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("stub");
    Threads callers;
    callers.Start([&] {
        EXPECT_EQ(Ask(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)).result, OH_IPC_SUCCESS);
    });
    Counter("entered").AwaitAtLeast(1);
    EXPECT_EQ(TellNumber(stub.get(), 0), OH_IPC_SUCCESS);
    EXPECT(RecordedOf(actor, "stub", 1) == UpTo(1));
    EXPECT_EQ(Counter("gate").Add(), 1u);
    callers.Join();
}
