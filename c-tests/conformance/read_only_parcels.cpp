// SPDX-License-Identifier: Apache-2.0
// The parcels that a user did not create: a handler's data, and a reply as its caller has it.
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

constexpr State AT_ENTRY = { 12, 12, 12, 0, 0 };

// That every write to this parcel of the three ints 11, 22, 33 is refused; goes on as far as the parcel keeps its data.
void ExpectWritesRefused(OHIPCParcel *parcel)
{
    EXPECT_EQ(StateOf(parcel), AT_ENTRY);
    StubPtr stub = CreateStub("written");
    ProxyPtr proxy = Parcel().Stub(stub.get()).Read().Proxy();
    Parcel four;
    four.Int(4);
    EXPECT_EQ(OH_IPCParcel_WriteInt8(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteInt16(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteInt32(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteInt64(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteUint8(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteUint16(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteUint32(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteUint64(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteFloat(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteDouble(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteString(parcel, "text"), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(parcel, stub.get()), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(parcel, proxy.get()), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, STDIN_FILENO), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_Append(parcel, four.Get()), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(StateOf(parcel), AT_ENTRY);
    EXPECT_EQ(OH_IPCParcel_Append(parcel, Parcel().Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(StateOf(parcel), AT_ENTRY);
    // What was refused holds nothing.
    proxy.reset();
    stub.reset();
    EXPECT_EQ(Counter("destroyed written").Value(), Counter("looked").Value() + 1);
    Counter("looked").Add();
}

// That the parcel is empty for good after what has just emptied it; the read cursor stands at `position`.
void ExpectEmptied(OHIPCParcel *parcel, int position)
{
    EXPECT_EQ(StateOf(parcel), (State{ 0, 12, 0, position, 0 }));
    int32_t value = -9;
    EXPECT_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_PARCEL_READ_ERROR);
    EXPECT_EQ(value, -9);
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_PARCEL_READ_ERROR);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(parcel, 4), OH_IPC_INNER_ERROR);
    EXPECT_EQ(OH_IPCParcel_WriteInt32(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCParcel_WriteInt32(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(StateOf(parcel), (State{ 0, 12, 0, 0, 0 }));
    Counter("looked").Add();
}

void ExpectBufferEmpties(OHIPCParcel *parcel)
{
    const uint8_t bytes[4] = { 1, 2, 3, 4 };
    EXPECT_EQ(Reader(parcel).Int(), 11);
    EXPECT_EQ(OH_IPCParcel_WriteBuffer(parcel, bytes, 4), OH_IPC_PARCEL_WRITE_ERROR);
    ExpectEmptied(parcel, 4);
}

void ExpectTokenEmpties(OHIPCParcel *parcel)
{
    EXPECT_EQ(Reader(parcel).Int(), 11);
    EXPECT_EQ(Reader(parcel).Int(), 22);
    EXPECT_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "token"), OH_IPC_PARCEL_WRITE_ERROR);
    ExpectEmptied(parcel, 8);
}

void ExpectRewindEmpties(OHIPCParcel *parcel)
{
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
    ExpectEmptied(parcel, 0);
}

// Handlers are given a const parcel, as if nobody could write to it.
OHIPCParcel *DataOf(const Request &request)
{
    return const_cast<OHIPCParcel *>(request.data.Get());
}

BEHAVIOUR(refuse_writes)
{
    ExpectWritesRefused(DataOf(request));
    return OH_IPC_SUCCESS;
}

BEHAVIOUR(empty_by_buffer)
{
    ExpectBufferEmpties(DataOf(request));
    return OH_IPC_SUCCESS;
}

BEHAVIOUR(empty_by_token)
{
    ExpectTokenEmpties(DataOf(request));
    return OH_IPC_SUCCESS;
}

BEHAVIOUR(empty_by_rewind)
{
    ExpectRewindEmpties(DataOf(request));
    return OH_IPC_SUCCESS;
}

// nothing → ; looks at the empty data
BEHAVIOUR(look_at_empty_data)
{
    EXPECT_EQ(StateOf(request.data.Get()), (State{ 0, 0, 0, 0, 0 }));
    Counter("looked").Add();
    return OH_IPC_SUCCESS;
}

// three ints, stub → ; reads the stub between refused writes
BEHAVIOUR(read_between_writes)
{
    OHIPCParcel *data = DataOf(request);
    for (int expected : { 11, 22, 33 }) {
        EXPECT_EQ(OH_IPCParcel_WriteInt32(data, 1), OH_IPC_PARCEL_WRITE_ERROR);
        EXPECT_EQ(request.data.Int(), expected);
    }
    EXPECT_EQ(OH_IPCParcel_WriteString(data, "text"), OH_IPC_PARCEL_WRITE_ERROR);
    ProxyPtr proxy = request.data.Proxy();
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(data, proxy.get()), OH_IPC_PARCEL_WRITE_ERROR);
    EXPECT_EQ(Ask(proxy.get(), "pid").result, OH_IPC_SUCCESS);
    Counter("looked").Add();
    return OH_IPC_SUCCESS;
}

// Sends three ints to the behaviour, sync and async, and waits until both handlers have looked so many times.
void SendThreeInts(const char *behaviour, uint32_t looks)
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(11).Int(22).Int(33);
    EXPECT_EQ(actor.Ask(behaviour, data).result, OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("looked").Value(), looks);
    // The sender's own parcel is as it was, whatever a handler did to what it got.
    EXPECT_EQ(data.State(), (State{ 12, 52, 12, 0, 12 }));
    EXPECT_EQ(actor.Tell(behaviour, data), OH_IPC_SUCCESS);
    Counter("looked").AwaitAtLeast(2 * looks);
}

// A reply of three ints.
Parcel ReceiveReply()
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("echo", Parcel().Int(11).Int(22).Int(33));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    REQUIRE_EQ(answer.reply.State(), AT_ENTRY);
    return std::move(answer.reply);
}

} // namespace

TEST(a_handlers_data_refuses_writes, "one of the writers works on a handler's data")
{
    SendThreeInts("refuse_writes", 1);
}

TEST(a_refused_buffer_empties_data, "WriteBuffer refused leaves the data of a handler as it was")
{
    SendThreeInts("empty_by_buffer", 1);
}

TEST(a_refused_token_empties_data, "WriteInterfaceToken refused leaves the data of a handler as it was")
{
    SendThreeInts("empty_by_token", 1);
}

TEST(rewinding_the_write_cursor_empties_data, "a handler's data cannot be rewound, or becomes writable by that")
{
    SendThreeInts("empty_by_rewind", 1);
}

TEST(data_can_be_read_between_refused_writes, "a refused write moves the read cursor or loses an object")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("sent");
    Parcel data;
    data.Int(11).Int(22).Int(33).Stub(stub.get());
    EXPECT_EQ(actor.Ask("read_between_writes", data).result, OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("looked").Value(), 1u);
}

TEST(empty_data_is_empty, "empty data has a size or room for its handler")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("look_at_empty_data").result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Tell("look_at_empty_data"), OH_IPC_SUCCESS);
    Counter("looked").AwaitAtLeast(2);
}

TEST(a_reply_refuses_writes, "one of the writers works on a reply that its caller has got")
{
    Parcel reply = ReceiveReply();
    ExpectWritesRefused(reply.Get());
    for (int expected : { 11, 22, 33 }) {
        EXPECT_EQ(reply.Read().Int(), expected);
    }
}

TEST(a_refused_buffer_empties_a_reply, "WriteBuffer refused leaves a reply as it was")
{
    ExpectBufferEmpties(ReceiveReply().Get());
}

TEST(a_refused_token_empties_a_reply, "WriteInterfaceToken refused leaves a reply as it was")
{
    ExpectTokenEmpties(ReceiveReply().Get());
}

TEST(rewinding_the_write_cursor_empties_a_reply, "a reply cannot be rewound, or becomes writable by that")
{
    ExpectRewindEmpties(ReceiveReply().Get());
}
