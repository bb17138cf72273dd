// SPDX-License-Identifier: Apache-2.0
// Where and when the callbacks of death recipients run, and what they may do.
#include <memory>
#include <mutex>
#include <unistd.h>
#include <vector>

#include "death.h"

using namespace conformance;

TEST(callbacks_run_on_a_worker, "callbacks run on a thread of the user, or of the library's inside")
{
    Actor &actor = StartActor();
    int64_t main = CurrentThread();
    Recipient recipient("watcher", [main] {
        EXPECT(OnWorker());
        EXPECT(CurrentThread() != main);
        EXPECT_EQ(OH_IPCSkeleton_IsHandlingTransaction(), 0);
        EXPECT_EQ(OH_IPCSkeleton_GetCallingPid(), static_cast<uint64_t>(getpid()));
        EXPECT_EQ(OH_IPCSkeleton_GetCallingUid(), static_cast<uint64_t>(geteuid()));
    });
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(a_waiting_caller_runs_no_callbacks, "callbacks run on a thread that waits for a reply, or wait until it has it")
{
    Actor &dead = StartActor();
    Actor &busy = StartActor();
    int64_t main = CurrentThread();
    Recipient recipient("watcher", [main] {
        EXPECT(OnWorker());
        EXPECT(CurrentThread() != main);
        // The caller waits for this.
        Counter("gate").Add();
    });
    EXPECT_EQ(recipient.AddTo(dead.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(dead.Tell("kill_process"), OH_IPC_SUCCESS);
    EXPECT_EQ(busy.Ask("block", Parcel().Text("entered").Text("gate").Int(1)).result, OH_IPC_SUCCESS);
    recipient.ExpectToldInAll(1);
}

TEST(callbacks_come_when_the_remote_is_known_to_be_dead, "a callback runs before IsRemoteDead says 1 or requests fail")
{
    Actor &actor = StartActor();
    ProxyPtr other = actor.CreateStub("other");
    Recipient recipient("watcher", [&] {
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), 1);
        EXPECT_EQ(actor.Ask("pid").result, AfterNotice());
        EXPECT_EQ(Ask(other.get(), "pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(callbacks_come_in_the_order_of_registration, "callbacks of one object run in another order, or several at once")
{
    constexpr int MANY = 100;
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("ordered");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("ordered")).Read().Proxy();
    std::mutex mutex;
    std::vector<int> order;
    std::vector<std::unique_ptr<Recipient>> recipients;
    for (int index = 0; index < MANY; index++) {
        recipients.push_back(std::make_unique<Recipient>("ordered", [&, index] {
            std::lock_guard<std::mutex> lock(mutex);
            order.push_back(index);
        }));
    }
    std::vector<int> expected;
    auto add = [&](int index, const ProxyPtr &proxy) {
        EXPECT_EQ(recipients[static_cast<size_t>(index)]->AddTo(proxy), OH_IPC_SUCCESS);
        expected.push_back(index);
    };
    for (int index = 0; index < MANY; index++) {
        add((index * 37) % MANY, index % 2 == 0 ? first : second);
    }
    for (int index = 0; index < MANY; index++) {
        add(index, index % 3 == 0 ? first : second);
    }
    actor.Kill();
    Counter("told ordered").AwaitAtLeast(2 * MANY);
    for (auto &recipient : recipients) {
        recipient->Destroy();
    }
    Counter("forgotten ordered").AwaitAtLeast(MANY);
    EXPECT(order == expected);
    EXPECT_EQ(Counter("told ordered").Value(), static_cast<uint32_t>(2 * MANY));
}

TEST(a_callback_may_do_everything_with_its_object,
    "a callback hangs or crashes when it uses, or gets another result than the rows say")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("reentrant");
    Recipient *self = nullptr;
    Recipient recipient("reentrant", [&] {
        EXPECT_EQ(self->RemoveFrom(proxy), OH_IPC_INNER_ERROR);
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy.get()), 1);
        EXPECT_EQ(Ask(proxy.get(), "pid").result, AfterNotice());
        EXPECT_EQ(Tell(proxy.get(), "pid"), AfterNotice());
        EXPECT_EQ(self->AddTo(proxy), OH_IPC_INNER_ERROR);
        EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(Parcel().Get(), proxy.get()), OH_IPC_SUCCESS);
        self->Destroy();
        proxy.reset();
        EXPECT_EQ(self->Forgotten(), 0u);
    });
    self = &recipient;
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold();
    recipient.ExpectToldInAll(1);
}

TEST(a_callback_may_destroy_other_recipients_and_wrappers,
    "a recipient that an earlier callback destroyed or whose wrapper it destroyed is not told, or crashes")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("shared");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("shared")).Read().Proxy();
    Recipient later("later");
    Recipient earlier("earlier", [&] {
        later.Destroy();
        first.reset();
        second.reset();
    });
    EXPECT_EQ(earlier.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(later.AddTo(second), OH_IPC_SUCCESS);
    actor.Kill();
    later.AwaitTold();
    later.ExpectToldInAll(1);
    earlier.ExpectToldInAll(1);
}

TEST(a_callback_may_call_other_processes, "a callback cannot send requests, or cannot be called back")
{
    Actor &dead = StartActor();
    Actor &other = StartActor();
    StubPtr stub = CreateStub("home");
    other.Introduce("home", stub.get());
    Recipient recipient("caller", [&] {
        ExpectServedBy(other.Proxy(), other.Pid());
        ExpectKeptServedBy(other, "home", getpid());
        EXPECT_EQ(other.Tell("count", Parcel().Text("served")), OH_IPC_SUCCESS);
    });
    EXPECT_EQ(recipient.AddTo(dead.Proxy()), OH_IPC_SUCCESS);
    dead.Kill();
    recipient.AwaitTold();
    Counter("served").AwaitAtLeast(1);
    recipient.ExpectToldInAll(1);
}

TEST(a_callback_may_watch_other_processes, "a callback cannot add or remove recipients elsewhere")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Recipient chained("chained");
    Recipient away("away");
    EXPECT_EQ(away.AddTo(second.Proxy()), OH_IPC_SUCCESS);
    Recipient recipient("first", [&] {
        EXPECT_EQ(away.RemoveFrom(second.Proxy()), OH_IPC_SUCCESS);
        EXPECT_EQ(chained.AddTo(second.Proxy()), OH_IPC_SUCCESS);
        second.Kill();
    });
    EXPECT_EQ(recipient.AddTo(first.Proxy()), OH_IPC_SUCCESS);
    first.Kill();
    chained.AwaitTold();
    chained.ExpectToldInAll(1);
    recipient.ExpectToldInAll(1);
    away.ExpectToldInAll(0);
}

TEST(a_callback_may_start_a_process, "a callback that starts a child process and waits for it hangs")
{
    Actor &dead = StartActor();
    pid_t started = -1;
    Recipient recipient("restarter", [&] {
        Actor &next = StartActor();
        started = next.Pid();
        ExpectServedBy(next.Proxy(), next.Pid());
    });
    EXPECT_EQ(recipient.AddTo(dead.Proxy()), OH_IPC_SUCCESS);
    dead.Kill();
    recipient.AwaitTold();
    EXPECT(started > 0);
    EXPECT(started != dead.Pid());
    recipient.ExpectToldInAll(1);
}

TEST(a_callback_may_take_a_lock_that_callers_of_the_library_hold,
    "a callback runs while the library holds a lock that a call needs")
{
    Actor &actor = StartActor();
    Actor &other = StartActor();
    ProxyPtr proxy = actor.CreateStub("locked");
    std::mutex mutex;
    Recipient recipient("locker", [&] {
        Counter("in callback").Add();
        std::lock_guard<std::mutex> lock(mutex);
    });
    Recipient last("last");
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    EXPECT_EQ(last.AddTo(proxy), OH_IPC_SUCCESS);
    {
        std::lock_guard<std::mutex> lock(mutex);
        actor.Kill();
        Counter("in callback").AwaitAtLeast(1);
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy.get()), 1);
        EXPECT_EQ(Ask(proxy.get(), "pid").result, AfterNotice());
        EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_INNER_ERROR);
        EXPECT_EQ(recipient.RemoveFrom(proxy), OH_IPC_INNER_ERROR);
        Recipient elsewhere("elsewhere");
        EXPECT_EQ(elsewhere.AddTo(other.Proxy()), OH_IPC_SUCCESS);
        EXPECT_EQ(elsewhere.RemoveFrom(other.Proxy()), OH_IPC_SUCCESS);
        ExpectServedBy(other.Proxy(), other.Pid());
        ProxyPtr another = other.CreateStub("another");
        another.reset();
        proxy.reset();
        recipient.Destroy();
        Actor &next = StartActor();
        ExpectServedBy(next.Proxy(), next.Pid());
    }
    last.AwaitTold();
    recipient.ExpectToldInAll(2);
}

TEST(a_blocked_callback_delays_nobody_else, "deaths, or requests, wait for a callback of another object")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Actor &third = StartActor();
    ProxyPtr otherStub = first.CreateStub("other stub of the first");
    StubPtr stub = CreateStub("home");
    third.Introduce("home", stub.get());
    Recipient blocked("blocked", [] {
        Counter("in callback").Add();
        Counter("gate").AwaitAtLeast(1);
    });
    Recipient ofOtherStub("of the other stub");
    Recipient ofSecond("of the second");
    EXPECT_EQ(blocked.AddTo(first.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(ofOtherStub.AddTo(otherStub), OH_IPC_SUCCESS);
    EXPECT_EQ(ofSecond.AddTo(second.Proxy()), OH_IPC_SUCCESS);
    first.Kill();
    Counter("in callback").AwaitAtLeast(1);
    ofOtherStub.AwaitTold();
    second.Kill();
    ofSecond.AwaitTold();
    // Requests of this process, to it, and of the kind that comes to a pool thread.
    ExpectKeptServedBy(third, "home", getpid());
    EXPECT_EQ(third.Ask("tell_kept", Parcel().Text("home").Text("count").Text("served")).result, OH_IPC_SUCCESS);
    Counter("served").AwaitAtLeast(1);
    Actor &fourth = StartActor();
    ExpectServedBy(fourth.Proxy(), fourth.Pid());
    EXPECT_EQ(blocked.Told(), 0u);
    Counter("gate").Add();
    blocked.AwaitTold();
    blocked.ExpectToldInAll(1);
    ofOtherStub.ExpectToldInAll(1);
    ofSecond.ExpectToldInAll(1);
}

TEST(a_blocked_callback_does_not_keep_the_next_one_waiting,
    "a callback that does not return keeps the later ones of its object from being told at all")
{
    Actor &actor = StartActor();
    Recipient blocked("blocked", [] {
        Counter("in callback").Add();
        Counter("gate").AwaitAtLeast(1);
    });
    Recipient next("next");
    EXPECT_EQ(blocked.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(next.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    EXPECT_EQ(next.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    Counter("in callback").AwaitAtLeast(1);
    next.AwaitTold(2);
    EXPECT_EQ(blocked.Told(), 0u);
    Counter("gate").Add();
    next.ExpectToldInAll(2);
    blocked.ExpectToldInAll(1);
}
