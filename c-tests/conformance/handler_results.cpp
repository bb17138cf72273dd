// SPDX-License-Identifier: Apache-2.0
// What becomes of what a handler returns and of what it writes to its reply.
#include <climits>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

constexpr State EMPTY = { 0, 0, 0, 0, 0 };

// What a caller gets for a result that comes without a reply.
struct Result {
    int returned;
    int expected;
};

const std::vector<Result> &Errors()
{
    static const auto *errors = new std::vector<Result>{
        { 1901000, OH_IPC_CHECK_PARAM_ERROR }, { 1901001, OH_IPC_PARCEL_WRITE_ERROR },
        { 1901002, OH_IPC_PARCEL_READ_ERROR }, { 1901003, OH_IPC_MEM_ALLOCATOR_ERROR },
        { 1901004, OH_IPC_CODE_OUT_OF_RANGE }, { 1901005, OH_IPC_DEAD_REMOTE_OBJECT },
        { 1901006, OH_IPC_INVALID_USER_ERROR_CODE }, { 1901007, OH_IPC_INNER_ERROR },
        { 1909000, 1909000 }, { 1909001, 1909001 }, { 1909999, 1909999 },
        { 1908999, OH_IPC_INVALID_USER_ERROR_CODE }, { 1910000, OH_IPC_INVALID_USER_ERROR_CODE },
        { 1900001, OH_IPC_INVALID_USER_ERROR_CODE }, { 1900999, OH_IPC_INVALID_USER_ERROR_CODE },
        { 1901008, OH_IPC_INVALID_USER_ERROR_CODE }, { 1902000, OH_IPC_INVALID_USER_ERROR_CODE },
        { 1, OH_IPC_INVALID_USER_ERROR_CODE }, { 5, OH_IPC_INVALID_USER_ERROR_CODE },
        { 42, OH_IPC_INVALID_USER_ERROR_CODE }, { -1, OH_IPC_INVALID_USER_ERROR_CODE },
        { 29189, OH_IPC_INVALID_USER_ERROR_CODE }, { 29201, OH_IPC_INVALID_USER_ERROR_CODE },
        { -32, OH_IPC_INVALID_USER_ERROR_CODE }, { INT_MAX, OH_IPC_INVALID_USER_ERROR_CODE },
        { INT_MIN, OH_IPC_INVALID_USER_ERROR_CODE },
    };
    return *errors;
}

// → ; writes to its reply and says so in a counter
BEHAVIOUR(write_much_to_reply)
{
    if (EXPECT(request.reply != nullptr)) {
        EXPECT_EQ(StateOf(request.reply), EMPTY);
        WriteText(request.reply, "nobody reads this");
        EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(request.reply, 0), OH_IPC_SUCCESS);
        EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(request.reply, KeptStub("kept")), OH_IPC_SUCCESS);
    }
    Counter("wrote").Add();
    return OH_IPC_SUCCESS;
}

} // namespace

TEST(success_brings_the_reply, "a reply is lost, cut, or comes back writable")
{
    Actor &actor = StartActor();
    for (int ints = 0; ints <= 2; ints++) {
        Context context(ints, " ints in the reply");
        Answer answer = actor.Ask("give_result", Parcel().Int(OH_IPC_SUCCESS).Int(ints));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.reply.State(), (State{ 4 * ints, 4 * ints, 4 * ints, 0, 0 }));
        for (int index = 0; index < ints; index++) {
            EXPECT_EQ(answer.Read().Int(), 7700 + index);
        }
        int32_t value = -9;
        EXPECT_EQ(OH_IPCParcel_ReadInt32(answer.reply.Get(), &value), OH_IPC_PARCEL_READ_ERROR);
        EXPECT_EQ(value, -9);
    }
}

TEST(errors_without_a_reply, "a code at the edge of the allowed ranges is mapped to another")
{
    Actor &actor = StartActor();
    for (const Result &result : Errors()) {
        Context context("the handler returned ", result.returned);
        Answer answer = actor.Ask("give_result", Parcel().Int(result.returned).Int(0));
        EXPECT_EQ(answer.result, result.expected);
        EXPECT_EQ(answer.reply.State(), EMPTY);
    }
}

TEST(errors_with_a_reply, "an error with a reply is lost in documented mode, or told in device mode")
{
    Actor &actor = StartActor();
    for (const Result &result : Errors()) {
        for (int ints = 1; ints <= 2; ints++) {
            Context context("the handler returned ", result.returned, " with ", ints, " ints");
            Answer answer = actor.Ask("give_result", Parcel().Int(result.returned).Int(ints));
            if (DeviceMode()) {
                EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
                EXPECT_EQ(answer.reply.State(), (State{ 4 * ints, 4 * ints, 4 * ints, 0, 0 }));
                EXPECT_EQ(answer.Read().Int(), 7700);
            } else {
                EXPECT_EQ(answer.result, result.expected);
                EXPECT_EQ(answer.reply.State(), EMPTY);
            }
        }
    }
}

TEST(errors_with_a_reply_are_told_once, "the log keeps silent about an error with a reply, or repeats itself")
{
    Actor &actor = StartActor();
    for (int round = 0; round < 3; round++) {
        actor.Ask("give_result", Parcel().Int(1909001).Int(1));
    }
    EXPECT_EQ(CountInOutput("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}

TEST(an_error_leaves_the_reply_parcel_fresh, "a reply parcel is spent by a request that failed")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Int(1909001).Int(0);
    Parcel reply;
    EXPECT_EQ(SendSync(actor.Proxy(), Code("give_result"), data.Get(), reply.Get()), 1909001);
    EXPECT_EQ(SendSync(actor.Proxy(), Code("pid"), data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 4, 4, 4, 0, 0 }));
    EXPECT_EQ(reply.Read().Int(), actor.Pid());
}

TEST(async_results_are_thrown_away, "the result of an async handler reaches its sender, or stops the next message")
{
    Actor &actor = StartActor();
    for (const Result &result : Errors()) {
        for (int ints = 0; ints <= 1; ints++) {
            Context context("the handler returned ", result.returned, " with ", ints, " ints");
            EXPECT_EQ(actor.Tell("give_result", Parcel().Int(result.returned).Int(ints)), OH_IPC_SUCCESS);
        }
    }
    EXPECT_EQ(actor.Tell("count", Parcel().Text("handled")), OH_IPC_SUCCESS);
    Counter("handled").AwaitAtLeast(1);
    EXPECT_EQ(actor.Ask("pid").Read().Int(), actor.Pid());
}

TEST(async_handlers_have_a_reply, "the handler of an async request is given NULL as reply")
{
    Actor &actor = StartActor();
    ProxyPtr kept = actor.CreateStub("kept");
    for (uint32_t sent = 1; sent <= 3; sent++) {
        EXPECT_EQ(actor.Tell("write_much_to_reply"), OH_IPC_SUCCESS);
    }
    Counter("wrote").AwaitAtLeast(3);
    // What was written to the replies held the stub, and is gone.
    kept.reset();
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("kept")).result, OH_IPC_SUCCESS);
    Counter("destroyed kept").AwaitAtLeast(1);
}

TEST(a_direct_call_has_a_reply, "the handler of a direct call without a reply is given NULL")
{
    KeepStub("kept", CreateStub("kept"));
    ProxyPtr proxy = Parcel().Stub(KeptStub("kept")).Read().Proxy();
    EXPECT_EQ(Tell(proxy.get(), "write_much_to_reply"), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("wrote").Value(), 1u);
    proxy.reset();
    DestroyKeptStub("kept");
    EXPECT_EQ(Counter("destroyed kept").Value(), 1u);
}

TEST(errors_pass_through_a_chain, "a middleman's result is mixed up with that of the process it asks")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    first.Introduce("second", second.Proxy());
    for (const Result &result : Errors()) {
        Context context("the handler returned ", result.returned);
        Parcel data;
        data.Text("second").Text("give_result").Int(result.returned).Int(0);
        Answer answer = first.Ask("ask_kept", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.reply.State().dataSize, 4);
        EXPECT_EQ(answer.Read().Int(), result.expected);
    }
}
