// SPDX-License-Identifier: Apache-2.0
// Registering death recipients: entries, removing them, and what they keep alive.
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

#include "death.h"

using namespace conformance;

namespace {

void Ignore(void *)
{
}

} // namespace

// name, name of a kept proxy → result; this process watches it with a recipient of this name
BEHAVIOUR(watch_kept)
{
    std::string name = request.data.Text();
    // Never destroyed: its entry lasts as long as the process, and a leak checker is to find it.
    static std::mutex mutex;
    static auto *kept = new std::vector<std::unique_ptr<Recipient>>;
    std::lock_guard<std::mutex> lock(mutex);
    kept->push_back(std::make_unique<Recipient>(name));
    const auto &recipient = kept->back();
    WriteInt(request.reply, recipient->AddTo(KeptProxy(request.data.Text()).get()));
    return OH_IPC_SUCCESS;
}

TEST(missing_arguments_are_refused, "a NULL is accepted, crashes, or gives another code")
{
    Actor &actor = StartActor();
    auto *proxy = const_cast<OHIPCRemoteProxy *>(actor.Proxy());
    EXPECT(OH_IPCDeathRecipient_Create(nullptr, nullptr, nullptr) == nullptr);
    RecipientPtr recipient(OH_IPCDeathRecipient_Create(Ignore, nullptr, nullptr));
    REQUIRE(recipient != nullptr);
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(nullptr, recipient.get()), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, nullptr), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(nullptr, recipient.get()), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, nullptr), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(nullptr), 1);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
}

TEST(a_recipient_without_destroyCallback_is_told_and_goes, "the missing destroyCallback is called")
{
    Actor &actor = StartActor();
    RecipientPtr recipient(OH_IPCDeathRecipient_Create([](void *) { Counter("plain").Add(); }, nullptr, nullptr));
    REQUIRE(recipient != nullptr);
    auto *proxy = const_cast<OHIPCRemoteProxy *>(actor.Proxy());
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient.get()), OH_IPC_SUCCESS);
    Recipient later("later");
    EXPECT_EQ(later.AddTo(proxy), OH_IPC_SUCCESS);
    actor.Kill();
    later.AwaitTold();
    EXPECT_EQ(Counter("plain").Value(), 1u);
}

TEST(a_recipient_that_is_registered_nowhere_goes_with_its_handle,
    "its destroyCallback does not run in Destroy, or runs before it")
{
    Recipient recipient("never added");
    EXPECT_EQ(recipient.Forgotten(), 0u);
    recipient.Destroy();
    EXPECT_EQ(recipient.Forgotten(), 1u);
}

TEST(a_removed_recipient_goes_with_its_handle,
    "RemoveDeathRecipient keeps a reference to the recipient, or gives one back too many")
{
    Actor &actor = StartActor();
    Recipient recipient("removed");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.Forgotten(), 0u);
    recipient.Destroy();
    EXPECT_EQ(recipient.Forgotten(), 1u);
}

TEST(a_recipient_added_twice_is_told_twice, "entries of one recipient are merged into one")
{
    Actor &actor = StartActor();
    Recipient recipient("twice");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold(2);
    ExpectToldDead(actor.Proxy());
    recipient.ExpectToldInAll(2);
}

TEST(remove_takes_one_entry, "RemoveDeathRecipient takes all entries of a recipient, or those of another")
{
    Actor &actor = StartActor();
    Recipient twice("twice");
    Recipient never("never added");
    Recipient away("added and removed");
    EXPECT_EQ(twice.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(twice.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(twice.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(never.RemoveFrom(actor.Proxy()), OH_IPC_INNER_ERROR);
    EXPECT_EQ(away.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(away.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(away.RemoveFrom(actor.Proxy()), OH_IPC_INNER_ERROR);
    Recipient last("last");
    EXPECT_EQ(last.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    last.AwaitTold();
    twice.ExpectToldInAll(1);
    never.ExpectToldInAll(0);
    away.ExpectToldInAll(0);
}

TEST(both_entries_of_a_recipient_can_be_removed, "the second of two entries of a recipient cannot be removed")
{
    Actor &actor = StartActor();
    Recipient recipient("twice");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(actor.Proxy()), OH_IPC_INNER_ERROR);
    recipient.ExpectToldInAll(0);
}

TEST(entries_through_different_wrappers_are_told_and_removed_alike,
    "an entry belongs to the wrapper through which it was added")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("shared");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("shared")).Read().Proxy();
    Recipient both("both");
    Recipient away("removed through the other");
    EXPECT_EQ(both.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(both.AddTo(second), OH_IPC_SUCCESS);
    EXPECT_EQ(away.AddTo(second), OH_IPC_SUCCESS);
    EXPECT_EQ(away.RemoveFrom(first), OH_IPC_SUCCESS);
    actor.Kill();
    both.AwaitTold(2);
    both.ExpectToldInAll(2);
    away.ExpectToldInAll(0);
}

TEST(an_entry_outlives_the_wrappers, "destroying the last wrapper cancels its entries")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("watched");
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    proxy.reset();
    actor.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(an_entry_outlives_the_wrapper_through_which_it_was_added,
    "destroying one of two wrappers cancels what was added through it")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("watched");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("watched")).Read().Proxy();
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(first), OH_IPC_SUCCESS);
    first.reset();
    actor.Kill();
    recipient.AwaitTold();
    ExpectToldDead(second);
    recipient.ExpectToldInAll(1);
}

TEST(an_entry_that_was_removed_before_the_wrapper_went_is_not_told, "an entry that was removed is told all the same")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("watched");
    Recipient recipient("removed");
    Recipient other("of the actor itself");
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    EXPECT_EQ(other.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(proxy), OH_IPC_SUCCESS);
    proxy.reset();
    actor.Kill();
    other.AwaitTold();
    recipient.ExpectToldInAll(0);
}

TEST(an_entry_outlives_the_recipients_handle, "destroying a recipient's handle cancels its entries")
{
    Actor &actor = StartActor();
    Recipient recipient("destroyed before");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    recipient.Destroy();
    EXPECT_EQ(recipient.Forgotten(), 0u);
    actor.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
    ExpectToldDead(actor.Proxy());
}

TEST(a_told_recipient_lives_until_its_handle_goes, "a recipient dies when its last entry has been told")
{
    Actor &actor = StartActor();
    Recipient recipient("told");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold();
    Actor &other = StartActor();
    EXPECT_EQ(recipient.Forgotten(), 0u);
    EXPECT_EQ(recipient.AddTo(other.Proxy()), OH_IPC_SUCCESS);
    other.Kill();
    recipient.AwaitTold(2);
    recipient.ExpectToldInAll(2);
}

TEST(one_recipient_watches_two_processes, "a recipient has room for one object, or goes with the first death")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Recipient recipient("of both");
    EXPECT_EQ(recipient.AddTo(first.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.AddTo(second.Proxy()), OH_IPC_SUCCESS);
    recipient.Destroy();
    first.Kill();
    recipient.AwaitTold();
    EXPECT_EQ(recipient.Forgotten(), 0u);
    second.Kill();
    recipient.AwaitTold(2);
    recipient.ExpectToldInAll(2);
}

TEST(a_death_is_told_for_each_stub_of_the_process,
    "a process's death is told to the recipients of one of its stubs only")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("first");
    ProxyPtr second = actor.CreateStub("second");
    Recipient ofActor("of the actor");
    Recipient ofFirst("of the first");
    Recipient ofSecond("of the second");
    EXPECT_EQ(ofActor.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(ofFirst.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(ofSecond.AddTo(second), OH_IPC_SUCCESS);
    actor.Kill();
    for (Recipient *recipient : { &ofActor, &ofFirst, &ofSecond }) {
        recipient->AwaitTold();
        recipient->ExpectToldInAll(1);
    }
    ExpectToldDead(first);
    ExpectToldDead(second);
}

TEST(the_death_of_one_process_is_not_anothers, "one death is told to the recipients of other processes")
{
    Actor &dead = StartActor();
    Actor &alive = StartActor();
    Recipient ofDead("of the dead");
    Recipient ofAlive("of the living");
    EXPECT_EQ(ofDead.AddTo(dead.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(ofAlive.AddTo(alive.Proxy()), OH_IPC_SUCCESS);
    dead.Kill();
    ofDead.AwaitTold();
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(alive.Proxy()), 0);
    ExpectServedBy(alive.Proxy(), alive.Pid());
    EXPECT_EQ(ofAlive.RemoveFrom(alive.Proxy()), OH_IPC_SUCCESS);
    ofAlive.ExpectToldInAll(0);
}

TEST(processes_watch_an_object_independently,
    "removing a recipient in one process removes another's, or only the first watcher is told")
{
    Actor &owner = StartActor();
    Actor &watcher = StartActor();
    watcher.Introduce("owner", owner.Proxy());
    EXPECT_EQ(watcher.Ask("watch_kept", Parcel().Text("theirs").Text("owner")).Read().Int(), OH_IPC_SUCCESS);
    Recipient own("own");
    Recipient away("away");
    EXPECT_EQ(own.AddTo(owner.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(away.AddTo(owner.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(away.RemoveFrom(owner.Proxy()), OH_IPC_SUCCESS);
    owner.Kill();
    own.AwaitTold();
    Counter("told theirs").AwaitAtLeast(1);
    own.ExpectToldInAll(1);
    away.ExpectToldInAll(0);
    EXPECT_EQ(Counter("told theirs").Value(), 1u);
}

TEST(a_stub_of_the_own_process_has_no_death,
    "recipients are accepted on a wrapper of a local stub, or it is said to be dead")
{
    StubPtr stub = CreateStub("local");
    ProxyPtr wrapper = WrapperOf(stub.get());
    Recipient recipient("local");
    EXPECT_EQ(recipient.AddTo(wrapper), OH_IPC_INNER_ERROR);
    EXPECT_EQ(recipient.RemoveFrom(wrapper), OH_IPC_INNER_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(wrapper.get()), 0);
    stub.reset();
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(wrapper.get()), 0);
    EXPECT_EQ(recipient.AddTo(wrapper), OH_IPC_INNER_ERROR);
    recipient.ExpectToldInAll(0);
    wrapper.reset();
    EXPECT_EQ(Destroyed("local").Value(), 1u);
}

TEST(a_stub_that_its_owner_destroyed_is_not_dead, "the owner's Destroy is told as a death")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("abandoned");
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("abandoned")).result, OH_IPC_SUCCESS);
    ExpectServedBy(proxy, actor.Pid());
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy.get()), 0);
    EXPECT_EQ(Destroyed("abandoned").Value(), 0u);
    EXPECT_EQ(recipient.RemoveFrom(proxy), OH_IPC_SUCCESS);
    recipient.ExpectToldInAll(0);
}

TEST(an_entry_keeps_the_object_alive,
    "the stub dies while a recipient is registered with it, or does not when that is removed")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("kept");
    ProxyPtr other = actor.CreateStub("not kept");
    Recipient stays("stays");
    Recipient removed("removed");
    EXPECT_EQ(stays.AddTo(proxy), OH_IPC_SUCCESS);
    EXPECT_EQ(removed.AddTo(other), OH_IPC_SUCCESS);
    EXPECT_EQ(removed.RemoveFrom(other), OH_IPC_SUCCESS);
    proxy.reset();
    other.reset();
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("kept")).result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("not kept")).result, OH_IPC_SUCCESS);
    ExpectDestroyed("not kept");
    ExpectServedBy(actor.Proxy(), actor.Pid());
    EXPECT_EQ(Destroyed("kept").Value(), 0u);
    EXPECT_EQ(stays.Told(), 0u);
    actor.Kill();
    stays.AwaitTold();
    stays.ExpectToldInAll(1);
}

TEST(recipients_added_and_removed_by_many_threads_are_told_right,
    "entries get lost or are told twice when threads add and remove at once")
{
    Actor &actor = StartActor();
    Recipient recipient("of all");
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; thread++) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; round++) {
                EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
                EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
                EXPECT_EQ(recipient.RemoveFrom(actor.Proxy()), OH_IPC_SUCCESS);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    actor.Kill();
    recipient.AwaitTold(8 * 200);
    recipient.ExpectToldInAll(8 * 200);
}
