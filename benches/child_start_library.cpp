// SPDX-License-Identifier: Apache-2.0
// What the children of child_start run.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <unistd.h>

extern "C" {

void SayAndEnd(NativeChildProcess_Args args)
{
    if (write(args.fdList.head->fd, "x", 1) != 1) {
        _exit(1);
    }
}

OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create("child_start",
        [](uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *) { return OH_IPCParcel_WriteInt32(reply, getpid()); },
        nullptr, nullptr);
}

void NativeChildProcess_MainProc()
{
    // Until the parent is gone.
    for (;;) {
        pause();
    }
}

}
