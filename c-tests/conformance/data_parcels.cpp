// SPDX-License-Identifier: Apache-2.0
// What becomes of a request's data at the sender, and what of it arrives.
#include <unistd.h>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

// ints → the number of them, the last one
BEHAVIOUR(sum_ints)
{
    State entry = StateOf(request.data.Get());
    EXPECT_EQ(entry, (State{ entry.dataSize, entry.dataSize, entry.dataSize, 0, 0 }));
    int32_t count = 0;
    int32_t last = -9;
    while (OH_IPCParcel_GetReadableBytes(request.data.Get()) > 0) {
        last = request.data.Int();
        count++;
    }
    WriteInt(request.reply, count);
    WriteInt(request.reply, last);
    return OH_IPC_SUCCESS;
}

// bytes → size, sum of position × byte (long), where the first position is 1
BEHAVIOUR(weigh)
{
    int size = OH_IPCParcel_GetDataSize(request.data.Get());
    const uint8_t *bytes = size > 0 ? OH_IPCParcel_ReadBuffer(request.data.Get(), size) : nullptr;
    int64_t sum = 0;
    for (int index = 0; bytes != nullptr && index < size; index++) {
        sum += int64_t{ index + 1 } * bytes[index];
    }
    WriteInt(request.reply, size);
    WriteLong(request.reply, sum);
    return OH_IPC_SUCCESS;
}

// size → so many bytes, each its index's low bits
BEHAVIOUR(give_bytes)
{
    std::vector<uint8_t> bytes(static_cast<size_t>(request.data.Int()));
    for (size_t index = 0; index < bytes.size(); index++) {
        bytes[index] = static_cast<uint8_t>(index % 251);
    }
    return OH_IPCParcel_WriteBuffer(request.reply, bytes.data(), static_cast<int32_t>(bytes.size()));
}

// int, stub → ; passes its own data on to the kept proxy "next", twice
BEHAVIOUR(pass_data_on_twice)
{
    const OHIPCParcel *data = request.data.Get();
    auto next = KeptProxy("next");
    for (uint32_t index = 0; index < 2; index++) {
        Parcel reply;
        EXPECT_EQ(SendSync(next.get(), Code("take_passed_on"), data, reply.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(reply.Read().Int(), index == 0 ? 28 : 0);
        EXPECT_EQ(StateOf(data), (State{ 0, 28, 0, 0, 0 }));
    }
    return OH_IPC_SUCCESS;
}

// int, stub → size of the data; keeps the stub's proxy as "passed on"
BEHAVIOUR(take_passed_on)
{
    int size = OH_IPCParcel_GetDataSize(request.data.Get());
    if (size > 0) {
        EXPECT_EQ(request.data.Int(), 17);
        KeepProxy("passed on", request.data.Proxy());
    }
    WriteInt(request.reply, size);
    return OH_IPC_SUCCESS;
}

// stubs → the number of them; calls the first and the last
BEHAVIOUR(count_stubs)
{
    std::vector<ProxyPtr> proxies;
    while (OH_IPCParcel_GetReadableBytes(request.data.Get()) > 0) {
        proxies.push_back(request.data.Proxy());
    }
    for (const ProxyPtr *proxy : { &proxies.front(), &proxies.back() }) {
        EXPECT_EQ(Ask(proxy->get(), "pid").result, OH_IPC_SUCCESS);
    }
    WriteInt(request.reply, static_cast<int32_t>(proxies.size()));
    return OH_IPC_SUCCESS;
}

// How many ints arrive, and the last of them.
void ExpectIntsArrive(const Actor &actor, const Parcel &data, int count, int last)
{
    Answer answer = actor.Ask("sum_ints", data);
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), count);
    EXPECT_EQ(answer.Read().Int(), last);
}

// A parcel of at most 8 bytes, 1, 2, 3, …; `size` need not be a multiple of 4.
Parcel OfSize(uint32_t size)
{
    Parcel data;
    data.Int(0x04030201).Int(0x08070605);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(data.Get(), size), OH_IPC_SUCCESS);
    return data;
}

} // namespace

TEST(data_stays_as_it_was, "sending consumes data, or moves one of its cursors")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(11).Int(22).Int(33);
    ExpectIntsArrive(actor, data, 3, 33);
    EXPECT_EQ(data.State(), (State{ 12, 52, 12, 0, 12 }));
    EXPECT_EQ(actor.Tell("sum_ints", data), OH_IPC_SUCCESS);
    EXPECT_EQ(data.State(), (State{ 12, 52, 12, 0, 12 }));
    for (int expected : { 11, 22, 33 }) {
        EXPECT_EQ(data.Read().Int(), expected);
    }
}

TEST(data_can_be_sent_again_and_written_on, "data that was sent cannot be sent or written to again")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(1).Int(2);
    ExpectIntsArrive(actor, data, 2, 2);
    ExpectIntsArrive(actor, data, 2, 2);
    EXPECT_EQ(data.State(), (State{ 8, 56, 8, 0, 8 }));
    data.Int(3);
    ExpectIntsArrive(actor, data, 3, 3);
    EXPECT_EQ(data.State(), (State{ 12, 52, 12, 0, 12 }));
}

TEST(all_of_the_data_arrives, "the receiver gets what stands behind the sender's read cursor")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(1).Int(2).Int(3).Int(4);
    EXPECT_EQ(data.Read().Int(), 1);
    EXPECT_EQ(data.Read().Int(), 2);
    ExpectIntsArrive(actor, data, 4, 4);
    EXPECT_EQ(data.State(), (State{ 16, 48, 8, 8, 16 }));
}

TEST(truncated_data_arrives_truncated, "what lies behind a rewound write cursor is sent")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(0).Int(1).Int(2).Int(3);
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(data.Get(), 8), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(data.Get(), 8), OH_IPC_SUCCESS);
    ExpectIntsArrive(actor, data, 2, 1);
    EXPECT_EQ(data.State(), (State{ 8, 56, 0, 8, 8 }));
}

TEST(empty_data_is_sent, "a request without data is refused")
{
    Actor &actor = StartActor();
    ExpectIntsArrive(actor, Parcel(), 0, -9);
}

TEST(sizes_that_are_no_multiple_of_four, "data of an odd size is refused, padded or cut")
{
    Actor &actor = StartActor();
    for (uint32_t size = 1; size <= 8; size++) {
        Context context("size ", size);
        Parcel data = OfSize(size);
        Answer answer = actor.Ask("weigh", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), size);
        int64_t sum = 0;
        for (int64_t index = 1; index <= size; index++) {
            sum += index * index;
        }
        EXPECT_EQ(answer.Read().Long(), sum);
        EXPECT_EQ(data.State().dataSize, size);
    }
}

TEST(objects_at_odd_offsets_are_refused, "an object at an offset that is no multiple of 4 is sent")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("odd");
    for (uint32_t offset = 0; offset <= 8; offset++) {
        int expected = offset % 4 == 0 ? OH_IPC_SUCCESS : OH_IPC_INNER_ERROR;
        Context context("offset ", offset);
        Parcel descriptor = OfSize(offset);
        descriptor.Descriptor(STDIN_FILENO);
        Parcel object = OfSize(offset);
        object.Stub(stub.get());
        for (const Parcel *data : { &descriptor, &object }) {
            State before = data->State();
            EXPECT_EQ(actor.Ask("show_states", *data).result, expected);
            EXPECT_EQ(actor.Tell("show_states", *data), expected);
            EXPECT_EQ(data->State(), before);
        }
    }
}

TEST(an_odd_offset_delivers_nothing, "a handler runs for a request that is refused for an object's offset")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Text("counted").Int(0);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(data.Get(), 9), OH_IPC_SUCCESS);
    data.Descriptor(STDIN_FILENO);
    EXPECT_EQ(actor.Ask("count", data).result, OH_IPC_INNER_ERROR);
    EXPECT_EQ(actor.Tell("count", data), OH_IPC_INNER_ERROR);
    // A message behind those: it would be handled after them.
    EXPECT_EQ(actor.Tell("count", Parcel().Text("behind")), OH_IPC_SUCCESS);
    Counter("behind").AwaitAtLeast(1);
    EXPECT_EQ(Counter("counted").Value(), 0u);
}

TEST(a_stub_is_sent_twice, "the references of sent data are gone after it was sent once")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Text("sent").Stub(CreateStub("sent twice").get());
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(actor.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
        Answer answer = actor.Ask("ask_kept", Parcel().Text("sent").Text("pid"));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), getpid());
        EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("sent")).result, OH_IPC_SUCCESS);
    }
    EXPECT_EQ(Counter("destroyed sent twice").Value(), 0u);
}

TEST(a_received_reply_is_passed_on_once, "a received reply cannot be sent, or stays after it was")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Answer answer = first.Ask("give_result", Parcel().Int(OH_IPC_SUCCESS).Int(2));
    EXPECT_EQ(answer.Read().Int(), 7700);
    ExpectIntsArrive(second, answer.reply, 2, 7701);
    EXPECT_EQ(answer.reply.State().dataSize, 0);
    EXPECT_EQ(answer.reply.State(), (State{ 0, 8, 0, 0, 0 }));
    ExpectIntsArrive(second, answer.reply, 0, -9);
}

TEST(a_received_reply_is_passed_on_async, "a received reply cannot be sent async, or stays after it was")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Answer answer = first.Ask("echo", Parcel().Text("counted"));
    EXPECT_EQ(second.Tell("count", answer.reply), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 0, 8, 0, 0, 0 }));
    Counter("counted").AwaitAtLeast(1);
}

TEST(a_handlers_data_is_passed_on_once, "a handler's data cannot be sent with its objects, or stays after it was")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("next", last.Proxy());
    Parcel data;
    data.Int(17).Stub(CreateStub("passed").get());
    EXPECT_EQ(middle.Ask("pass_data_on_twice", data).result, OH_IPC_SUCCESS);
    // The object went with it and outlives the middleman.
    middle.End();
    data = Parcel();
    EXPECT_EQ(Counter("destroyed passed").Value(), 0u);
    Answer answer = last.Ask("ask_kept", Parcel().Text("passed on").Text("pid"));
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), getpid());
    EXPECT_EQ(last.Ask("drop_proxy", Parcel().Text("passed on")).result, OH_IPC_SUCCESS);
    Counter("destroyed passed").AwaitAtLeast(1);
}

TEST(a_received_parcel_is_appended, "the content of a received parcel cannot be appended to another")
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("echo", Parcel().Int(2));
    EXPECT_EQ(answer.reply.State(), (State{ 4, 4, 4, 0, 0 }));
    Parcel fresh;
    fresh.Append(answer.reply.Get());
    EXPECT_EQ(fresh.State(), (State{ 4, 60, 4, 0, 4 }));
    ExpectIntsArrive(actor, fresh, 1, 2);
    ExpectIntsArrive(actor, fresh, 1, 2);
    EXPECT_EQ(answer.reply.Read().Int(), 2);
}

TEST(data_of_every_size_arrives_whole, "large data is refused, cut, or arrives changed")
{
    Actor &actor = StartActor();
    for (int size : { 4, 80, 4092, 4096, 4100, 8000, 65536, 80000, 131072, 200000, 204796, 204799, 204800 }) {
        Context context("size ", size);
        std::vector<uint8_t> bytes(static_cast<size_t>(size));
        int64_t sum = 0;
        for (size_t index = 0; index < bytes.size(); index++) {
            bytes[index] = static_cast<uint8_t>((index * 7) % 253);
            sum += static_cast<int64_t>(index + 1) * bytes[index];
        }
        Parcel data;
        EXPECT_EQ(OH_IPCParcel_WriteBuffer(data.Get(), bytes.data(), size), OH_IPC_SUCCESS);
        Answer answer = actor.Ask("weigh", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), (size + 3) / 4 * 4);
        EXPECT_EQ(answer.Read().Long(), sum);
    }
}

TEST(replies_of_every_size_arrive_whole, "a large reply is refused, cut, or arrives changed")
{
    Actor &actor = StartActor();
    for (int size : { 4, 100, 4096, 65536, 102450, 200000, 204800 }) {
        Context context("size ", size);
        int padded = (size + 3) / 4 * 4;
        Answer answer = actor.Ask("give_bytes", Parcel().Int(size));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.reply.State(), (State{ padded, padded, padded, 0, 0 }));
        const uint8_t *bytes = OH_IPCParcel_ReadBuffer(answer.reply.Get(), padded);
        if (!EXPECT(bytes != nullptr)) {
            continue;
        }
        int wrong = 0;
        for (int index = 0; index < padded; index++) {
            wrong += bytes[index] != (index < size ? index % 251 : 0);
        }
        EXPECT_EQ(wrong, 0);
    }
}

TEST(many_stubs_in_one_parcel, "a parcel with many objects is refused, or some of them are lost")
{
    constexpr int STUBS = 600;
    Actor &actor = StartActor();
    std::vector<StubPtr> stubs;
    Parcel data;
    for (int index = 0; index < STUBS; index++) {
        stubs.push_back(CreateStub("one of many"));
        data.Stub(stubs.back().get());
    }
    Answer answer = actor.Ask("count_stubs", data);
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), STUBS);
    data = Parcel();
    stubs.clear();
    Counter("destroyed one of many").AwaitAtLeast(STUBS);
}
