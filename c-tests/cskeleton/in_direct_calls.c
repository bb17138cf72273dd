/* SPDX-License-Identifier: Apache-2.0 */
/* A request within the process is a call, not a transaction: the skeleton answers as outside of a handler. */
#include "identity_check.h"

static int calls;

static int handle(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)data;
    (void)reply;
    (void)userData;
    calls++;
    check_own_identity();
    check_identity_calls_without_effect();
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum((int)code), OH_IPC_SUCCESS);
    OH_IPCSkeleton_StopWorkThread();
    return OH_IPC_SUCCESS;
}

int main(void)
{
    OH_IPC_MessageOption async = {OH_IPC_REQUEST_MODE_ASYNC, 0, NULL};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OHIPCParcel *carrier = OH_IPCParcel_Create();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("in.direct.calls", handle, NULL, NULL);
    OHIPCRemoteProxy *proxy = NULL;
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(carrier, stub), OH_IPC_SUCCESS);
    proxy = OH_IPCParcel_ReadRemoteProxy(carrier);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 8, data, reply, NULL), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 16, data, NULL, &async), OH_IPC_SUCCESS);
    CHECK_EQ(calls, 2);
    check_own_identity();
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCParcel_Destroy(carrier);
    OH_IPCParcel_Destroy(reply);
    OH_IPCParcel_Destroy(data);
    return check_result();
}
