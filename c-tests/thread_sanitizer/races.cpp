// SPDX-License-Identifier: Apache-2.0
// races NAME: a program with this data race. In each, steps of threads are made to come one after the other in a way that orders nothing,
// so that the race is there in every run, and what the library orders must not hide it.
#include "peer.hpp"

#include <map>

int raced_by_threads;
int raced_by_handlers;
int raced_by_stubs;
int raced_by_kinds;
int raced_after_sending;
int raced_by_direct_calls;
int raced_without_reply;
int raced_by_death;
unsigned char raced_buffer[4096];

namespace {

void Control(const Peer &)
{
    Step step;
    std::thread thread([&] {
        raced_by_threads++;
        step.Come();
    });
    step.Await();
    raced_by_threads++;
    thread.join();
}

void ConcurrentHandlers(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step entered;
    const int32_t number = Keep(peer, MakeStub([&] {
        entered.Come();
        entered.Await(2);
        raced_by_handlers++;
    }));
    Ask(peer, CALL, Parcel().Int(number).Int(2).Int(1));
}

void HandlersOfTwoStubs(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step entered;
    Event handled;
    const auto handler = [&] {
        entered.Come();
        entered.Await(2);
        raced_by_stubs++;
        handled.Come();
    };
    const int32_t first = Keep(peer, MakeStub(handler));
    const int32_t second = Keep(peer, MakeStub(handler));
    Ask(peer, POST, Parcel().Int(first).Int(1).Int(1));
    Ask(peer, POST, Parcel().Int(second).Int(1).Int(1));
    handled.Await(2);
}

void AsynchronousAndSynchronous(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step entered;
    Event handled;
    const int32_t number = Keep(peer, MakeStub([&] {
        entered.Come();
        entered.Await(2);
        raced_by_kinds++;
        handled.Come();
    }));
    Ask(peer, POST, Parcel().Int(number).Int(1).Int(1));
    Ask(peer, CALL, Parcel().Int(number).Int(1).Int(1));
    handled.Await(2);
}

void WrittenAfterSending(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step entered;
    Step written;
    Event handled;
    const int32_t number = Keep(peer, MakeStub([&] {
        entered.Come();
        written.Await();
        raced_after_sending++;
        handled.Come();
    }));
    Tell(peer, POST, Parcel().Int(number).Int(1).Int(1));
    entered.Await();
    raced_after_sending++;
    written.Come();
    handled.Await();
}

struct UserData {
    Step entered;
    Step written;
    Event handled;
    int value = 0;
};

int OnUserData(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *userData)
{
    auto *data = static_cast<UserData *>(userData);
    data->entered.Come();
    data->written.Await();
    data->value++;
    data->handled.Come();
    return OH_IPC_SUCCESS;
}

void UserDataChangedAfterCreation(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    UserData data;
    const int32_t number = Keep(peer, OH_IPCRemoteStub_Create("stub", OnUserData, nullptr, &data));
    Tell(peer, POST, Parcel().Int(number).Int(1).Int(1));
    data.entered.Await();
    data.value = 1;
    data.written.Come();
    data.handled.Await();
}

void DirectCalls(const Peer &)
{
    OHIPCRemoteStub *stub = MakeStub([] { raced_by_direct_calls++; });
    const auto *proxy = reinterpret_cast<OHIPCRemoteProxy *>(stub);
    Step called;
    std::thread thread([&] {
        Ask(proxy, ECHO);
        called.Come();
    });
    called.Await();
    raced_by_direct_calls++;
    thread.join();
}

void ReadingWhatNoReplyTold(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step written;
    const int32_t number = Keep(peer, MakeStub([&] {
        raced_without_reply++;
        written.Come();
    }));
    Tell(peer, POST, Parcel().Int(number).Int(1).Int(1));
    written.Await();
    raced_without_reply++;
}

void DeathCallback(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    static Step told;
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(
        [](void *) {
            raced_by_death++;
            told.Come();
        },
        nullptr, nullptr);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(peer, recipient), OH_IPC_SUCCESS);
    process.End();
    told.Await();
    raced_by_death++;
}

void OneParcelOnTwoThreads(const Peer &)
{
    Parcel parcel;
    Step written;
    std::thread thread([&] {
        parcel.Int(1);
        written.Come();
    });
    written.Await();
    parcel.Int(2);
    thread.join();
}

void BufferChangedWhileWritten(const Peer &)
{
    Parcel parcel;
    Step written;
    std::thread thread([&] {
        CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel.get(), raced_buffer, sizeof(raced_buffer)), OH_IPC_SUCCESS);
        written.Come();
    });
    written.Await();
    raced_buffer[17] = 1;
    thread.join();
}

void ProxyDestroyedByAnotherThread(const Peer &process)
{
    OHIPCRemoteProxy *peer = process.Connect();
    Step called;
    std::thread thread([&] {
        Ask(peer, ECHO);
        called.Come();
    });
    called.Await();
    OH_IPCRemoteProxy_Destroy(peer);
    thread.join();
}

const std::map<std::string, void (*)(const Peer &)> RACES = {
    { "control", Control },
    { "concurrent_handlers", ConcurrentHandlers },
    { "handlers_of_two_stubs", HandlersOfTwoStubs },
    { "asynchronous_and_synchronous", AsynchronousAndSynchronous },
    { "written_after_sending", WrittenAfterSending },
    { "user_data_changed_after_creation", UserDataChangedAfterCreation },
    { "direct_calls", DirectCalls },
    { "reading_what_no_reply_told", ReadingWhatNoReplyTold },
    { "death_callback", DeathCallback },
    { "one_parcel_on_two_threads", OneParcelOnTwoThreads },
    { "buffer_changed_while_written", BufferChangedWhileWritten },
    { "proxy_destroyed_by_another_thread", ProxyDestroyedByAnotherThread },
};

} // namespace

int main(int argc, char **argv)
{
    const auto race = RACES.find(argc == 2 ? argv[1] : "");
    if (race == RACES.end()) {
        fprintf(stderr, "usage: races NAME, where NAME is one of the table at the end of the source\n");
        return 2;
    }
    Peer peer;
    race->second(peer);
    if (race->first != "death_callback") {
        peer.End();
    }
    return check_result();
}
