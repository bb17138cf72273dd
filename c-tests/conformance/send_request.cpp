// SPDX-License-Identifier: Apache-2.0
// OH_IPCRemoteProxy_SendRequest: what it checks, in which order, and what its modes do.
#include <climits>
#include <thread>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

// A code that no behaviour has: the stub answers it with the code.
constexpr uint32_t PLAIN_CODE = 1;
constexpr State EMPTY = { 0, 0, 0, 0, 0 };

OH_IPC_MessageOption Option(int mode, uint32_t timeout = 0, void *reserved = nullptr)
{
    return { static_cast<OH_IPC_RequestMode>(mode), timeout, reserved };
}

// Counts itself, and does what the harness does with a code that is no behaviour's.
BEHAVIOUR(run_plain)
{
    Counter("plain ran").Add();
    WriteInt(request.reply, 7);
    return OH_IPC_SUCCESS;
}

} // namespace

TEST(codes_of_the_range_arrive, "the smallest or the largest code is refused, or a code arrives as another")
{
    Actor &actor = StartActor();
    for (uint32_t code : { 0x1u, 0x2u, 0xfffffeu, 0xffffffu }) {
        Context context("code ", code);
        Parcel data;
        Parcel reply;
        EXPECT_EQ(SendSync(actor.Proxy(), code, data.Get(), reply.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(reply.State(), (State{ 4, 4, 4, 0, 0 }));
        EXPECT_EQ(reply.Read().Int(), code);
    }
}

TEST(codes_outside_the_range_are_refused, "the range of codes is checked with one number too many, or for sync alone")
{
    Actor &actor = StartActor();
    for (uint32_t code : { 0x0u, 0x1000000u, 0x5f504e47u, 0x5f4e5446u, 0x5f444d50u, 0x80000001u, 0xffffffffu }) {
        Context context("code ", code);
        Parcel data;
        Parcel reply;
        EXPECT_EQ(SendSync(actor.Proxy(), code, data.Get(), reply.Get()), OH_IPC_CODE_OUT_OF_RANGE);
        EXPECT_EQ(reply.State(), EMPTY);
        EXPECT_EQ(SendAsync(actor.Proxy(), code, data.Get()), OH_IPC_CODE_OUT_OF_RANGE);
    }
}

TEST(null_proxy_or_data_comes_first, "a NULL is looked at after the code")
{
    Actor &actor = StartActor();
    Parcel data;
    Parcel reply;
    for (int mode : { OH_IPC_REQUEST_MODE_SYNC, OH_IPC_REQUEST_MODE_ASYNC }) {
        OH_IPC_MessageOption option = Option(mode);
        for (uint32_t code : { PLAIN_CODE, 0u }) {
            Context context("mode ", mode, ", code ", code);
            EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(nullptr, code, data.Get(), reply.Get(), &option),
                OH_IPC_CHECK_PARAM_ERROR);
            EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), code, nullptr, reply.Get(), &option),
                OH_IPC_CHECK_PARAM_ERROR);
            EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(nullptr, code, nullptr, nullptr, &option),
                OH_IPC_CHECK_PARAM_ERROR);
        }
    }
    EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(nullptr, PLAIN_CODE, data.Get(), reply.Get(), nullptr),
        OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(reply.State(), EMPTY);
}

TEST(reserved_comes_before_the_code, "reserved is not looked at, or after the code")
{
    Actor &actor = StartActor();
    Parcel data;
    Parcel reply;
    int somewhere = 0;
    for (int mode : { OH_IPC_REQUEST_MODE_SYNC, OH_IPC_REQUEST_MODE_ASYNC }) {
        OH_IPC_MessageOption option = Option(mode, 0, &somewhere);
        for (uint32_t code : { Code("run_plain"), 0u }) {
            Context context("mode ", mode, ", code ", code);
            EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), code, data.Get(), reply.Get(), &option),
                OH_IPC_CHECK_PARAM_ERROR);
        }
    }
    // Had one of them been sent, it would have run before this: sync ones at once, and the async one is waited for.
    EXPECT_EQ(actor.Tell("count", Parcel().Text("after them")), OH_IPC_SUCCESS);
    Counter("after them").AwaitAtLeast(1);
    EXPECT_EQ(Counter("plain ran").Value(), 0u);
}

TEST(null_reply_comes_after_the_code, "a NULL reply is accepted for sync, or is looked at before the code")
{
    Actor &actor = StartActor();
    Parcel data;
    OH_IPC_MessageOption sync = Option(OH_IPC_REQUEST_MODE_SYNC);
    for (const OH_IPC_MessageOption *option : { static_cast<const OH_IPC_MessageOption *>(nullptr),
        static_cast<const OH_IPC_MessageOption *>(&sync) }) {
        Context context(option == nullptr ? "no option" : "the sync option");
        EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), Code("run_plain"), data.Get(), nullptr, option),
            OH_IPC_CHECK_PARAM_ERROR);
        EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), 0, data.Get(), nullptr, option),
            OH_IPC_CODE_OUT_OF_RANGE);
        EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), 0x1000000, data.Get(), nullptr, option),
            OH_IPC_CODE_OUT_OF_RANGE);
    }
    EXPECT_EQ(Counter("plain ran").Value(), 0u);
}

TEST(no_option_is_sync, "a request without an option is sent as async")
{
    Actor &actor = StartActor();
    Parcel data;
    Parcel reply;
    EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), Code("run_plain"), data.Get(), reply.Get(), nullptr),
        OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("plain ran").Value(), 1u);
    EXPECT_EQ(reply.Read().Int(), 7);
}

TEST(timeout_is_ignored, "the option's timeout ends a request")
{
    Actor &actor = StartActor();
    for (uint32_t timeout : { 1u, UINT32_MAX }) {
        Context context("timeout ", timeout);
        Parcel data;
        Parcel reply;
        OH_IPC_MessageOption option = Option(OH_IPC_REQUEST_MODE_SYNC, timeout);
        EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), Code("run_plain"), data.Get(), reply.Get(), &option),
            OH_IPC_SUCCESS);
        EXPECT_EQ(reply.Read().Int(), 7);
    }
}

TEST(other_modes_are_sync, "a mode that is neither is refused, or sent as async")
{
    Actor &actor = StartActor();
    uint32_t runs = 0;
    for (int mode : { 2, 3, 7, 0x40000000, -1 }) {
        Context context("mode ", mode);
        Parcel data;
        Parcel reply;
        OH_IPC_MessageOption option = Option(mode);
        EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), Code("run_plain"), data.Get(), reply.Get(), &option),
            OH_IPC_SUCCESS);
        EXPECT_EQ(Counter("plain ran").Value(), ++runs);
        EXPECT_EQ(reply.State(), (State{ 4, 4, 4, 0, 0 }));
    }
}

TEST(async_returns_when_it_is_queued, "an async request waits for its handler")
{
    Actor &actor = StartActor();
    Parcel data;
    data.Text("entered").Text("gate").Int(1);
    for (int index = 0; index < 3; index++) {
        EXPECT_EQ(actor.Tell("block", data), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(1);
    Counter("gate").Add();
    Counter("entered").AwaitAtLeast(3);
}

TEST(async_leaves_the_reply_alone, "an async request empties the reply parcel that it is given")
{
    Actor &actor = StartActor();
    OH_IPC_MessageOption option = Option(OH_IPC_REQUEST_MODE_ASYNC);
    Parcel data;
    data.Int(1);
    Parcel reply;
    reply.Int(99);
    EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(actor.Proxy(), Code("run_plain"), data.Get(), reply.Get(), &option),
        OH_IPC_SUCCESS);
    Counter("plain ran").AwaitAtLeast(1);
    EXPECT_EQ(reply.State(), (State{ 4, 60, 4, 0, 4 }));
    EXPECT_EQ(data.State(), (State{ 4, 60, 4, 0, 4 }));
    EXPECT_EQ(reply.Read().Int(), 99);
    EXPECT_EQ(OH_IPCParcel_WriteInt32(reply.Get(), 100), OH_IPC_SUCCESS);
}

TEST(a_dead_process_is_told_at_once, "a request to a process that has been killed waits, or is taken for sent")
{
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    actor.Kill();
    actor.AwaitEnd();
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
        EXPECT_EQ(actor.Tell("pid"), OH_IPC_DEAD_REMOTE_OBJECT);
        EXPECT_EQ(Ask(other.get(), "pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    }
    // The order of the checks is the same.
    Parcel data;
    EXPECT_EQ(SendSync(actor.Proxy(), 0, data.Get(), nullptr), OH_IPC_CODE_OUT_OF_RANGE);
    EXPECT_EQ(SendSync(actor.Proxy(), PLAIN_CODE, data.Get(), nullptr), OH_IPC_CHECK_PARAM_ERROR);
}

TEST(a_process_that_ended_normally_is_dead, "only a killed process is told to be dead")
{
    Actor &actor = StartActor();
    actor.End();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(actor.Tell("pid"), OH_IPC_DEAD_REMOTE_OBJECT);
}

TEST(a_waiting_call_ends_with_its_process, "a caller that waits is not woken when the callee's process is killed")
{
    constexpr int CALLERS = 6;
    Actor &actor = StartActor();
    std::vector<std::thread> callers;
    for (int index = 0; index < CALLERS; index++) {
        callers.emplace_back([&actor] {
            Answer answer = actor.Ask("block", Parcel().Text("entered").Text("gate").Int(1));
            EXPECT_EQ(answer.result, OH_IPC_DEAD_REMOTE_OBJECT);
            EXPECT_EQ(answer.reply.State(), EMPTY);
        });
    }
    Counter("entered").AwaitAtLeast(CALLERS);
    actor.Kill();
    for (std::thread &caller : callers) {
        caller.join();
    }
}

TEST(a_handler_that_kills_its_process, "a caller is left waiting when the handler itself ends the process")
{
    for (const char *behaviour : { "kill_process", "end_process_at_once", "exit_process" }) {
        Context context(behaviour);
        Actor &actor = StartActor();
        EXPECT_EQ(actor.Ask(behaviour, Parcel().Int(0)).result, OH_IPC_DEAD_REMOTE_OBJECT);
        actor.AwaitEnd();
        EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    }
}

TEST(a_call_through_a_middleman_that_dies, "a death in the middle of a chain of calls leaves its first caller waiting")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("last", last.Proxy());
    std::thread caller([&middle] {
        Parcel data;
        data.Text("last").Text("block").Text("entered").Text("gate").Int(1);
        EXPECT_EQ(middle.Ask("ask_kept", data).result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("entered").AwaitAtLeast(1);
    middle.Kill();
    caller.join();
    Counter("gate").Add();
    EXPECT_EQ(last.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(a_call_through_a_middleman_whose_callee_dies, "the middleman of a chain of calls is left waiting")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("last", last.Proxy());
    std::thread caller([&middle] {
        Parcel data;
        data.Text("last").Text("block").Text("entered").Text("gate").Int(1);
        Answer answer = middle.Ask("ask_kept", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("entered").AwaitAtLeast(1);
    last.Kill();
    caller.join();
}
