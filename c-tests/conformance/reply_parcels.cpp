// SPDX-License-Identifier: Apache-2.0
// What becomes of the reply parcel that a caller hands in, fresh or used.
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

constexpr State EMPTY = { 0, 0, 0, 0, 0 };

// number of ints → 9000, 9001, …
BEHAVIOUR(give_ints)
{
    int32_t ints = request.data.Int();
    for (int32_t index = 0; index < ints; index++) {
        WriteInt(request.reply, 9000 + index);
    }
    return OH_IPC_SUCCESS;
}

// → two ints, of which the handler itself reads one back
BEHAVIOUR(read_back_reply)
{
    WriteInt(request.reply, 100);
    WriteInt(request.reply, 200);
    EXPECT_EQ(StateOf(request.reply), (State{ 8, 56, 8, 0, 8 }));
    EXPECT_EQ(Reader(request.reply).Int(), 100);
    EXPECT_EQ(StateOf(request.reply), (State{ 8, 56, 4, 4, 8 }));
    return OH_IPC_SUCCESS;
}

// → one int, written after the handler has changed its mind
BEHAVIOUR(rewrite_reply)
{
    WriteInt(request.reply, 1);
    WriteInt(request.reply, 2);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(request.reply, 0), OH_IPC_SUCCESS);
    WriteInt(request.reply, 3);
    return OH_IPC_SUCCESS;
}

int AskForInts(const Actor &actor, int ints, OHIPCParcel *reply)
{
    Parcel data;
    data.Int(ints);
    return SendSync(actor.Proxy(), Code("give_ints"), data.Get(), reply);
}

// That the parcel holds so many ints from `first` on, from the start.
void ExpectInts(const Parcel &reply, int first, int ints)
{
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(reply.Get(), 0), OH_IPC_SUCCESS);
    for (int index = 0; index < ints; index++) {
        EXPECT_EQ(reply.Read().Int(), first + index);
    }
    EXPECT_EQ(OH_IPCParcel_GetReadableBytes(reply.Get()), 0);
}

} // namespace

TEST(a_reply_is_read_from_the_start, "the read cursor of the handler's reply travels with it")
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("read_back_reply");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 8, 8, 8, 0, 0 }));
    EXPECT_EQ(answer.Read().Int(), 100);
    EXPECT_EQ(answer.reply.State(), (State{ 8, 8, 4, 4, 0 }));
    EXPECT_EQ(answer.Read().Int(), 200);
}

TEST(a_reply_is_what_the_handler_left, "what a handler rewound is sent all the same")
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("rewrite_reply");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 4, 4, 4, 0, 0 }));
    EXPECT_EQ(answer.Read().Int(), 3);
}

TEST(an_empty_reply_leaves_the_parcel_fresh, "an empty reply makes its parcel read-only, or not fresh any more")
{
    Actor &actor = StartActor();
    Parcel written;
    EXPECT_EQ(AskForInts(actor, 0, written.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(written.State(), EMPTY);
    written.Int(5);
    EXPECT_EQ(written.State(), (State{ 4, 60, 4, 0, 4 }));

    Parcel used;
    for (int round = 0; round < 3; round++) {
        EXPECT_EQ(AskForInts(actor, 0, used.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(used.State(), EMPTY);
    }
    EXPECT_EQ(AskForInts(actor, 2, used.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(used.State(), (State{ 8, 8, 8, 0, 0 }));
    ExpectInts(used, 9000, 2);
}

TEST(a_reply_that_was_written_to, "documented: old content stays before the reply; device: the reply is not dropped")
{
    Actor &actor = StartActor();
    Parcel reply;
    reply.Int(555).Int(556);
    EXPECT_EQ(AskForInts(actor, 3, reply.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(reply.State(), (State{ 8, 0, 8, 0, 8 }));
        ExpectInts(reply, 555, 2);
    } else {
        EXPECT_EQ(reply.State(), (State{ 12, 12, 12, 0, 0 }));
        ExpectInts(reply, 9000, 3);
    }
}

TEST(a_reply_that_was_written_to_and_read, "documented: the old read cursor stays; device: the reply is not dropped")
{
    Actor &actor = StartActor();
    Parcel reply;
    reply.Int(555).Int(556);
    EXPECT_EQ(reply.Read().Int(), 555);
    EXPECT_EQ(AskForInts(actor, 3, reply.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(reply.State(), (State{ 8, 0, 4, 4, 8 }));
        ExpectInts(reply, 555, 2);
    } else {
        EXPECT_EQ(reply.State(), (State{ 12, 12, 12, 0, 0 }));
        ExpectInts(reply, 9000, 3);
    }
}

TEST(a_reply_that_was_rewound, "a parcel that was written to counts as fresh once it is rewound, in device mode")
{
    Actor &actor = StartActor();
    Parcel reply;
    reply.Int(555).Int(556);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(reply.Get(), 0), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 0, 64, 0, 0, 0 }));
    EXPECT_EQ(AskForInts(actor, 2, reply.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(reply.State(), (State{ 0, 64, 0, 0, 0 }));
    } else {
        EXPECT_EQ(reply.State(), (State{ 8, 8, 8, 0, 0 }));
        ExpectInts(reply, 9000, 2);
    }
}

TEST(a_reply_that_holds_an_earlier_one, "documented: a second reply is dropped or appended; device: it is not dropped")
{
    Actor &actor = StartActor();
    Parcel reply;
    EXPECT_EQ(AskForInts(actor, 2, reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 8, 8, 8, 0, 0 }));
    int expected = DeviceMode() ? 2 : 3;
    EXPECT_EQ(AskForInts(actor, 3, reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 4 * expected, 4 * expected, 4 * expected, 0, 0 }));
    ExpectInts(reply, 9000, expected);

    // Read to its end, and used once more.
    EXPECT_EQ(AskForInts(actor, 1, reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), DeviceMode() ? (State{ 8, 8, 0, 8, 0 }) : (State{ 4, 4, 4, 0, 0 }));
    EXPECT_EQ(OH_IPCParcel_WriteInt32(reply.Get(), 1), OH_IPC_PARCEL_WRITE_ERROR);
}

TEST(an_earlier_reply_that_was_rewound, "documented: a rewound earlier reply cannot be used; device: it can")
{
    Actor &actor = StartActor();
    Parcel reply;
    EXPECT_EQ(AskForInts(actor, 2, reply.Get()), OH_IPC_SUCCESS);
    ExpectInts(reply, 9000, 2);
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(reply.Get(), 0), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 0, 8, 0, 8, 0 }));
    EXPECT_EQ(AskForInts(actor, 3, reply.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(reply.State(), (State{ 0, 8, 0, 8, 0 }));
        int32_t value = -9;
        EXPECT_EQ(OH_IPCParcel_ReadInt32(reply.Get(), &value), OH_IPC_PARCEL_READ_ERROR);
    } else {
        EXPECT_EQ(reply.State(), (State{ 12, 12, 12, 0, 0 }));
        ExpectInts(reply, 9000, 3);
    }
}

TEST(data_and_reply_are_one_parcel, "documented: the data stays, or the reply is written before the data is sent")
{
    Actor &actor = StartActor();
    Parcel both;
    both.Int(3);
    EXPECT_EQ(AskForInts(actor, 2, both.Get()), OH_IPC_SUCCESS);
    Parcel same;
    same.Int(2);
    EXPECT_EQ(SendSync(actor.Proxy(), Code("give_ints"), same.Get(), same.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(same.State(), (State{ 4, 0, 4, 0, 4 }));
        EXPECT_EQ(same.Read().Int(), 2);
    } else {
        EXPECT_EQ(same.State(), (State{ 8, 8, 8, 0, 0 }));
        ExpectInts(same, 9000, 2);
    }
    EXPECT_EQ(CountInOutput("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}

TEST(objects_of_a_replaced_reply_are_let_go, "what an unfresh reply held stays held when the new reply replaces it")
{
    Actor &actor = StartActor();
    Parcel reply;
    reply.Stub(CreateStub("held").get());
    EXPECT_EQ(Counter("destroyed held").Value(), 0u);
    EXPECT_EQ(AskForInts(actor, 2, reply.Get()), OH_IPC_SUCCESS);
    if (DeviceMode()) {
        EXPECT_EQ(Counter("destroyed held").Value(), 0u);
        ProxyPtr held = reply.Read().Proxy();
        EXPECT_EQ(Ask(held.get(), "pid").result, OH_IPC_SUCCESS);
    } else {
        Counter("destroyed held").AwaitAtLeast(1);
        ExpectInts(reply, 9000, 2);
    }
}

TEST(a_dropped_reply_keeps_its_room, "documented: dropped replies fill the room; device: their room comes back")
{
    constexpr int LARGE = 25600; // 100 KiB of ints
    Actor &actor = StartActor();
    Parcel reply;
    reply.Int(1);
    if (!DeviceMode()) {
        for (int round = 0; round < 40; round++) {
            EXPECT_EQ(AskForInts(actor, LARGE, reply.Get()), OH_IPC_SUCCESS);
            EXPECT_EQ(reply.State().dataSize, 4 * LARGE);
        }
        return;
    }
    int accepted = 0;
    int result;
    while ((result = AskForInts(actor, LARGE, reply.Get())) == OH_IPC_SUCCESS && accepted < 40) {
        accepted++;
        EXPECT_EQ(reply.State(), (State{ 4, 0, 4, 0, 4 }));
    }
    EXPECT_EQ(accepted, 10);
    EXPECT_EQ(result, OH_IPC_INNER_ERROR);
    Parcel fresh;
    EXPECT_EQ(AskForInts(actor, LARGE, fresh.Get()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(fresh.State(), EMPTY);
    EXPECT_EQ(AskForInts(actor, 25, fresh.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(fresh.State().dataSize, 100);
}

TEST(unfresh_replies_are_told_once, "the log keeps silent about an unfresh reply, or repeats itself")
{
    Actor &actor = StartActor();
    for (int round = 0; round < 3; round++) {
        Parcel reply;
        reply.Int(1);
        EXPECT_EQ(AskForInts(actor, 1, reply.Get()), OH_IPC_SUCCESS);
    }
    EXPECT_EQ(CountInOutput("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}
