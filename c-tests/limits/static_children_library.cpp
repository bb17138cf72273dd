// SPDX-License-Identifier: Apache-2.0
// A library that starts child processes of itself from the constructor of a static object, and waits for them there. It says by its exit
// status what went wrong.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

namespace {

std::mutex mutex;
std::condition_variable changed;
OHIPCRemoteProxy *child = nullptr;
int outcomes = 0;
int ended = 0;

int OnRequest(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    return OH_IPCParcel_WriteInt32(reply, 7);
}

void OnStarted(int error, OHIPCRemoteProxy *proxy)
{
    const std::lock_guard<std::mutex> lock(mutex);
    outcomes += error == NCP_NO_ERROR;
    child = proxy;
    changed.notify_all();
}

void OnExit(int32_t pid, int32_t)
{
    const std::lock_guard<std::mutex> lock(mutex);
    ended = pid;
    changed.notify_all();
}

void Require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "static object: %s\n", what);
        _exit(1);
    }
}

class Starter {
public:
    Starter()
    {
        // The children load this library too.
        if (getenv("STATIC_CHILDREN") != nullptr) {
            unsetenv("STATIC_CHILDREN");
            Connect();
            Run();
        }
    }

private:
    void Connect()
    {
        Require(OH_Ability_CreateNativeChildProcess("libstatic_children.so", OnStarted) == NCP_NO_ERROR, "not created");
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [] { return outcomes == 1; });
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        int32_t value = 0;
        Require(OH_IPCRemoteProxy_SendRequest(child, 1, data, reply, nullptr) == OH_IPC_SUCCESS, "no answer");
        Require(OH_IPCParcel_ReadInt32(reply, &value) == OH_IPC_SUCCESS && value == 7, "a wrong answer");
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        OH_IPCRemoteProxy_Destroy(child);
    }

    void Run()
    {
        int32_t pid = 0;
        Require(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit) == NCP_NO_ERROR, "not registered");
        Require(OH_Ability_StartNativeChildProcess("libstatic_children.so:Entry", NativeChildProcess_Args{},
                    NativeChildProcess_Options{}, &pid) == NCP_NO_ERROR, "not started");
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [pid] { return ended == pid; });
    }
};

Starter starter;

} // namespace

extern "C" {

OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create("static", OnRequest, nullptr, nullptr);
}

// Until the parent is gone.
void NativeChildProcess_MainProc()
{
    for (;;) {
        pause();
    }
}

void Entry(NativeChildProcess_Args) {}
}
