// SPDX-License-Identifier: Apache-2.0
// When a stub dies: with the last of its wrappers, the parcels that it was written to, and its proxies elsewhere.
#include <memory>
#include <unistd.h>

#include "lifetimes.h"

using namespace conformance;

namespace {

int AnswerSuccess(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return OH_IPC_SUCCESS;
}

} // namespace

// name of a counter, anything → ; what follows the name stays unread
BEHAVIOUR(ignore_the_rest)
{
    Counter(request.data.Text()).Add();
    return OH_IPC_SUCCESS;
}

// stub's name → a new stub that nobody else holds
BEHAVIOUR(give_new_stub)
{
    StubPtr stub = CreateStub(request.data.Text());
    return OH_IPCParcel_WriteRemoteStub(request.reply, stub.get());
}

// → ; the stub that serves the request is destroyed by its owner
BEHAVIOUR(destroy_myself)
{
    DestroyKeptStub(request.stub);
    EXPECT_EQ(Destroyed(request.stub).Value(), 0u);
    WriteText(request.reply, request.stub);
    return OH_IPC_SUCCESS;
}

TEST(destroying_a_stub_that_nobody_else_holds_ends_it_at_once,
    "Destroy leaves the last reference for later, or destroyCallback runs with another userData, twice or never")
{
    StubPtr stub = CreateStub("alone");
    EXPECT_EQ(Destroyed("alone").Value(), 0u);
    stub.reset();
    EXPECT_EQ(Destroyed("alone").Value(), 1u);
}

TEST(a_stub_without_destroyCallback_serves_and_ends, "the missing destroyCallback is called")
{
    Actor &actor = StartActor();
    StubPtr stub(OH_IPCRemoteStub_Create("conformance.plain", AnswerSuccess, nullptr, nullptr));
    REQUIRE(stub != nullptr);
    actor.Introduce("plain", stub.get());
    stub.reset();
    Answer answer = actor.Ask("ask_kept", Parcel().Text("plain").Text("pid"));
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("plain")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(actor);
}

TEST(a_parcel_holds_the_stub_that_was_written_to_it, "WriteRemoteStub takes no reference, or Destroy gives none back")
{
    StubPtr stub = CreateStub("written");
    auto first = std::make_unique<Parcel>();
    auto second = std::make_unique<Parcel>();
    first->Stub(stub.get()).Stub(stub.get());
    second->Proxy(WrapperOf(stub.get()).get());
    stub.reset();
    EXPECT_EQ(Destroyed("written").Value(), 0u);
    first.reset();
    EXPECT_EQ(Destroyed("written").Value(), 0u);
    second.reset();
    EXPECT_EQ(Destroyed("written").Value(), 1u);
}

TEST(an_appended_stub_is_never_let_go, "Append takes no reference, or one that is given back")
{
    StubPtr stub = CreateStub("appended");
    auto first = std::make_unique<Parcel>();
    first->Stub(stub.get());
    auto second = std::make_unique<Parcel>();
    second->Append(first->Get());
    Parcel().Append(first->Get());
    EXPECT_EQ(CountInOutput("the object is never let go, as on a device"), 1u);
    stub.reset();
    first.reset();
    EXPECT_EQ(Destroyed("appended").Value(), 0u);
    ExpectServedBy(second->Read().Proxy(), getpid());
    second.reset();
    EXPECT_EQ(Destroyed("appended").Value(), 0u);
}

// name of a kept proxy ; appends a parcel that holds it to another, and destroys both
BEHAVIOUR(append_kept_proxy)
{
    Parcel from;
    from.Proxy(KeptProxy(request.data.Text()).get());
    Parcel().Append(from.Get());
    return OH_IPC_SUCCESS;
}

TEST(an_appended_proxy_is_held_until_its_process_ends, "Append gives its reference back, or it outlives the process")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("appended");
    actor.Introduce("appended", stub.get());
    stub.reset();
    EXPECT_EQ(actor.Ask("append_kept_proxy", Parcel().Text("appended")).result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("appended")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(actor);
    EXPECT_EQ(Destroyed("appended").Value(), 0u);
    actor.Kill();
    ExpectDestroyed("appended");
}

TEST(a_parcel_holds_a_stub_that_was_rewound_away, "RewindWritePosition gives the reference of a forgotten object back")
{
    StubPtr stub = CreateStub("rewound");
    auto parcel = std::make_unique<Parcel>();
    parcel->Stub(stub.get());
    EXPECT_EQ(OH_IPCParcel_RewindWritePosition(parcel->Get(), 0), OH_IPC_SUCCESS);
    stub.reset();
    EXPECT_EQ(Destroyed("rewound").Value(), 0u);
    parcel.reset();
    EXPECT_EQ(Destroyed("rewound").Value(), 1u);
}

TEST(wrappers_read_in_the_stubs_own_process_hold_it, "ReadRemoteProxy or ReadRemoteStub takes no reference")
{
    StubPtr stub = CreateStub("read");
    ProxyPtr asProxy = WrapperOf(stub.get());
    StubPtr asStub(OH_IPCParcel_ReadRemoteStub(Parcel().Stub(stub.get()).Get()));
    REQUIRE(asStub != nullptr);
    stub.reset();
    ExpectServedBy(asProxy, getpid());
    asProxy.reset();
    EXPECT_EQ(Destroyed("read").Value(), 0u);
    ExpectServedBy(WrapperOf(asStub.get()), getpid());
    asStub.reset();
    EXPECT_EQ(Destroyed("read").Value(), 1u);
}

TEST(a_destroyed_stub_serves_those_who_hold_it,
    "Destroy ends a stub that a remote process holds, or the last holder's letting go is not noticed")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("held");
    actor.Introduce("held", stub.get());
    stub.reset();
    ExpectKeptServedBy(actor, "held", getpid());
    EXPECT_EQ(Destroyed("held").Value(), 0u);
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("held")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("held");
}

TEST(a_stub_outlives_its_holders_while_its_owner_has_it, "a remote holder's letting go takes the owner's reference too")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("owned");
    actor.Introduce("owned", stub.get());
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("owned")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(actor);
    EXPECT_EQ(Destroyed("owned").Value(), 0u);
    actor.Introduce("owned", stub.get());
    ExpectKeptServedBy(actor, "owned", getpid());
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("owned")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(actor);
    stub.reset();
    EXPECT_EQ(Destroyed("owned").Value(), 1u);
}

TEST(a_stub_lives_until_its_last_holder_lets_go, "the first of several holders that lets go ends the stub")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    StubPtr stub = CreateStub("shared");
    first.Introduce("shared", stub.get());
    second.Introduce("shared", stub.get());
    second.Introduce("shared again", stub.get());
    stub.reset();
    EXPECT_EQ(first.Ask("drop_proxy", Parcel().Text("shared")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(first);
    EXPECT_EQ(second.Ask("drop_proxy", Parcel().Text("shared")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(second);
    EXPECT_EQ(Destroyed("shared").Value(), 0u);
    ExpectKeptServedBy(second, "shared again", getpid());
    EXPECT_EQ(second.Ask("drop_proxy", Parcel().Text("shared again")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("shared");
}

TEST(a_receiver_keeps_its_proxy_when_the_data_parcel_is_gone, "a received proxy lives on the sender's parcel")
{
    Actor &actor = StartActor();
    auto data = std::make_unique<Parcel>();
    {
        StubPtr stub = CreateStub("sent");
        data->Text("sent").Stub(stub.get());
    }
    EXPECT_EQ(actor.Ask("keep_proxy", *data).result, OH_IPC_SUCCESS);
    data.reset();
    ExpectKeptServedBy(actor, "sent", getpid());
    EXPECT_EQ(Destroyed("sent").Value(), 0u);
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("sent")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("sent");
}

TEST(a_sent_parcel_goes_on_holding_its_stub, "SendRequest takes the references out of the data that it sends")
{
    Actor &actor = StartActor();
    auto data = std::make_unique<Parcel>();
    {
        StubPtr stub = CreateStub("kept in data");
        data->Text("kept in data").Stub(stub.get());
    }
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(actor.Ask("keep_proxy", *data).result, OH_IPC_SUCCESS);
        ExpectKeptServedBy(actor, "kept in data", getpid());
        EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("kept in data")).result, OH_IPC_SUCCESS);
        AwaitReleasesOf(actor);
        EXPECT_EQ(Destroyed("kept in data").Value(), 0u);
    }
    data.reset();
    EXPECT_EQ(Destroyed("kept in data").Value(), 1u);
}

TEST(a_stub_that_the_receiver_never_reads_is_let_go, "objects of a message that its handler did not read stay held")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("unread");
    EXPECT_EQ(actor.Ask("ignore_the_rest", Parcel().Text("ignored").Stub(stub.get())).result, OH_IPC_SUCCESS);
    stub.reset();
    ExpectDestroyed("unread");
}

TEST(a_stub_in_an_asynchronous_request_that_nobody_reads_is_let_go,
    "objects of an asynchronous message stay held after its handler, or are let go before it has come")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Tell("block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    {
        StubPtr stub = CreateStub("unread");
        EXPECT_EQ(actor.Tell("ignore_the_rest", Parcel().Text("ignored").Stub(stub.get())), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(1);
    AwaitReleasesOf(actor);
    EXPECT_EQ(Destroyed("unread").Value(), 0u);
    Counter("gate").Add();
    ExpectDestroyed("unread");
    EXPECT_EQ(Counter("ignored").Value(), 1u);
}

TEST(a_stub_in_a_reply_lives_as_long_as_the_reply,
    "the objects of a reply are let go when the handler returns, or never")
{
    Actor &actor = StartActor();
    auto answer = std::make_unique<Answer>(actor.Ask("give_new_stub", Parcel().Text("in reply")));
    EXPECT_EQ(answer->result, OH_IPC_SUCCESS);
    EXPECT_EQ(Destroyed("in reply").Value(), 0u);
    ProxyPtr proxy = answer->Read().Proxy();
    ExpectServedBy(proxy, actor.Pid());
    answer.reset();
    ExpectServedBy(proxy, actor.Pid());
    EXPECT_EQ(Destroyed("in reply").Value(), 0u);
    proxy.reset();
    ExpectDestroyed("in reply");
}

TEST(a_stub_in_a_reply_that_nobody_reads_is_let_go_with_the_reply,
    "a reply's unread objects stay held when it is destroyed")
{
    Actor &actor = StartActor();
    auto answer = std::make_unique<Answer>(actor.Ask("give_new_stub", Parcel().Text("in reply")));
    EXPECT_EQ(answer->result, OH_IPC_SUCCESS);
    ExpectServedBy(actor.Proxy(), actor.Pid());
    EXPECT_EQ(Destroyed("in reply").Value(), 0u);
    answer.reset();
    ExpectDestroyed("in reply");
}

TEST(a_stub_in_a_reply_to_an_asynchronous_request_is_let_go,
    "the thrown-away reply of an asynchronous request keeps its objects")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Tell("give_new_stub", Parcel().Text("thrown away")), OH_IPC_SUCCESS);
    ExpectDestroyed("thrown away");
}

TEST(killing_the_last_holder_ends_the_stub, "the death of a process does not let go of what it held")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    StubPtr stub = CreateStub("orphan");
    first.Introduce("orphan", stub.get());
    second.Introduce("orphan", stub.get());
    second.Introduce("orphan again", stub.get());
    stub.reset();
    first.Kill();
    first.AwaitEnd();
    ExpectKeptServedBy(second, "orphan", getpid());
    EXPECT_EQ(Destroyed("orphan").Value(), 0u);
    second.Kill();
    ExpectDestroyed("orphan");
}

TEST(a_holder_that_ends_normally_lets_go, "only a violent death lets go of what a process held")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("left");
    actor.Introduce("left", stub.get());
    stub.reset();
    ExpectKeptServedBy(actor, "left", getpid());
    actor.End();
    ExpectDestroyed("left");
}

TEST(a_stub_may_be_destroyed_by_the_request_that_it_serves, "Destroy in a handler ends the stub under it")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("suicide");
    Answer answer = Ask(proxy.get(), "destroy_myself");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Text(), "suicide");
    ExpectServedBy(proxy, actor.Pid());
    EXPECT_EQ(Destroyed("suicide").Value(), 0u);
    proxy.reset();
    ExpectDestroyed("suicide");
}

TEST(a_stub_may_be_destroyed_by_the_direct_call_that_it_serves, "a direct call does not hold the stub that it runs on")
{
    KeepStub("suicide", CreateStub("suicide"));
    ProxyPtr wrapper = WrapperOf(KeptStub("suicide"));
    EXPECT_EQ(Ask(wrapper.get(), "destroy_myself").result, OH_IPC_SUCCESS);
    ExpectServedBy(wrapper, getpid());
    EXPECT_EQ(Destroyed("suicide").Value(), 0u);
    wrapper.reset();
    EXPECT_EQ(Destroyed("suicide").Value(), 1u);
}

TEST(queued_requests_are_served_before_the_stub_ends,
    "a stub that nobody holds any more loses requests that were sent before, or ends under the one that it serves")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("busy");
    EXPECT_EQ(Tell(proxy.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    for (int index = 0; index < 20; index++) {
        EXPECT_EQ(Tell(proxy.get(), "count", Parcel().Text("served")), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(1);
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("busy")).result, OH_IPC_SUCCESS);
    proxy.reset();
    ExpectServedBy(actor.Proxy(), actor.Pid());
    EXPECT_EQ(Destroyed("busy").Value(), 0u);
    Counter("gate").Add();
    ExpectDestroyed("busy");
    EXPECT_EQ(Counter("served").Value(), 20u);
}

TEST(a_stub_goes_and_comes_many_times,
    "letting go of an object and getting it again at the same time loses a reference")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("again");
    first.reset();
    for (int round = 0; round < 300; round++) {
        Answer answer = actor.Ask("give_stub", Parcel().Text("again"));
        REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
        ProxyPtr proxy = answer.Read().Proxy();
        REQUIRE(proxy != nullptr);
        ExpectServedBy(proxy, actor.Pid());
    }
    EXPECT_EQ(Destroyed("again").Value(), 0u);
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("again")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("again");
}
