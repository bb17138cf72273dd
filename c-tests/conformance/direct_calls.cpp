// SPDX-License-Identifier: Apache-2.0
// Requests through a wrapper of a stub of the same process: direct calls of the handler.
#include <climits>
#include <functional>
#include <thread>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

// What a direct handler is to do, and where it ran. Direct calls run in one thread, so nothing guards it.
struct Direct {
    std::function<int(uint32_t, OHIPCParcel *, OHIPCParcel *)> body;
    int64_t thread = 0;
    int calls = 0;
};

int OnDirect(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    auto *direct = static_cast<Direct *>(userData);
    direct->thread = CurrentThread();
    direct->calls++;
    return direct->body(code, const_cast<OHIPCParcel *>(data), reply);
}

ProxyPtr WrapperOf(const OHIPCRemoteStub *stub)
{
    Parcel parcel;
    parcel.Stub(stub);
    return parcel.Read().Proxy();
}

// → ; makes a direct call inside this handler of a remote request, which sees the outer caller
BEHAVIOUR(call_itself_directly)
{
    Identity outer = CurrentIdentity();
    EXPECT_EQ(outer.handling, 1);
    int64_t thread = CurrentThread();
    Direct direct;
    direct.body = [&](uint32_t, OHIPCParcel *data, OHIPCParcel *reply) {
        EXPECT_EQ(CurrentIdentity(), outer);
        EXPECT_EQ(Reader(data).Int(), 5);
        WriteInt(data, 6);
        WriteInt(reply, 7);
        return OH_IPC_SUCCESS;
    };
    StubPtr stub(OH_IPCRemoteStub_Create("direct", OnDirect, nullptr, &direct));
    ProxyPtr proxy = WrapperOf(stub.get());
    Parcel data;
    data.Int(5);
    Parcel reply;
    EXPECT_EQ(SendSync(proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(SendAsync(proxy.get(), 1, Parcel().Int(5).Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(direct.thread, thread);
    EXPECT_EQ(CurrentIdentity(), outer);
    WriteLong(request.reply, static_cast<int64_t>(outer.callingPid));
    return OH_IPC_SUCCESS;
}

// A stub of this process, and a wrapper of it.
class DirectCalls {
public:
    explicit DirectCalls(std::function<int(uint32_t, OHIPCParcel *, OHIPCParcel *)> body)
        : direct{ std::move(body) }, stub(OH_IPCRemoteStub_Create("direct", OnDirect, nullptr, &direct)),
          proxy(WrapperOf(stub.get()))
    {
    }
    Direct direct;
    StubPtr stub;
    ProxyPtr proxy;
};

} // namespace

TEST(data_is_handed_over_as_it_is, "the handler of a direct call gets a copy, or one that it cannot write to")
{
    const OHIPCParcel *handed = nullptr;
    DirectCalls calls([&](uint32_t code, OHIPCParcel *data, OHIPCParcel *) {
        EXPECT_EQ(code, 0xffffffu);
        handed = data;
        EXPECT_EQ(StateOf(data), (State{ 8, 56, 4, 4, 8 }));
        EXPECT_EQ(Reader(data).Int(), 2);
        WriteInt(data, 3);
        return OH_IPC_SUCCESS;
    });
    Parcel data;
    data.Int(1).Int(2);
    EXPECT_EQ(data.Read().Int(), 1);
    Parcel reply;
    EXPECT_EQ(SendSync(calls.proxy.get(), 0xffffff, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT(handed == data.Get());
    EXPECT_EQ(data.State(), (State{ 12, 52, 4, 8, 12 }));
    EXPECT_EQ(data.Read().Int(), 3);
}

TEST(the_reply_is_the_callers_own, "a direct call empties the reply, or gives the handler another")
{
    DirectCalls calls([](uint32_t, OHIPCParcel *, OHIPCParcel *reply) {
        EXPECT_EQ(StateOf(reply), (State{ 4, 60, 4, 0, 4 }));
        WriteInt(reply, 1000);
        return OH_IPC_SUCCESS;
    });
    Parcel data;
    Parcel reply;
    reply.Int(31337);
    EXPECT_EQ(SendSync(calls.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.State(), (State{ 8, 56, 8, 0, 8 }));
    EXPECT_EQ(reply.Read().Int(), 31337);
    EXPECT_EQ(reply.Read().Int(), 1000);
    reply.Int(1);
}

TEST(it_runs_on_the_calling_thread, "a direct call runs on a worker, or an async one is queued")
{
    DirectCalls calls([](uint32_t, OHIPCParcel *, OHIPCParcel *) { return OH_IPC_SUCCESS; });
    for (int round = 0; round < 2; round++) {
        std::thread([&] {
            Parcel data;
            Parcel reply;
            EXPECT_EQ(SendSync(calls.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
            EXPECT_EQ(calls.direct.thread, CurrentThread());
            calls.direct.thread = 0;
            EXPECT_EQ(SendAsync(calls.proxy.get(), 1, data.Get()), OH_IPC_SUCCESS);
            EXPECT_EQ(calls.direct.thread, CurrentThread());
        }).join();
    }
    EXPECT_EQ(calls.direct.calls, 4);
}

TEST(errors_are_returned, "an error of a direct handler is lost: with a reply, or for async")
{
    struct Result {
        int returned;
        int expected;
    };
    int returned = 0;
    int ints = 0;
    DirectCalls calls([&](uint32_t, OHIPCParcel *data, OHIPCParcel *reply) {
        for (int index = 0; index < ints; index++) {
            WriteInt(reply, 7700);
        }
        Reader(data).Int();
        return returned;
    });
    for (const Result &result : { Result{ 0, 0 }, { 1909000, 1909000 }, { 1909001, 1909001 }, { 1909999, 1909999 },
        { 1901000, 1901000 }, { 1901007, 1901007 }, { 1901008, OH_IPC_INVALID_USER_ERROR_CODE },
        { 1908999, OH_IPC_INVALID_USER_ERROR_CODE }, { 1910000, OH_IPC_INVALID_USER_ERROR_CODE },
        { 42, OH_IPC_INVALID_USER_ERROR_CODE }, { 1, OH_IPC_INVALID_USER_ERROR_CODE },
        { -1, OH_IPC_INVALID_USER_ERROR_CODE }, { INT_MIN, OH_IPC_INVALID_USER_ERROR_CODE } }) {
        for (ints = 0; ints <= 1; ints++) {
            Context context("the handler returned ", result.returned, " with ", ints, " ints");
            returned = result.returned;
            Parcel data;
            data.Int(1).Int(2);
            Parcel reply;
            EXPECT_EQ(SendSync(calls.proxy.get(), 1, data.Get(), reply.Get()), result.expected);
            EXPECT_EQ(reply.State(), ints == 0 ? (State{ 0, 0, 0, 0, 0 }) : (State{ 4, 60, 4, 0, 4 }));
            EXPECT_EQ(data.State(), (State{ 8, 56, 4, 4, 8 }));
            EXPECT_EQ(SendAsync(calls.proxy.get(), 1, data.Get()), result.expected);
            EXPECT_EQ(data.State(), (State{ 8, 56, 0, 8, 8 }));
        }
    }
}

TEST(arguments_are_checked_as_ever, "a direct call lets a bad code or a NULL reply through")
{
    DirectCalls calls([](uint32_t, OHIPCParcel *, OHIPCParcel *) { return OH_IPC_SUCCESS; });
    Parcel data;
    Parcel reply;
    const OHIPCRemoteProxy *proxy = calls.proxy.get();
    EXPECT_EQ(SendSync(proxy, 0, data.Get(), reply.Get()), OH_IPC_CODE_OUT_OF_RANGE);
    EXPECT_EQ(SendSync(proxy, 0x1000000, data.Get(), reply.Get()), OH_IPC_CODE_OUT_OF_RANGE);
    EXPECT_EQ(SendAsync(proxy, 0, data.Get()), OH_IPC_CODE_OUT_OF_RANGE);
    EXPECT_EQ(SendSync(proxy, 0, data.Get(), nullptr), OH_IPC_CODE_OUT_OF_RANGE);
    EXPECT_EQ(SendSync(proxy, 1, data.Get(), nullptr), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(SendSync(proxy, 1, nullptr, reply.Get()), OH_IPC_CHECK_PARAM_ERROR);
    OH_IPC_MessageOption reserved = { OH_IPC_REQUEST_MODE_ASYNC, 0, &data };
    EXPECT_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data.Get(), reply.Get(), &reserved), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(calls.direct.calls, 0);
}

TEST(direct_calls_nest, "a direct call inside a direct call is refused or waits")
{
    DirectCalls inner([](uint32_t, OHIPCParcel *, OHIPCParcel *reply) {
        WriteInt(reply, 1);
        return OH_IPC_SUCCESS;
    });
    int depth = 0;
    DirectCalls *self = nullptr;
    DirectCalls outer([&](uint32_t, OHIPCParcel *data, OHIPCParcel *reply) {
        depth++;
        return SendSync(depth < 20 ? self->proxy.get() : inner.proxy.get(), 1, data, reply);
    });
    self = &outer;
    Parcel data;
    Parcel reply;
    EXPECT_EQ(SendSync(outer.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(depth, 20);
    EXPECT_EQ(inner.direct.calls, 1);
    EXPECT_EQ(reply.Read().Int(), 1);
}

TEST(the_identity_stays, "a direct call counts as handling a transaction")
{
    Identity own = OwnIdentity();
    DirectCalls calls([&](uint32_t, OHIPCParcel *, OHIPCParcel *) {
        EXPECT_EQ(CurrentIdentity(), own);
        return OH_IPC_SUCCESS;
    });
    EXPECT_EQ(CurrentIdentity(), own);
    Parcel data;
    Parcel reply;
    EXPECT_EQ(SendSync(calls.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(SendAsync(calls.proxy.get(), 1, data.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), own);
    EXPECT_EQ(calls.direct.calls, 2);
}

TEST(inside_a_handler_the_outer_caller_stays, "a direct call inside a handler hides the remote caller")
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("call_itself_directly");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Long(), getpid());
}

TEST(a_proxy_that_came_home_is_direct, "a proxy sent back to its stub's process goes through the other process")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    DirectCalls calls([](uint32_t, OHIPCParcel *data, OHIPCParcel *) {
        EXPECT_EQ(CurrentIdentity().handling, 0);
        WriteInt(data, 2);
        return OH_IPC_SUCCESS;
    });
    first.Introduce("object", calls.stub.get());
    Answer answer = first.Ask("give_proxy", Parcel().Text("object"));
    ProxyPtr there = answer.Read().Proxy();
    second.Introduce("object", there.get());
    answer = second.Ask("give_proxy", Parcel().Text("object"));
    ProxyPtr home = answer.Read().Proxy();
    first.Kill();
    second.Kill();
    first.AwaitEnd();
    second.AwaitEnd();
    for (const ProxyPtr *proxy : { &there, &home }) {
        Parcel data;
        Parcel reply;
        EXPECT_EQ(SendSync(proxy->get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(calls.direct.thread, CurrentThread());
        EXPECT_EQ(data.State(), (State{ 4, 60, 4, 0, 4 }));
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy->get()), 0);
    }
}

TEST(wrappers_keep_a_destroyed_stub, "destroying the stub's wrapper ends its direct calls")
{
    Direct direct;
    direct.body = [](uint32_t, OHIPCParcel *, OHIPCParcel *) { return 1909001; };
    StubPtr stub(OH_IPCRemoteStub_Create("direct", OnDirect, [](void *) { Counter("destroyed").Add(); }, &direct));
    ProxyPtr first = WrapperOf(stub.get());
    ProxyPtr second = WrapperOf(stub.get());
    EXPECT(first.get() != second.get());
    stub.reset();
    Parcel data;
    EXPECT_EQ(SendAsync(first.get(), 1, data.Get()), 1909001);
    first.reset();
    EXPECT_EQ(SendAsync(second.get(), 1, data.Get()), 1909001);
    EXPECT_EQ(Counter("destroyed").Value(), 0u);
    second.reset();
    EXPECT_EQ(Counter("destroyed").Value(), 1u);
}

TEST(a_direct_handler_destroys_its_stub, "a stub that dies inside its own direct call takes the call with it")
{
    Direct direct;
    StubPtr stub(OH_IPCRemoteStub_Create("direct", OnDirect, [](void *) { Counter("destroyed").Add(); }, &direct));
    ProxyPtr proxy = WrapperOf(stub.get());
    direct.body = [&](uint32_t, OHIPCParcel *, OHIPCParcel *reply) {
        stub.reset();
        proxy.reset();
        EXPECT_EQ(Counter("destroyed").Value(), 0u);
        WriteInt(reply, 8);
        return OH_IPC_SUCCESS;
    };
    Parcel data;
    Parcel reply;
    EXPECT_EQ(SendSync(proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(reply.Read().Int(), 8);
    EXPECT_EQ(Counter("destroyed").Value(), 1u);
}

TEST(death_recipients_are_refused, "a death recipient can be added to a stub of the own process")
{
    DirectCalls calls([](uint32_t, OHIPCParcel *, OHIPCParcel *) { return OH_IPC_SUCCESS; });
    RecipientPtr recipient(OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr));
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(calls.proxy.get()), 0);
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(calls.proxy.get(), recipient.get()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(calls.proxy.get(), recipient.get()), OH_IPC_INNER_ERROR);
}
