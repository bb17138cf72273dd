// SPDX-License-Identifier: Apache-2.0
// libadder.so: a child process loads it and serves requests for sums until it is asked to exit.
#include "adder.h"

#include <condition_variable>
#include <mutex>

#include <hilog/log.h>

#include "owned.h"
#include "token.h"

#undef LOG_DOMAIN
#undef LOG_TAG
#define LOG_DOMAIN 0x0201
#define LOG_TAG "Adder"

namespace {

std::mutex g_mutex;
std::condition_variable g_exitChanged;
bool g_exitRequested = false;

int SendSum(const OHIPCRemoteProxy *receiver, int64_t sum)
{
    ParcelPtr data(OH_IPCParcel_Create());
    ParcelPtr reply(OH_IPCParcel_Create());
    if (data == nullptr || reply == nullptr) {
        return OH_IPC_INNER_ERROR;
    }
    if (OH_IPCParcel_WriteInterfaceToken(data.get(), SUM_TOKEN) != OH_IPC_SUCCESS ||
        OH_IPCParcel_WriteInt64(data.get(), sum) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_WRITE_ERROR;
    }
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(receiver, SUM_IS, data.get(), reply.get(), &option);
}

int Add(const OHIPCParcel *data)
{
    int32_t a = 0;
    int32_t b = 0;
    if (OH_IPCParcel_ReadInt32(data, &a) != OH_IPC_SUCCESS || OH_IPCParcel_ReadInt32(data, &b) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_READ_ERROR;
    }
    ProxyPtr receiver(OH_IPCParcel_ReadRemoteProxy(data));
    if (receiver == nullptr) {
        return OH_IPC_PARCEL_READ_ERROR;
    }
    int ret = SendSum(receiver.get(), int64_t{ a } + b);
    // Nobody sees what the handler of an async request returns.
    if (ret != OH_IPC_SUCCESS) {
        OH_LOG_ERROR(LOG_APP, "cannot send the sum: %{public}d", ret);
    }
    return ret;
}

int RequestExit()
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_exitRequested = true;
    g_exitChanged.notify_all();
    return OH_IPC_SUCCESS;
}

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *, void *)
{
    if (!ReadsToken(data, ADDER_TOKEN)) {
        OH_LOG_ERROR(LOG_APP, "request %{public}u does not begin with the adder's token", code);
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    switch (code) {
        case ADDER_ADD:
            return Add(data);
        case ADDER_EXIT:
            return RequestExit();
        default:
            return OH_IPC_CODE_OUT_OF_RANGE;
    }
}

} // namespace

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    // The client's proxy keeps the stub alive from here on; it dies with that, or with this process.
    static OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create(ADDER_TOKEN, OnRequest, nullptr, nullptr);
    return stub;
}

extern "C" void NativeChildProcess_MainProc()
{
    std::unique_lock<std::mutex> lock(g_mutex);
    g_exitChanged.wait(lock, [] { return g_exitRequested; });
}
