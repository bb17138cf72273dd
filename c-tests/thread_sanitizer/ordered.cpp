// SPDX-License-Identifier: Apache-2.0
// What a program may rely on: nothing here is locked, and the sanitizer must have nothing to report. Each test keeps what it writes in
// plain memory, and leaves the ordering to the library.
#include <dlfcn.h>

#include <hilog/log.h>

#include "peer.hpp"

namespace {

constexpr int THREADS = 4;
constexpr int TIMES = 50;

void WritesBeforeARequestComeBeforeItsHandler(OHIPCRemoteProxy *peer)
{
    std::vector<int> written;
    int handled = 0;
    const int32_t number = Keep(peer, MakeStub([&] { handled = written.back(); }));
    for (int time = 1; time <= TIMES; time++) {
        written.push_back(time);
        // The handler runs on a worker, as another thread of the peer's calls.
        Ask(peer, CALL, Parcel().Int(number).Int(1).Int(1));
        CHECK_EQ(handled, time);
        written.push_back(-time);
        // And here on this thread, which waits.
        Ask(peer, CALL_NESTED, Parcel().Int(number));
        CHECK_EQ(handled, -time);
    }
    Ask(peer, DROP);
}

void AnAnswerToAnAsynchronousRequestComesAfterIt(OHIPCRemoteProxy *peer)
{
    struct State {
        int question = 0;
        int seen = 0;
    } state;
    Event answered;
    const int32_t number = Keep(peer, MakeStub([&] {
        state.seen = state.question;
        answered.Come();
    }));
    for (int time = 1; time <= TIMES; time++) {
        state.question = time;
        Tell(peer, POST, Parcel().Int(number).Int(1).Int(1));
        answered.Await(time);
        CHECK_EQ(state.seen, time);
    }
    Ask(peer, DROP);
}

void AsynchronousHandlersOfOneStubComeAfterEachOther(OHIPCRemoteProxy *peer)
{
    std::vector<int> order;
    bool ended = false;
    Event end;
    OHIPCRemoteStub *stub = MakeStub([&] { order.push_back(static_cast<int>(order.size())); },
        [&] {
            // The end comes after all handlers.
            ended = order.size() == static_cast<size_t>(THREADS * TIMES);
            end.Come();
        });
    const int32_t number = Keep(peer, stub);
    OH_IPCRemoteStub_Destroy(stub);
    Ask(peer, POST, Parcel().Int(number).Int(THREADS).Int(TIMES));
    Ask(peer, DROP);
    end.Await();
    CHECK(ended);
}

// A thread writes and sends an asynchronous request; another learns from a reply that it was handled.
void AReplyTellsOfWhatOtherThreadsSentBefore(OHIPCRemoteProxy *peer)
{
    const auto handled = [&] {
        Parcel reply;
        CHECK_EQ(Send(peer, POSTS_HANDLED, Parcel(), reply.get()), OH_IPC_SUCCESS);
        return ReadInt(reply.get());
    };
    const int before = handled();
    int written = 0;
    std::thread thread([&] {
        written = 7;
        Tell(peer, NOTE);
    });
    CHECK(Until([&] { return handled() > before; }));
    CHECK_EQ(written, 7);
    thread.join();
}

void ConcurrentHandlersWithALock(OHIPCRemoteProxy *peer)
{
    std::mutex mutex;
    int count = 0;
    const int32_t number = Keep(peer, MakeStub([&] {
        std::lock_guard<std::mutex> lock(mutex);
        count++;
    }));
    Ask(peer, CALL, Parcel().Int(number).Int(THREADS).Int(TIMES));
    // All replies came before this one.
    CHECK_EQ(count, THREADS * TIMES);
    Ask(peer, DROP);
}

// The last to let go is: another process, this thread, a parcel on another thread.
void TheEndOfAStubComesAfterItsUse(OHIPCRemoteProxy *peer)
{
    for (int time = 0; time < TIMES; time++) {
        auto *value = new int(0);
        Event ended;
        OHIPCRemoteStub *stub = MakeStub([value] { ++*value; }, [value, &ended] {
            CHECK_EQ(*value, 3);
            delete value;
            ended.Come();
        });
        const int32_t number = Keep(peer, stub);
        Ask(peer, CALL, Parcel().Int(number).Int(1).Int(1));
        Ask(reinterpret_cast<OHIPCRemoteProxy *>(stub), ECHO);
        if (time % 3 == 0) {
            ++*value;
            OH_IPCRemoteStub_Destroy(stub);
            Ask(peer, DROP);
        } else if (time % 3 == 1) {
            Ask(peer, DROP);
            ++*value;
            OH_IPCRemoteStub_Destroy(stub);
        } else {
            Ask(peer, DROP);
            auto parcel = std::make_unique<Parcel>();
            parcel->Stub(stub);
            std::thread thread([&, given = std::move(parcel)]() mutable {
                ++*value;
                given.reset();
            });
            OH_IPCRemoteStub_Destroy(stub);
            thread.join();
        }
        ended.Await();
    }
}

void ProxiesAndParcelsGoFromThreadToThread(OHIPCRemoteProxy *peer)
{
    int handled = 0;
    OHIPCRemoteStub *stub = MakeStub([&] { handled++; });
    const int32_t number = Keep(peer, stub);
    OH_IPCRemoteStub_Destroy(stub);
    Parcel reply;
    CHECK_EQ(Send(peer, GIVE, Parcel().Int(number), reply.get()), OH_IPC_SUCCESS);
    std::thread reader([&] {
        OHIPCRemoteProxy *home = OH_IPCParcel_ReadRemoteProxy(reply.get());
        // A stub of this very process, called directly.
        Ask(home, ECHO);
        std::thread destroyer([home] { OH_IPCRemoteProxy_Destroy(home); });
        destroyer.join();
    });
    reader.join();
    CHECK_EQ(handled, 1);
    Ask(peer, DROP);
}

void ThreadsShareAProxy(OHIPCRemoteProxy *peer)
{
    std::vector<std::thread> threads;
    std::vector<int> results(THREADS);
    for (int thread = 0; thread < THREADS; thread++) {
        threads.emplace_back([&, thread] {
            for (int time = 0; time < TIMES; time++) {
                char *descriptor = nullptr;
                int32_t length = 0;
                CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(peer, &descriptor, &length,
                             [](int32_t size) -> void * { return new char[static_cast<size_t>(size)]; }),
                    OH_IPC_SUCCESS);
                CHECK_TEXT(descriptor, "peer");
                delete[] descriptor;
                Ask(peer, ECHO);
                CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(peer), 0);
                results[static_cast<size_t>(thread)]++;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK_EQ(results[0], TIMES);
}

void AJoinedThreadHandlesToo(OHIPCRemoteProxy *peer)
{
    int count = 0;
    OHIPCRemoteStub *stub = MakeStub([&] { count++; });
    const int32_t number = Keep(peer, stub);
    Event joined;
    int before = 0;
    OHIPCRemoteStub *stop = MakeStub([&] {
        joined.Come();
        OH_IPCSkeleton_StopWorkThread();
    });
    const int32_t stopping = Keep(peer, stop);
    std::thread thread([&] {
        before = 1;
        OH_IPCSkeleton_JoinWorkThread();
        before = 2;
    });
    // Whichever thread handles it ends, until it is the joined one.
    std::atomic<bool> ended{ false };
    std::thread waiter([&] {
        thread.join();
        ended = true;
    });
    for (int posts = 1; !ended; posts++) {
        Ask(peer, CALL, Parcel().Int(number).Int(1).Int(1));
        Ask(peer, POST, Parcel().Int(stopping).Int(1).Int(1));
        joined.Await(posts);
    }
    waiter.join();
    CHECK_EQ(before, 2);
    CHECK(count > 0);
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCRemoteStub_Destroy(stop);
    Ask(peer, DROP);
}

int whatTheLogKnows = 0;
int whatTheLogTold = 0;

// The messages of one thread come to the callback on it; what was written before the callback was set is known to it.
void ALogCallbackKnowsWhatCameBeforeIt()
{
    Step set;
    Step logged;
    std::thread thread([&] {
        set.Await();
        OH_LOG_Print(LOG_APP, LOG_ERROR, 0x0, "tag", "%{public}d of %{public}s", 1, "two");
        logged.Come();
    });
    whatTheLogKnows = 3;
    OH_LOG_SetCallback([](LogType, LogLevel, unsigned int, const char *, const char *text) {
        whatTheLogTold = whatTheLogKnows + static_cast<int>(strlen(text));
    });
    set.Come();
    thread.join();
    CHECK_EQ(whatTheLogTold, 3 + 8);
    OH_LOG_SetCallback(nullptr);
}

// Recipients of one proxy are told one after the other; each knows what came before it was added.
void ADeathComesAfterWhatWasRegistered(OHIPCRemoteProxy *peer)
{
    struct Told {
        std::vector<int> order;
        Event told;
        Event gone;
    };
    struct UserData {
        Told &told;
        int number;
    };
    Told told;
    std::vector<OHIPCDeathRecipient *> recipients;
    for (int number = 0; number < 3; number++) {
        recipients.push_back(OH_IPCDeathRecipient_Create(
            [](void *data) {
                auto *of = static_cast<UserData *>(data);
                of->told.order.push_back(of->number);
                of->told.told.Come();
            },
            [](void *data) {
                auto *of = static_cast<UserData *>(data);
                Told &told = of->told;
                delete of;
                told.gone.Come();
            },
            new UserData{ told, number }));
    }
    told.order.reserve(8);
    std::thread adder([&] {
        for (OHIPCDeathRecipient *recipient : recipients) {
            CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(peer, recipient), OH_IPC_SUCCESS);
        }
    });
    adder.join();
    Tell(peer, LEAVE);
    told.told.Await(3);
    CHECK(told.order == std::vector<int>({ 0, 1, 2 }));
    for (OHIPCDeathRecipient *recipient : recipients) {
        OH_IPCDeathRecipient_Destroy(recipient);
    }
    told.gone.Await(3);
}

// What was done before the reply that never came.
void AFailedCallKnowsOfTheDeath(OHIPCRemoteProxy *peer)
{
    int written = 0;
    std::thread thread([&] {
        written = 5;
        Tell(peer, LEAVE);
    });
    while (Send(peer, ECHO, Parcel(), Parcel().get()) == OH_IPC_SUCCESS) {
    }
    CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(peer), 1);
    CHECK_EQ(written, 5);
    thread.join();
}

} // namespace

int main()
{
    // Without it nothing would be found, and all would be well.
    CHECK(dlsym(RTLD_DEFAULT, "__tsan_acquire") != nullptr);
    Peer process;
    Peer mortal;
    Peer another;
    OHIPCRemoteProxy *peer = process.Connect();
    WritesBeforeARequestComeBeforeItsHandler(peer);
    AnAnswerToAnAsynchronousRequestComesAfterIt(peer);
    AsynchronousHandlersOfOneStubComeAfterEachOther(peer);
    AReplyTellsOfWhatOtherThreadsSentBefore(peer);
    ConcurrentHandlersWithALock(peer);
    TheEndOfAStubComesAfterItsUse(peer);
    ProxiesAndParcelsGoFromThreadToThread(peer);
    ThreadsShareAProxy(peer);
    AJoinedThreadHandlesToo(peer);
    ALogCallbackKnowsWhatCameBeforeIt();
    ADeathComesAfterWhatWasRegistered(mortal.Connect());
    AFailedCallKnowsOfTheDeath(another.Connect());
    process.End();
    Reap(mortal.Pid());
    Reap(another.Pid());
    return check_result();
}
