/* SPDX-License-Identifier: Apache-2.0 */
/* A library that has one of the two functions. */
#include <IPCKit/ipc_kit.h>

#include <stddef.h>

OHIPCRemoteStub *NativeChildProcess_OnConnect(void);

OHIPCRemoteStub *NativeChildProcess_OnConnect(void)
{
    return NULL;
}
