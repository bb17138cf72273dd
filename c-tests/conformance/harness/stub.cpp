// SPDX-License-Identifier: Apache-2.0
#include "harness/stub.h"

#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <map>
#include <mutex>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/board.h"
#include "harness/expect.h"

namespace conformance {
namespace {

struct Registered {
    std::string name;
    Behaviour behaviour;
};

std::map<uint32_t, Registered> &Behaviours()
{
    static auto *behaviours = new std::map<uint32_t, Registered>;
    return *behaviours;
}

// Never destroyed: handlers may run until the process is gone.
struct Kept {
    std::mutex mutex;
    std::map<std::string, StubPtr> stubs;
    std::map<std::string, std::shared_ptr<OHIPCRemoteProxy>> proxies;
};

Kept &KeptObjects()
{
    static auto *kept = new Kept;
    return *kept;
}

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    auto found = Behaviours().find(code);
    if (found == Behaviours().end()) {
        WriteInt(reply, static_cast<int32_t>(code));
        return OH_IPC_SUCCESS;
    }
    // A copy, because a behaviour may destroy the stub.
    std::string name = *static_cast<std::string *>(userData);
    return found->second.behaviour(Request{ code, Reader(data), reply, name });
}

void OnDestroy(void *userData)
{
    std::unique_ptr<std::string> name(static_cast<std::string *>(userData));
    Counter("destroyed " + *name).Add();
}

} // namespace

bool RegisterBehaviour(const char *name, Behaviour behaviour)
{
    auto [entry, inserted] = Behaviours().emplace(Code(name), Registered{ name, behaviour });
    if (!inserted) {
        std::fprintf(stderr, "conformance: the behaviours %s and %s have one code\n", name, entry->second.name.c_str());
        std::abort();
    }
    return true;
}

StubPtr CreateStub(const std::string &name)
{
    StubPtr stub(OH_IPCRemoteStub_Create(("conformance." + name).c_str(), OnRequest, OnDestroy, new std::string(name)));
    EXPECT(stub != nullptr);
    return stub;
}

void KeepStub(const std::string &name, StubPtr stub)
{
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    EXPECT(KeptObjects().stubs.emplace(name, std::move(stub)).second);
}

OHIPCRemoteStub *KeptStub(const std::string &name)
{
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    auto found = KeptObjects().stubs.find(name);
    return EXPECT(found != KeptObjects().stubs.end()) ? found->second.get() : nullptr;
}

void DestroyKeptStub(const std::string &name)
{
    StubPtr stub;
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    auto found = KeptObjects().stubs.find(name);
    if (EXPECT(found != KeptObjects().stubs.end())) {
        stub = std::move(found->second);
        KeptObjects().stubs.erase(found);
    }
}

void KeepProxy(const std::string &name, ProxyPtr proxy)
{
    std::shared_ptr<OHIPCRemoteProxy> before(std::move(proxy));
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    KeptObjects().proxies[name].swap(before);
}

std::shared_ptr<OHIPCRemoteProxy> KeptProxy(const std::string &name)
{
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    auto found = KeptObjects().proxies.find(name);
    return EXPECT(found != KeptObjects().proxies.end()) ? found->second : nullptr;
}

void DropKeptProxy(const std::string &name)
{
    std::shared_ptr<OHIPCRemoteProxy> proxy;
    std::lock_guard<std::mutex> lock(KeptObjects().mutex);
    auto found = KeptObjects().proxies.find(name);
    if (EXPECT(found != KeptObjects().proxies.end())) {
        proxy = std::move(found->second);
        KeptObjects().proxies.erase(found);
    }
}

namespace {
OHIPCRemoteStub *g_connected = nullptr;
}

OHIPCRemoteStub *ConnectedStub()
{
    return g_connected;
}

void SetConnectedStub(OHIPCRemoteStub *stub)
{
    g_connected = stub;
}

int64_t CurrentThread()
{
    return syscall(SYS_gettid);
}

std::string CurrentThreadName()
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof(name));
    return name;
}

int CountDescriptors()
{
    DIR *directory = opendir("/proc/self/fd");
    if (!EXPECT(directory != nullptr)) {
        return -1;
    }
    int count = 0;
    while (readdir(directory) != nullptr) {
        count++;
    }
    closedir(directory);
    // Without "." and ".." and the directory's own.
    return count - 3;
}

} // namespace conformance
