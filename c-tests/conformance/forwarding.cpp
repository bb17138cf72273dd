// SPDX-License-Identifier: Apache-2.0
// Objects that go through a second process to a third.
#include <unistd.h>

#include "lifetimes.h"

using namespace conformance;

// object → ; it is kept as "sole", and the counter "kept sole" is one more
BEHAVIOUR(keep_sole)
{
    KeepProxy("sole", request.data.Proxy());
    Counter("kept sole").Add();
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, anything → result; the whole data go on to that proxy's keep_behind_name
BEHAVIOUR(forward_data)
{
    auto proxy = KeptProxy(request.data.Text());
    Parcel reply;
    WriteInt(request.reply, SendSync(proxy.get(), Code("keep_behind_name"), request.data.Get(), reply.Get()));
    return OH_IPC_SUCCESS;
}

// anything, object → ; the object is kept as "passed on"
BEHAVIOUR(keep_behind_name)
{
    request.data.Text();
    KeepProxy("passed on", request.data.Proxy());
    return OH_IPC_SUCCESS;
}

TEST(a_forwarded_object_serves_when_owner_and_middleman_have_let_go,
    "an object that was forwarded lives on the references of its owner or of the process between")
{
    Actor &owner = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = owner.CreateStub("forwarded");
    holder.Introduce("forwarded", proxy.get());
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("forwarded")).result, OH_IPC_SUCCESS);
    proxy.reset();
    ExpectKeptServedBy(holder, "forwarded", owner.Pid());
    ExpectKeptServedBy(holder, "forwarded", owner.Pid());
    EXPECT_EQ(Destroyed("forwarded").Value(), 0u);
    EXPECT_EQ(holder.Ask("drop_proxy", Parcel().Text("forwarded")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("forwarded");
}

TEST(killing_the_last_holder_of_a_forwarded_object_ends_it,
    "the owner does not learn of the death of a process that got its object from another")
{
    Actor &owner = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = owner.CreateStub("forwarded");
    holder.Introduce("forwarded", proxy.get());
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("forwarded")).result, OH_IPC_SUCCESS);
    proxy.reset();
    ExpectKeptServedBy(holder, "forwarded", owner.Pid());
    EXPECT_EQ(Destroyed("forwarded").Value(), 0u);
    holder.Kill();
    ExpectDestroyed("forwarded");
}

TEST(a_forwarded_object_outlives_a_killed_middleman,
    "the death of a process takes the references that it has passed on")
{
    Actor &middleman = StartActor();
    Actor &holder = StartActor();
    StubPtr stub = CreateStub("forwarded");
    middleman.Introduce("holder", holder.Proxy());
    middleman.Introduce("forwarded", stub.get());
    stub.reset();
    Answer given = middleman.Ask("give_proxy", Parcel().Text("forwarded"));
    Answer passed = middleman.Ask("tell_kept", Parcel().Text("holder").Text("keep_sole").Proxy(given.Read().Proxy().get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    given.reply = Parcel();
    Counter("kept sole").AwaitAtLeast(1);
    middleman.Kill();
    middleman.AwaitEnd();
    ExpectKeptServedBy(holder, "sole", getpid());
    EXPECT_EQ(Destroyed("forwarded").Value(), 0u);
    EXPECT_EQ(holder.Ask("drop_proxy", Parcel().Text("sole")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("forwarded");
}

TEST(a_message_that_waits_holds_its_objects_when_its_sender_is_killed,
    "the references of a message belong to its sender until it is handled")
{
    Actor &sender = StartActor();
    Actor &holder = StartActor();
    ProxyPtr inbox = holder.CreateStub("inbox");
    StubPtr stub = CreateStub("under way");
    sender.Introduce("inbox", inbox.get());
    EXPECT_EQ(Tell(inbox.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    Answer passed = sender.Ask("tell_kept", Parcel().Text("inbox").Text("keep_sole").Stub(stub.get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    stub.reset();
    sender.Kill();
    sender.AwaitEnd();
    AwaitReleasesOf(holder);
    EXPECT_EQ(Destroyed("under way").Value(), 0u);
    Counter("gate").Add();
    Counter("kept sole").AwaitAtLeast(1);
    ExpectKeptServedBy(holder, "sole", getpid());
    EXPECT_EQ(holder.Ask("drop_proxy", Parcel().Text("sole")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("under way");
}

TEST(what_a_killed_process_sent_to_a_stopped_one_is_held,
    "the references of a message that its receiver has not seen go with its sender")
{
    Actor &owner = StartActor();
    Actor &sender = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = owner.CreateStub("sent");
    sender.Introduce("holder", holder.Proxy());
    ExpectKeptServedBy(sender, "holder", holder.Pid());
    holder.Stop();
    Answer passed = sender.Ask("tell_kept", Parcel().Text("holder").Text("keep_sole").Proxy(proxy.get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    sender.Kill();
    sender.AwaitEnd();
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("sent")).result, OH_IPC_SUCCESS);
    proxy.reset();
    ExpectServedBy(owner.Proxy(), owner.Pid());
    EXPECT_EQ(Destroyed("sent").Value(), 0u);
    holder.Continue();
    Counter("kept sole").AwaitAtLeast(1);
    ExpectKeptServedBy(holder, "sole", owner.Pid());
    EXPECT_EQ(Destroyed("sent").Value(), 0u);
    EXPECT_EQ(holder.Ask("drop_proxy", Parcel().Text("sole")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("sent");
}

TEST(what_a_killed_process_sent_to_a_killed_one_is_let_go,
    "the references of a message that neither its sender nor its receiver outlives stay held")
{
    Actor &owner = StartActor();
    Actor &sender = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = owner.CreateStub("sent");
    sender.Introduce("holder", holder.Proxy());
    ExpectKeptServedBy(sender, "holder", holder.Pid());
    holder.Stop();
    Answer passed = sender.Ask("tell_kept", Parcel().Text("holder").Text("keep_sole").Proxy(proxy.get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("sent")).result, OH_IPC_SUCCESS);
    proxy.reset();
    sender.Kill();
    sender.AwaitEnd();
    ExpectServedBy(owner.Proxy(), owner.Pid());
    EXPECT_EQ(Destroyed("sent").Value(), 0u);
    holder.Kill();
    ExpectDestroyed("sent");
}

TEST(what_was_sent_to_a_killed_process_is_let_go,
    "the references of a message stay held at its sender when its receiver is killed")
{
    Actor &owner = StartActor();
    Actor &sender = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = owner.CreateStub("sent");
    sender.Introduce("holder", holder.Proxy());
    ExpectKeptServedBy(sender, "holder", holder.Pid());
    holder.Stop();
    Answer passed = sender.Ask("tell_kept", Parcel().Text("holder").Text("keep_sole").Proxy(proxy.get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("sent")).result, OH_IPC_SUCCESS);
    proxy.reset();
    ExpectServedBy(owner.Proxy(), owner.Pid());
    EXPECT_EQ(Destroyed("sent").Value(), 0u);
    holder.Kill();
    ExpectDestroyed("sent");
    ExpectServedBy(sender.Proxy(), sender.Pid());
}

TEST(a_received_parcel_can_be_passed_on_with_its_objects,
    "forwarding a handler's data loses its objects, or lets go of them too early")
{
    Actor &middleman = StartActor();
    Actor &holder = StartActor();
    StubPtr stub = CreateStub("passed on");
    middleman.Introduce("holder", holder.Proxy());
    Answer answer = middleman.Ask("forward_data", Parcel().Text("holder").Stub(stub.get()));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    stub.reset();
    ExpectKeptServedBy(holder, "passed on", getpid());
    EXPECT_EQ(holder.Ask("drop_proxy", Parcel().Text("passed on")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("passed on");
}

TEST(a_forwarded_object_comes_home_from_a_third_process,
    "only the process that an object was sent to can bring it back")
{
    Actor &middleman = StartActor();
    Actor &holder = StartActor();
    StubPtr stub = CreateStub("round trip");
    middleman.Introduce("holder", holder.Proxy());
    Answer passed = middleman.Ask("ask_kept", Parcel().Text("holder").Text("keep_sole").Stub(stub.get()));
    EXPECT_EQ(passed.Read().Int(), OH_IPC_SUCCESS);
    ProxyPtr home = holder.Ask("give_proxy", Parcel().Text("sole")).Read().Proxy();
    Answer call = Ask(home.get(), "thread_and_handling");
    EXPECT_EQ(call.Read().Long(), CurrentThread());
    EXPECT_EQ(call.Read().Int(), 0);
}

TEST(an_object_goes_round_three_processes_many_times,
    "passing an object on while the giver lets go of it loses or leaks a reference")
{
    Actor &owner = StartActor();
    Actor &first = StartActor();
    Actor &second = StartActor();
    ProxyPtr proxy = owner.CreateStub("traveller");
    EXPECT_EQ(owner.Ask("destroy_stub", Parcel().Text("traveller")).result, OH_IPC_SUCCESS);
    for (int round = 0; round < 100; round++) {
        Context context("round ", round);
        for (Actor *actor : { &first, &second }) {
            actor->Introduce("traveller", proxy.get());
            proxy.reset();
            Answer answer = actor->Ask("give_proxy", Parcel().Text("traveller"));
            EXPECT_EQ(actor->Ask("drop_proxy", Parcel().Text("traveller")).result, OH_IPC_SUCCESS);
            proxy = answer.Read().Proxy();
            REQUIRE(proxy != nullptr);
        }
    }
    ExpectServedBy(proxy, owner.Pid());
    EXPECT_EQ(Destroyed("traveller").Value(), 0u);
    proxy.reset();
    ExpectDestroyed("traveller");
}
