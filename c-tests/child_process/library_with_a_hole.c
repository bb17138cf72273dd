/* SPDX-License-Identifier: Apache-2.0 */
/* Can be loaded only by who binds functions when they are first called: one of them is defined nowhere. */
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <stdlib.h>

void DefinedNowhere(void);
OHIPCRemoteStub *NativeChildProcess_OnConnect(void);
void NativeChildProcess_MainProc(void);

static int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)data;
    (void)reply;
    (void)userData;
    return OH_IPC_SUCCESS;
}

OHIPCRemoteStub *NativeChildProcess_OnConnect(void)
{
    if (getenv("CHILD_CALLS_WHAT_IS_DEFINED_NOWHERE") != NULL) {
        DefinedNowhere();
    }
    return OH_IPCRemoteStub_Create("hole", OnRequest, NULL, NULL);
}

void NativeChildProcess_MainProc(void)
{
}
