// SPDX-License-Identifier: Apache-2.0
// Starts a child of each kind that runs the library named, and says what became of them. Built and run under everything that
// programs are debugged and measured with.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include <unistd.h>

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
bool g_told = false;
int g_code = -1;
OHIPCRemoteProxy *g_proxy = nullptr;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_code = code;
    g_proxy = proxy;
    g_told = true;
    g_changed.notify_all();
}

std::string ReadToEnd(int reading)
{
    std::string text;
    char piece[64];
    for (ssize_t length; (length = read(reading, piece, sizeof(piece))) > 0;) {
        text.append(piece, static_cast<size_t>(length));
    }
    return text;
}

int Run(const std::string &library)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return 1;
    }
    char name[] = "out";
    NativeChildProcess_Fd out{ name, ends[1], nullptr };
    NativeChildProcess_Args args{ nullptr, { &out } };
    int32_t pid = -1;
    int code = OH_Ability_StartNativeChildProcess((library + ":Say").c_str(), args, {}, &pid);
    close(ends[1]);
    std::printf("start: code %d, the child says: %s\n", code, ReadToEnd(ends[0]).c_str());
    close(ends[0]);
    return code;
}

int Connect(const std::string &library)
{
    int code = OH_Ability_CreateNativeChildProcess(library.c_str(), OnStarted);
    if (code != NCP_NO_ERROR) {
        return code;
    }
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [] { return g_told; });
    int32_t answer = 0;
    if (g_proxy != nullptr) {
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        OH_IPC_MessageOption option{ OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
        // The child ends after its answer; it has ended when no other answer comes.
        OH_IPCRemoteProxy_SendRequest(g_proxy, 1, data, reply, &option);
        OH_IPCParcel_ReadInt32(reply, &answer);
        while (OH_IPCRemoteProxy_IsRemoteDead(g_proxy) == 0) {
            usleep(1000);
        }
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        OH_IPCRemoteProxy_Destroy(g_proxy);
    }
    std::printf("create: code %d, the child answers: %d\n", g_code, answer);
    return g_code;
}

} // namespace

int main(int count, char **arguments)
{
    if (count < 2) {
        return 2;
    }
    // With another argument there is no child of Start.
    int code = count > 2 ? 0 : Run(arguments[1]);
    return Connect(arguments[1]) == NCP_NO_ERROR && code == NCP_NO_ERROR ? 0 : 1;
}
