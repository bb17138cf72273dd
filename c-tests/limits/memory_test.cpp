// SPDX-License-Identifier: Apache-2.0
// An allocation fails, whichever one of a function it is: the function returns an error code or NULL, or does without, and with
// memory to be had everything works. This program has the C library's allocator to itself.
#include "processes.hpp"

#include <cerrno>

extern "C" void *__libc_malloc(size_t);
extern "C" void *__libc_calloc(size_t, size_t);
extern "C" void *__libc_realloc(void *, size_t);
extern "C" void *__libc_memalign(size_t, size_t);

namespace {

// How many allocations of the calling thread succeed until one fails, and whether those after that fail too.
thread_local long g_left = -1;
thread_local bool g_forGood = false;
thread_local bool g_hasFailed = false;
// Whether those of all threads fail.
std::atomic<bool> g_none{false};

bool IsToFail()
{
    if (g_none) {
        return true;
    }
    if (g_left < 0) {
        return false;
    }
    if (g_left > 0) {
        g_left--;
        return false;
    }
    g_hasFailed = true;
    if (!g_forGood) {
        g_left = -1;
    }
    return true;
}

} // namespace

extern "C" void *malloc(size_t size)
{
    return IsToFail() ? (errno = ENOMEM, nullptr) : __libc_malloc(size);
}

extern "C" void *calloc(size_t count, size_t size)
{
    return IsToFail() ? (errno = ENOMEM, nullptr) : __libc_calloc(count, size);
}

extern "C" void *realloc(void *memory, size_t size)
{
    return IsToFail() ? (errno = ENOMEM, nullptr) : __libc_realloc(memory, size);
}

extern "C" int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *const result = IsToFail() ? nullptr : __libc_memalign(alignment, size);
    if (result == nullptr) {
        return ENOMEM;
    }
    *memory = result;
    return 0;
}

extern "C" void *aligned_alloc(size_t alignment, size_t size)
{
    return IsToFail() ? (errno = ENOMEM, nullptr) : __libc_memalign(alignment, size);
}

namespace {

// Runs `action` again and again, each time with another allocation of it failing, until none of its allocations does.
void FailEach(const char *what, const std::function<void()> &action)
{
    constexpr long MOST = 2000;
    for (const bool forGood : {false, true}) {
        long number = 0;
        for (; number < MOST; number++) {
            g_hasFailed = false;
            g_forGood = forGood;
            g_left = number;
            action();
            g_left = -1;
            if (!g_hasFailed) {
                break;
            }
        }
        fprintf(stderr, "%s: %ld\n", what, number);
        CHECK(number < MOST);
    }
}

void Explore(const char *what, const std::function<void()> &prepare, const std::function<void()> &action)
{
    const pid_t pid = Fork([&] {
        prepare();
        FailEach(what, action);
    });
    int status;
    waitpid(pid, &status, 0);
    fprintf(stderr, "%s -> %x\n", what, status);
}

int OnNothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *) { return 0; }

void Parcels()
{
    const Server server;
    OHIPCParcel *parcel = nullptr;
    OHIPCRemoteStub *stub = nullptr;
    OHIPCRemoteProxy *proxy = nullptr;
    const auto nothing = [] {};
    Explore("parcel create", nothing, [] { OH_IPCParcel_Destroy(OH_IPCParcel_Create()); });
    Explore("write", [&] {}, [&] { parcel = OH_IPCParcel_Create(); if (parcel) { OH_IPCParcel_WriteInt32(parcel, 1); OH_IPCParcel_WriteString(parcel, "text"); OH_IPCParcel_WriteBuffer(parcel, (const uint8_t *)"abcdefgh", 8); OH_IPCParcel_WriteInterfaceToken(parcel, "token"); } OH_IPCParcel_Destroy(parcel); });
    Explore("stub", nothing, [&] { OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create("text", OnNothing, nullptr, nullptr)); });
    Explore("recipient", nothing, [&] { OH_IPCDeathRecipient_Destroy(OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr)); });
    const auto everything = [&] { stub = OH_IPCRemoteStub_Create("text", OnNothing, nullptr, nullptr); };
    Explore("write objects", everything, [&] { parcel = OH_IPCParcel_Create(); if (parcel) { OH_IPCParcel_WriteRemoteStub(parcel, stub); OH_IPCParcel_WriteFileDescriptor(parcel, 2);  OH_IPCRemoteStub_Destroy(OH_IPCParcel_ReadRemoteStub(parcel)); int fd; if (OH_IPCParcel_ReadFileDescriptor(parcel, &fd) == 0) close(fd);} OH_IPCParcel_Destroy(parcel); });
    Explore("start", nothing, [&] { OH_IPCSkeleton_SetMaxWorkThreadNum(4); });
    Explore("import", nothing, [&] { OH_IPCRemoteProxy_Destroy(server.Import()); });
    const auto connect = [&] { stub = OH_IPCRemoteStub_Create("text", OnNothing, nullptr, nullptr); proxy = server.Connect(); Ask(proxy, ECHO, 1); };
    Explore("import again", connect, [&] { OH_IPCRemoteProxy_Destroy(server.Import()); });
    Explore("call", connect, [&] { OHIPCParcel *data = OH_IPCParcel_Create(), *reply = OH_IPCParcel_Create(); if (data && reply) { OH_IPCParcel_WriteInt32(data, 1); OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, reply, nullptr); } OH_IPCParcel_Destroy(data); OH_IPCParcel_Destroy(reply); });
    Explore("call with stub", connect, [&] { OHIPCParcel *data = OH_IPCParcel_Create(), *reply = OH_IPCParcel_Create(); if (data && reply) { OH_IPCParcel_WriteRemoteStub(data, stub); OH_IPCRemoteProxy_SendRequest(proxy, CALL_BACK, data, reply, nullptr); } OH_IPCParcel_Destroy(data); OH_IPCParcel_Destroy(reply); });
    Explore("post", connect, [&] { OHIPCParcel *data = OH_IPCParcel_Create(); OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr}; if (data) { OH_IPCParcel_WriteInt32(data, 1); OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, nullptr, &async); } OH_IPCParcel_Destroy(data); });
    Explore("descriptor", nothing, [&] { OHIPCRemoteProxy *p = server.Import(); if (p) { AskDescriptor(p); OH_IPCRemoteProxy_Destroy(p);} });
    Explore("watch", connect, [&] { auto *r = OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr); OH_IPCRemoteProxy_AddDeathRecipient(proxy, r); OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, r); OH_IPCDeathRecipient_Destroy(r); });
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments, {{"parcels", Parcels}});
}
