// SPDX-License-Identifier: Apache-2.0
// What a dead object says to each call: before and after its death was told, and where a device does otherwise.
#include <cstdlib>
#include <unistd.h>

#include "death.h"

using namespace conformance;

namespace {

void Kill(Actor &actor)
{
    actor.Kill();
    actor.AwaitEnd();
}

size_t LinesWith(const std::string &word)
{
    std::string output = OutputSoFar();
    size_t lines = 0;
    for (size_t at = output.find(word); at != std::string::npos; at = output.find(word, output.find('\n', at))) {
        lines++;
    }
    return lines;
}

} // namespace

// name of a kept proxy → IsRemoteDead at once, results of a sync and an async request, results of adding a recipient
BEHAVIOUR(examine_kept)
{
    auto proxy = KeptProxy(request.data.Text());
    WriteInt(request.reply, Ask(proxy.get(), "pid").result);
    WriteInt(request.reply, Tell(proxy.get(), "pid"));
    Recipient recipient("examiner");
    WriteInt(request.reply, recipient.AddTo(proxy.get()));
    recipient.AwaitTold();
    WriteInt(request.reply, OH_IPCRemoteProxy_IsRemoteDead(proxy.get()));
    recipient.ExpectToldInAll(1);
    return OH_IPC_SUCCESS;
}

TEST(a_death_that_nobody_watches_is_known, "IsRemoteDead needs a recipient (documented), or does not (device)")
{
    Actor &actor = StartActor();
    ProxyPtr watched = actor.CreateStub("watched");
    Recipient recipient("of another stub");
    EXPECT_EQ(recipient.AddTo(watched), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), 0);
    Kill(actor);
    if (DeviceMode()) {
        recipient.AwaitTold();
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), 0);
        EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), 0);
    } else {
        AwaitDead(actor.Proxy());
    }
}

TEST(requests_to_an_unwatched_dead_object_fail, "a request to a dead object waits, succeeds, or gives another code")
{
    Actor &actor = StartActor();
    Kill(actor);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(actor.Tell("pid"), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(actor.Tell("pid"), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), DeviceMode() ? 0 : 1);
}

TEST(requests_after_the_notice_fail,
    "a request after a death notice is DEAD_REMOTE_OBJECT on a device, or INNER_ERROR by documentation")
{
    Actor &actor = StartActor();
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    Kill(actor);
    recipient.AwaitTold();
    ExpectToldDead(actor.Proxy());
}

TEST(a_refused_request_leaves_its_parcels_alone, "a request to a dead object changes the data or the reply")
{
    Actor &actor = StartActor();
    Kill(actor);
    Parcel data;
    data.Int(1).Int(2);
    Parcel reply;
    State before = data.State();
    EXPECT_EQ(SendSync(actor.Proxy(), 1, data.Get(), reply.Get()), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(data.State(), before);
    EXPECT_EQ(reply.State(), (State{ 0, 0, 0, 0, 0 }));
    reply.Int(3);
    EXPECT_EQ(reply.Read().Int(), 3);
}

TEST(a_recipient_added_to_a_dead_object_is_told_at_once,
    "adding to a dead object of whose death nobody was told fails, or is never told")
{
    Actor &actor = StartActor();
    Kill(actor);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    Recipient recipient("late");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    recipient.AwaitTold();
    ExpectToldDead(actor.Proxy());
    recipient.ExpectToldInAll(1);
}

TEST(a_recipient_added_to_one_that_is_known_to_be_dead_is_told_at_once,
    "IsRemoteDead says 1, and adding fails because of it")
{
    if (DeviceMode()) {
        // There IsRemoteDead says 1 only after a notice, and then nothing can be added.
        Actor &actor = StartActor();
        Recipient recipient("watcher");
        EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
        Kill(actor);
        AwaitDead(actor.Proxy());
        recipient.AwaitTold();
        recipient.ExpectToldInAll(1);
        return;
    }
    Actor &actor = StartActor();
    Kill(actor);
    AwaitDead(actor.Proxy());
    Recipient recipient("late");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(nothing_is_added_or_removed_after_the_notice,
    "recipients are accepted, or can be removed, after the death was told")
{
    Actor &actor = StartActor();
    Recipient told("told");
    Recipient late("late");
    EXPECT_EQ(told.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    Kill(actor);
    told.AwaitTold();
    EXPECT_EQ(late.AddTo(actor.Proxy()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(told.AddTo(actor.Proxy()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(told.RemoveFrom(actor.Proxy()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(late.RemoveFrom(actor.Proxy()), OH_IPC_INNER_ERROR);
    told.ExpectToldInAll(1);
    late.ExpectToldInAll(0);
}

TEST(a_told_death_is_one_objects_own, "a notice of one object of a process counts for its other objects")
{
    Actor &actor = StartActor();
    ProxyPtr watched = actor.CreateStub("watched");
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(watched), OH_IPC_SUCCESS);
    Kill(actor);
    recipient.AwaitTold();
    ExpectToldDead(watched);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    Recipient late("late");
    EXPECT_EQ(late.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    late.AwaitTold();
    ExpectToldDead(actor.Proxy());
    late.ExpectToldInAll(1);
    recipient.ExpectToldInAll(1);
}

TEST(a_dead_object_can_be_sent_on, "a proxy of a dead process cannot be written or sent, or its receiver hangs")
{
    Actor &dead = StartActor();
    Actor &receiver = StartActor();
    Kill(dead);
    Parcel data;
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(data.Text("dead").Get(), dead.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(receiver.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
    Answer answer = receiver.Ask("examine_kept", Parcel().Text("dead"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    Reader reader = answer.Read();
    EXPECT_EQ(reader.Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(reader.Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(reader.Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(reader.Int(), 1);
}

TEST(a_dead_object_can_be_sent_on_after_the_notice,
    "a proxy whose death was told cannot be written or sent, or its receiver hangs")
{
    Actor &dead = StartActor();
    Actor &receiver = StartActor();
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(dead.Proxy()), OH_IPC_SUCCESS);
    Kill(dead);
    recipient.AwaitTold();
    Parcel data;
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(data.Text("dead").Get(), dead.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(receiver.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
    Answer answer = receiver.Ask("examine_kept", Parcel().Text("dead"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_DEAD_REMOTE_OBJECT);
}

TEST(a_forwarded_proxy_learns_of_the_death, "only the process that got the object from its owner learns of the death")
{
    Actor &dead = StartActor();
    Actor &holder = StartActor();
    ProxyPtr proxy = dead.CreateStub("forwarded");
    holder.Introduce("forwarded", proxy.get());
    ExpectKeptServedBy(holder, "forwarded", dead.Pid());
    Kill(dead);
    Answer answer = holder.Ask("examine_kept", Parcel().Text("forwarded"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    Reader reader = answer.Read();
    EXPECT_EQ(reader.Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(reader.Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    EXPECT_EQ(reader.Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(reader.Int(), 1);
}

TEST(an_object_in_a_parcel_learns_of_the_death, "a proxy that is read from an older parcel is taken to live")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("written");
    Parcel parcel;
    parcel.Proxy(proxy.get());
    proxy.reset();
    Kill(actor);
    ProxyPtr read = parcel.Read().Proxy();
    REQUIRE(read != nullptr);
    EXPECT_EQ(Ask(read.get(), "pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
}

TEST(leaning_on_the_documentation_is_said_once,
    "the log does not say that a device would answer otherwise, or says it each time")
{
    Actor &actor = StartActor();
    Kill(actor);
    Recipient recipient("late");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    recipient.AwaitTold();
    for (int round = 0; round < 5; round++) {
        ExpectToldDead(actor.Proxy());
    }
    EXPECT_EQ(LinesWith("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}
