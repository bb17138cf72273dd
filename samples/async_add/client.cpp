// SPDX-License-Identifier: Apache-2.0
// Starts a child process, asks it for a sum without waiting, is called back with it, and sees the child off.
#include "adder.h"

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <utility>

#include "connected_child.h"
#include "event.h"
#include "owned.h"
#include "token.h"

namespace {

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
    ConnectedChild child = StartConnectedChild(ADDER_LIBRARY);
    if (child.proxy == nullptr) {
        return Fail("cannot start a child process", child.code);
    }
    ProxyPtr adder = std::move(child.proxy);

    auto childDied = std::make_shared<Event<bool>>();
    RecipientPtr recipient(
        OH_IPCDeathRecipient_Create(OnDeath, ReleaseFromLibrary<bool>, ShareWithLibrary(childDied)));
    if (recipient == nullptr) {
        return Fail("cannot create a death recipient", 0);
    }
    int ret = OH_IPCRemoteProxy_AddDeathRecipient(adder.get(), recipient.get());
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
