// SPDX-License-Identifier: Apache-2.0
// What the children of parent.cpp run.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <condition_variable>
#include <mutex>

#include <unistd.h>

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
bool g_asked = false;

int OnRequest(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_asked = true;
    g_changed.notify_all();
    return OH_IPCParcel_WriteInt32(reply, 42);
}

} // namespace

extern "C" {

void Say(NativeChildProcess_Args args)
{
    if (write(args.fdList.head->fd, "hello", 5) != 5) {
        _exit(1);
    }
}

OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create("runtimes", OnRequest, nullptr, nullptr);
}

void NativeChildProcess_MainProc()
{
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [] { return g_asked; });
}

}
