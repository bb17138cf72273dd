// SPDX-License-Identifier: Apache-2.0
// How much a process receives before it refuses more. The numbers are those of a device.
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "harness.h"
#include "harness/pipe.h"

using namespace conformance;

namespace {

constexpr int LARGEST = 204800;
// Room for replies and requests of a process, and what of it async requests may take.
constexpr int WHOLE_ROOM = 1040384;
constexpr int ASYNC_ROOM = WHOLE_ROOM / 2;

// anything → ; counts itself, and waits until "room gate" is opened
BEHAVIOUR(hold_room)
{
    Counter("room entered").Add();
    Counter("room gate").AwaitAtLeast(1);
    return OH_IPC_SUCCESS;
}

// anything → ; waits for nothing
BEHAVIOUR(take_room)
{
    Counter("room taken").Add();
    return OH_IPC_SUCCESS;
}

// size → a reply of that size
BEHAVIOUR(give_size)
{
    Counter("reply given").Add();
    Parcel bytes;
    bytes.Bytes(static_cast<size_t>(request.data.Int()));
    return OH_IPCParcel_Append(request.reply, bytes.Get());
}

// size → result; sends a request of that size to the kept proxy "client"
BEHAVIOUR(send_size_to_client)
{
    Parcel bytes;
    bytes.Bytes(static_cast<size_t>(request.data.Int()));
    WriteInt(request.reply, Ask(KeptProxy("client").get(), "take_room", bytes).result);
    return OH_IPC_SUCCESS;
}

// size, most → number accepted, last result; sends async requests of that size to the kept proxy "full"
BEHAVIOUR(fill_other)
{
    int32_t size = request.data.Int();
    int32_t most = request.data.Int();
    auto full = KeptProxy("full");
    Parcel bytes;
    bytes.Bytes(static_cast<size_t>(size));
    int32_t accepted = 0;
    int result;
    while ((result = Tell(full.get(), "hold_room", bytes)) == OH_IPC_SUCCESS && accepted < most) {
        accepted++;
    }
    WriteInt(request.reply, accepted);
    WriteInt(request.reply, result);
    return OH_IPC_SUCCESS;
}

int SendSize(const OHIPCRemoteProxy *proxy, const char *behaviour, int size)
{
    Parcel data;
    data.Bytes(static_cast<size_t>(size));
    return Tell(proxy, behaviour, data);
}

int AskSize(const OHIPCRemoteProxy *proxy, const char *behaviour, int size)
{
    Parcel data;
    data.Bytes(static_cast<size_t>(size));
    return Ask(proxy, behaviour, data).result;
}

// Sends async requests of one size until one is refused; yields how many were not.
int Fill(const OHIPCRemoteProxy *proxy, int size)
{
    Parcel data;
    data.Bytes(static_cast<size_t>(size));
    int accepted = 0;
    int result = OH_IPC_SUCCESS;
    for (; accepted < 100000; accepted++) {
        result = Tell(proxy, "hold_room", data);
        if (result != OH_IPC_SUCCESS) {
            break;
        }
    }
    EXPECT_EQ(result, OH_IPC_INNER_ERROR);
    return accepted;
}

// Waits until all that was sent async to the stub before is handled and has given its room back.
void AwaitDrained(const OHIPCRemoteProxy *proxy, const std::string &mark)
{
    EXPECT_EQ(Tell(proxy, "count", Parcel().Text(mark)), OH_IPC_SUCCESS);
    Counter(mark).AwaitAtLeast(1);
}

// Fills the room of a process with async requests of one size, which its stub does not handle before it is let; looks
// what goes on working meanwhile, and that all of the room comes back.
void FillAndRecover(int size, int least, int most)
{
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    int accepted = Fill(actor.Proxy(), size);
    EXPECT(accepted >= least);
    EXPECT(accepted <= most);
    Context context(accepted, " of ", size, " bytes");
    Counter("room entered").AwaitAtLeast(1);

    EXPECT_EQ(SendSize(actor.Proxy(), "hold_room", size), OH_IPC_INNER_ERROR);
    EXPECT_EQ(SendSize(other.get(), "take_room", size), OH_IPC_INNER_ERROR);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", 4), OH_IPC_SUCCESS);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", LARGEST), OH_IPC_SUCCESS);
    EXPECT_EQ(AskSize(other.get(), "take_room", LARGEST), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("room entered").Value(), 1u);

    // Nothing that was accepted is lost, and nothing that was refused is delivered.
    Counter("room gate").Add();
    Counter("room entered").AwaitAtLeast(static_cast<uint32_t>(accepted));
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", LARGEST), OH_IPC_SUCCESS);
    AwaitDrained(actor.Proxy(), "drained");
    EXPECT_EQ(Counter("room entered").Value(), accepted);
    for (int index = 0; index < accepted; index++) {
        EXPECT_EQ(SendSize(actor.Proxy(), "take_room", size), OH_IPC_SUCCESS);
        // One at a time, so that this does not depend on how fast they are handled.
        AwaitDrained(actor.Proxy(), "again " + std::to_string(index % 50) + " in " + std::to_string(index / 50));
    }
}

} // namespace

TEST(async_of_1_kib, "messages of 1 KiB are charged more than their size, or another part of the room is async's")
{
    // 508, less or more the 2 % that small messages may be charged differently.
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    int accepted = Fill(actor.Proxy(), 1024);
    EXPECT(accepted >= 498);
    EXPECT(accepted <= 518);
    Counter("room entered").AwaitAtLeast(1);
    EXPECT_EQ(SendSize(actor.Proxy(), "hold_room", 1024), OH_IPC_INNER_ERROR);
    EXPECT_EQ(SendSize(other.get(), "take_room", 1024), OH_IPC_INNER_ERROR);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", 4), OH_IPC_SUCCESS);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", LARGEST), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("room entered").Value(), 1u);
    Counter("room gate").Add();
    Counter("room entered").AwaitAtLeast(static_cast<uint32_t>(accepted));
    AwaitDrained(actor.Proxy(), "drained");
    EXPECT_EQ(Counter("room entered").Value(), accepted);
}

TEST(async_of_64_kib, "async messages get more or less than half of the room, or are charged more than their size")
{
    FillAndRecover(65536, 7, 7);
}

TEST(async_of_200_kib, "async messages get more or less than half of the room")
{
    FillAndRecover(LARGEST, 2, 2);
}

TEST(async_of_16_bytes, "small messages are charged many times their size")
{
    constexpr int MESSAGES = 20000;
    Actor &actor = StartActor();
    Parcel data;
    data.Bytes(16);
    int refused = 0;
    for (int index = 0; index < MESSAGES; index++) {
        refused += actor.Tell("hold_room", data) != OH_IPC_SUCCESS;
    }
    EXPECT_EQ(refused, 0);
    Counter("room gate").Add();
    Counter("room entered").AwaitAtLeast(static_cast<uint32_t>(MESSAGES - refused));
    AwaitDrained(actor.Proxy(), "drained");
    EXPECT_EQ(Counter("room entered").Value(), MESSAGES - refused);
}

TEST(smaller_async_still_fits, "a process that refused a message refuses smaller ones that fit")
{
    for (int size : { 65536, LARGEST }) {
        Context context(size, " bytes");
        Actor &actor = StartActor();
        ProxyPtr other = actor.CreateStub("other");
        int left = ASYNC_ROOM - Fill(actor.Proxy(), size) * size;
        // With 2 % of the room for what is charged besides.
        EXPECT_EQ(SendSize(other.get(), "take_room", left - ASYNC_ROOM / 50), OH_IPC_SUCCESS);
        actor.End();
    }
}

TEST(async_fills_at_most_half, "async messages can take all of the room, or sync ones are limited to half of it")
{
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    EXPECT_EQ(Fill(actor.Proxy(), LARGEST), 2);
    // What is left of the room holds three more, which only sync requests may use.
    std::vector<std::thread> callers;
    for (int index = 0; index < 3; index++) {
        callers.emplace_back([&other] { EXPECT_EQ(AskSize(other.get(), "hold_room", LARGEST), OH_IPC_SUCCESS); });
    }
    Counter("room entered").AwaitAtLeast(4);
    EXPECT_EQ(AskSize(other.get(), "take_room", LARGEST), OH_IPC_INNER_ERROR);
    EXPECT_EQ(AskSize(other.get(), "take_room", 4), OH_IPC_SUCCESS);
    Counter("room gate").Add();
    for (std::thread &caller : callers) {
        caller.join();
    }
    EXPECT_EQ(AskSize(other.get(), "take_room", LARGEST), OH_IPC_SUCCESS);
}

TEST(sync_can_leave_async_no_room, "async messages have room of their own that sync requests do not use")
{
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    std::vector<std::thread> callers;
    for (int index = 0; index < 5; index++) {
        callers.emplace_back([&actor] { EXPECT_EQ(AskSize(actor.Proxy(), "hold_room", LARGEST), OH_IPC_SUCCESS); });
    }
    Counter("room entered").AwaitAtLeast(5);
    EXPECT_EQ(SendSize(other.get(), "take_room", 65536), OH_IPC_INNER_ERROR);
    EXPECT_EQ(SendSize(other.get(), "take_room", 4), OH_IPC_SUCCESS);
    Counter("room taken").AwaitAtLeast(1);
    Counter("room gate").Add();
    for (std::thread &caller : callers) {
        caller.join();
    }
    EXPECT_EQ(SendSize(other.get(), "take_room", 65536), OH_IPC_SUCCESS);
    Counter("room taken").AwaitAtLeast(2);
}

TEST(eight_sync_of_200_kib_at_once, "more or fewer than five large sync requests are in at once, or one of them waits")
{
    constexpr int CALLERS = 8;
    Actor &actor = StartActor();
    std::vector<std::thread> callers;
    for (int index = 0; index < CALLERS; index++) {
        callers.emplace_back([&actor] {
            int result = AskSize(actor.Proxy(), "hold_room", LARGEST);
            EXPECT(result == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR);
            Counter(result == OH_IPC_SUCCESS ? "were in" : "refused").Add();
        });
    }
    // The refused ones are told while the others are inside.
    Counter("refused").AwaitAtLeast(3);
    Counter("room entered").AwaitAtLeast(5);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", 4), OH_IPC_SUCCESS);
    Counter("room gate").Add();
    for (std::thread &caller : callers) {
        caller.join();
    }
    EXPECT_EQ(Counter("room entered").Value(), 5u);
    EXPECT_EQ(Counter("were in").Value(), 5u);
    EXPECT_EQ(Counter("refused").Value(), 3u);
    EXPECT_EQ(AskSize(actor.Proxy(), "take_room", LARGEST), OH_IPC_SUCCESS);
}

TEST(a_refused_request_leaves_no_descriptor, "a receiver that has no room for a request keeps its descriptors open")
{
    Actor &actor = StartActor();
    std::vector<std::thread> callers;
    for (int index = 0; index < 5; index++) {
        callers.emplace_back([&actor] { EXPECT_EQ(AskSize(actor.Proxy(), "hold_room", LARGEST), OH_IPC_SUCCESS); });
    }
    Counter("room entered").AwaitAtLeast(5);
    Pipe pipe;
    {
        Parcel data;
        data.Bytes(32 * 1024).Descriptor(pipe.Writing());
        EXPECT_EQ(actor.Ask("take_room", data).result, OH_IPC_INNER_ERROR);
    }
    EXPECT_EQ(pipe.ReadToEnd(), "");
    Counter("room gate").Add();
    for (std::thread &caller : callers) {
        caller.join();
    }
}

TEST(the_room_is_one_for_all_senders, "each sender has room of its own in a receiver")
{
    Actor &full = StartActor();
    Actor &second = StartActor();
    second.Introduce("full", full.Proxy());
    EXPECT_EQ(Fill(full.Proxy(), LARGEST), 2);
    Answer answer = second.Ask("fill_other", Parcel().Int(LARGEST).Int(10));
    EXPECT_EQ(answer.Read().Int(), 0);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_INNER_ERROR);
    answer = second.Ask("fill_other", Parcel().Int(32768).Int(2));
    EXPECT_EQ(answer.Read().Int(), 2);
}

TEST(the_room_of_each_receiver_is_its_own, "messages to one process take room in another")
{
    Actor &full = StartActor();
    Actor &empty = StartActor();
    EXPECT_EQ(Fill(full.Proxy(), LARGEST), 2);
    EXPECT_EQ(Fill(empty.Proxy(), LARGEST), 2);
}

TEST(replies_take_room_until_they_are_destroyed, "a reply gives its room back when it is read, or never")
{
    Actor &actor = StartActor();
    Parcel size;
    size.Int(LARGEST);
    std::vector<Parcel> replies;
    int result;
    for (;;) {
        Answer answer = actor.Ask("give_size", size);
        result = answer.result;
        if (result != OH_IPC_SUCCESS || replies.size() == 20) {
            EXPECT_EQ(answer.reply.State(), (State{ 0, 0, 0, 0, 0 }));
            break;
        }
        EXPECT_EQ(answer.reply.State().dataSize, LARGEST);
        EXPECT(OH_IPCParcel_ReadBuffer(answer.reply.Get(), LARGEST) != nullptr);
        replies.push_back(std::move(answer.reply));
    }
    EXPECT_EQ(result, OH_IPC_INNER_ERROR);
    EXPECT_EQ(replies.size(), 5u);
    // The handler has run all the same.
    EXPECT_EQ(Counter("reply given").Value(), 6u);
    EXPECT_EQ(actor.Ask("give_size", Parcel().Int(4)).result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("give_size", size).result, OH_IPC_INNER_ERROR);
    replies.pop_back();
    EXPECT_EQ(actor.Ask("give_size", size).result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("give_size", size).result, OH_IPC_SUCCESS);
    replies.clear();
}

TEST(replies_and_requests_share_the_room, "replies that a process holds leave it all its room for requests")
{
    Actor &actor = StartActor();
    StubPtr client = CreateStub("client");
    actor.Introduce("client", client.get());
    std::vector<Parcel> replies;
    for (int index = 0; index < 4; index++) {
        Answer answer = actor.Ask("give_size", Parcel().Int(LARGEST));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        replies.push_back(std::move(answer.reply));
    }
    EXPECT_EQ(actor.Ask("send_size_to_client", Parcel().Int(LARGEST)).Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("room taken").Value(), 1u);
    replies.push_back(std::move(actor.Ask("give_size", Parcel().Int(LARGEST)).reply));
    EXPECT_EQ(replies.back().State().dataSize, LARGEST);
    EXPECT_EQ(actor.Ask("send_size_to_client", Parcel().Int(LARGEST)).Read().Int(), OH_IPC_INNER_ERROR);
    EXPECT_EQ(actor.Ask("send_size_to_client", Parcel().Int(64)).Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("room taken").Value(), 2u);
    replies.clear();
    EXPECT_EQ(actor.Ask("send_size_to_client", Parcel().Int(LARGEST)).Read().Int(), OH_IPC_SUCCESS);
}

TEST(the_room_can_be_raised, "IPCKIT_RECEIVE_BUFFER is not looked at, or not in a child process")
{
    // Half of this is for async messages, and holds ten of them.
    setenv("IPCKIT_RECEIVE_BUFFER", std::to_string(4 * WHOLE_ROOM).c_str(), 1);
    Actor &actor = StartActor();
    EXPECT_EQ(Fill(actor.Proxy(), LARGEST), 10);
}

TEST(refusals_in_a_loop_are_counted, "each of a thousand refusals is a line of the log, or nobody says how many there were")
{
    constexpr int REFUSED = 1000;
    constexpr char LINE[] = "has no room for a message";
    Actor &actor = StartActor();
    auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(Fill(actor.Proxy(), LARGEST), 2);
    EXPECT_EQ(CountInOutput(LINE), 1u);
    for (int index = 0; index < REFUSED; index++) {
        EXPECT_EQ(SendSize(actor.Proxy(), "hold_room", LARGEST), OH_IPC_INNER_ERROR);
    }
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
    EXPECT(CountInOutput(LINE) <= static_cast<size_t>(seconds) + 2);
    while (CountInOutput(" more like it)") == 0) {
        EXPECT_EQ(SendSize(actor.Proxy(), "hold_room", LARGEST), OH_IPC_INNER_ERROR);
    }
}

TEST(a_refusal_is_told, "the log does not say whose room a refused message had no place in, how full it is, and by whom")
{
    Actor &actor = StartActor();
    EXPECT_EQ(Fill(actor.Proxy(), LARGEST), 2);
    std::string two = std::to_string(2 * LARGEST);
    std::string output = OutputSoFar();
    EXPECT(output.find("process " + std::to_string(actor.Pid()) + " has no room for a message of "
        + std::to_string(LARGEST) + " bytes: " + two + " of " + std::to_string(WHOLE_ROOM)) != std::string::npos);
    EXPECT(output.find(two + " of them by asynchronous messages") != std::string::npos);
    EXPECT(output.find(two + " of these are of this process's") != std::string::npos);
    EXPECT(output.find("IPCKIT_RECEIVE_BUFFER") != std::string::npos);
}

TEST(a_refused_reply_is_told, "the log does not say whose reply there was no room for, and how full this process is")
{
    Actor &actor = StartActor();
    std::vector<Parcel> replies;
    for (int index = 0; index < 5; index++) {
        replies.push_back(std::move(actor.Ask("give_size", Parcel().Int(LARGEST)).reply));
    }
    EXPECT_EQ(actor.Ask("give_size", Parcel().Int(LARGEST)).result, OH_IPC_INNER_ERROR);
    std::string output = OutputSoFar();
    EXPECT(output.find("the reply of process " + std::to_string(actor.Pid()) + ", of " + std::to_string(LARGEST)
        + " bytes: " + std::to_string(5 * LARGEST) + " of " + std::to_string(WHOLE_ROOM)) != std::string::npos);
}

TEST(a_full_way_is_no_full_receiver, "that more messages are on their way than can be is told as the receiver's want of room")
{
    Actor &actor = StartActor();
    actor.Stop();
    int result;
    do {
        result = actor.Tell("pid");
    } while (result == OH_IPC_SUCCESS);
    EXPECT_EQ(result, OH_IPC_INNER_ERROR);
    EXPECT_EQ(CountInOutput("asynchronous messages are on their way already"), 1u);
    EXPECT_EQ(CountInOutput("has no room for a message"), 0u);
    actor.Continue();
    EXPECT_EQ(actor.Ask("pid").Read().Int(), actor.Pid());
}
