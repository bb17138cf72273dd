/* SPDX-License-Identifier: Apache-2.0 */
/* A stub of this process and a proxy of it, which calls its handler directly. */
#ifndef IPCKIT_TESTS_LOCAL_OBJECT_H
#define IPCKIT_TESTS_LOCAL_OBJECT_H

#include <IPCKit/ipc_kit.h>

#include "check.h"

/* The caller destroys the result, and the stub. */
static inline OHIPCRemoteProxy *proxy_of(const OHIPCRemoteStub *stub)
{
    OHIPCRemoteProxy *proxy;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel, stub), OH_IPC_SUCCESS);
    proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
    CHECK(proxy != NULL);
    OH_IPCParcel_Destroy(parcel);
    return proxy;
}

#endif /* IPCKIT_TESTS_LOCAL_OBJECT_H */
