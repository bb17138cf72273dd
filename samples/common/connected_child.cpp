// SPDX-License-Identifier: Apache-2.0
#include "connected_child.h"

#include <memory>
#include <mutex>

#include <AbilityKit/native_child_process.h>

#include "event.h"

namespace {

struct Outcome {
    int code;
    OHIPCRemoteProxy *proxy;
};

std::mutex g_mutex;
// The start callback has no user data: it tells the start that is under way.
std::shared_ptr<Event<Outcome>> g_outcome;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_outcome->Tell({ code, proxy });
}

} // namespace

ConnectedChild StartConnectedChild(const char *library)
{
    auto outcome = std::make_shared<Event<Outcome>>();
    {
        std::lock_guard<std::mutex> lock(g_mutex);
        g_outcome = outcome;
    }
    int code = OH_Ability_CreateNativeChildProcess(library, OnStarted);
    if (code != NCP_NO_ERROR) {
        return { code, nullptr };
    }
    Outcome told = { NCP_ERR_TIMEOUT, nullptr };
    outcome->Wait(told);
    return { told.code, ProxyPtr(told.proxy) };
}
