// SPDX-License-Identifier: Apache-2.0
// Starts a child process, asks it for a sum without waiting, is called back with it, and sees the child off.
#include "adder.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>

#include <AbilityKit/native_child_process.h>

namespace {

// Far more than any step takes; what happens is waited for, not the time.
constexpr std::chrono::seconds PATIENCE(30);

// Something that a thread of the library tells once, and main waits for.
template <typename T>
class Event {
public:
    void Tell(T value)
    {
        std::call_once(told_, [&] { promise_.set_value(value); });
    }
    // False where it did not come.
    bool Wait(T &value)
    {
        if (future_.wait_for(PATIENCE) != std::future_status::ready) {
            return false;
        }
        value = future_.get();
        return true;
    }

private:
    std::once_flag told_;
    std::promise<T> promise_;
    std::future<T> future_ = promise_.get_future();
};

// As user data an event is shared with the library: a callback may still run when main has given up waiting.
template <typename T>
void *ShareWithLibrary(const std::shared_ptr<Event<T>> &event)
{
    return new std::shared_ptr<Event<T>>(event);
}

template <typename T>
Event<T> &SharedEvent(void *userData)
{
    return **static_cast<std::shared_ptr<Event<T>> *>(userData);
}

template <typename T>
void ReleaseFromLibrary(void *userData)
{
    delete static_cast<std::shared_ptr<Event<T>> *>(userData);
}

struct Start {
    int code;
    OHIPCRemoteProxy *proxy;
};

// The start callback has no user data.
Event<Start> &StartEvent()
{
    static Event<Start> event;
    return event;
}

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    StartEvent().Tell({ code, proxy });
}

int OnSum(uint32_t code, const OHIPCParcel *data, OHIPCParcel *, void *userData)
{
    int64_t sum = 0;
    if (code != SUM_IS || !ReadsToken(data, SUM_TOKEN) || OH_IPCParcel_ReadInt64(data, &sum) != OH_IPC_SUCCESS) {
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    SharedEvent<int64_t>(userData).Tell(sum);
    return OH_IPC_SUCCESS;
}

void OnDeath(void *userData)
{
    SharedEvent<bool>(userData).Tell(true);
}

int Fail(const char *what, int code)
{
    std::fprintf(stderr, "async_add: %s (%d)\n", what, code);
    return 1;
}

// Asks for a + b; the adder's process answers through `receiver` when it pleases.
int RequestSum(const OHIPCRemoteProxy *adder, int32_t a, int32_t b, const OHIPCRemoteStub *receiver)
{
    ParcelPtr data(OH_IPCParcel_Create());
    if (data == nullptr) {
        return OH_IPC_INNER_ERROR;
    }
    if (OH_IPCParcel_WriteInterfaceToken(data.get(), ADDER_TOKEN) != OH_IPC_SUCCESS ||
        OH_IPCParcel_WriteInt32(data.get(), a) != OH_IPC_SUCCESS ||
        OH_IPCParcel_WriteInt32(data.get(), b) != OH_IPC_SUCCESS ||
        OH_IPCParcel_WriteRemoteStub(data.get(), receiver) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_WRITE_ERROR;
    }
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(adder, ADDER_ADD, data.get(), nullptr, &option);
}

int RequestExit(const OHIPCRemoteProxy *adder)
{
    ParcelPtr data(OH_IPCParcel_Create());
    ParcelPtr reply(OH_IPCParcel_Create());
    if (data == nullptr || reply == nullptr) {
        return OH_IPC_INNER_ERROR;
    }
    if (OH_IPCParcel_WriteInterfaceToken(data.get(), ADDER_TOKEN) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_WRITE_ERROR;
    }
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(adder, ADDER_EXIT, data.get(), reply.get(), &option);
}

int AskForSum(const OHIPCRemoteProxy *adder, int32_t a, int32_t b)
{
    auto sumCame = std::make_shared<Event<int64_t>>();
    StubPtr receiver(OH_IPCRemoteStub_Create(SUM_TOKEN, OnSum, ReleaseFromLibrary<int64_t>, ShareWithLibrary(sumCame)));
    if (receiver == nullptr) {
        return Fail("cannot create the stub for the sum", 0);
    }
    int ret = RequestSum(adder, a, b, receiver.get());
    if (ret != OH_IPC_SUCCESS) {
        return Fail("cannot ask for the sum", ret);
    }
    int64_t sum = 0;
    if (!sumCame->Wait(sum)) {
        return Fail("the sum did not come", 0);
    }
    std::printf("AsyncAdd: %" PRId32 " + %" PRId32 " = %" PRId64 ", ret=%d\n", a, b, sum, ret);
    return 0;
}

} // namespace

int main()
{
    int ret = OH_Ability_CreateNativeChildProcess(ADDER_LIBRARY, OnStarted);
    if (ret != NCP_NO_ERROR) {
        return Fail("cannot start a child process", ret);
    }
    Start start = { NCP_NO_ERROR, nullptr };
    if (!StartEvent().Wait(start)) {
        return Fail("nothing was heard of the child process", 0);
    }
    if (start.code != NCP_NO_ERROR) {
        return Fail("the child process did not start", start.code);
    }
    ProxyPtr adder(start.proxy);

    auto childDied = std::make_shared<Event<bool>>();
    RecipientPtr recipient(
        OH_IPCDeathRecipient_Create(OnDeath, ReleaseFromLibrary<bool>, ShareWithLibrary(childDied)));
    if (recipient == nullptr) {
        return Fail("cannot create a death recipient", 0);
    }
    ret = OH_IPCRemoteProxy_AddDeathRecipient(adder.get(), recipient.get());
    if (ret != OH_IPC_SUCCESS) {
        return Fail("cannot watch the child process", ret);
    }

    ret = AskForSum(adder.get(), 2, 3);
    if (ret != 0) {
        return ret;
    }
    ret = RequestExit(adder.get());
    if (ret != OH_IPC_SUCCESS) {
        return Fail("cannot ask the child process to exit", ret);
    }
    bool died = false;
    if (!childDied->Wait(died)) {
        return Fail("the child process did not exit", 0);
    }
    std::printf("The child process has ended.\n");
    return 0;
}
