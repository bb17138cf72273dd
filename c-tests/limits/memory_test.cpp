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

// Runs `action` with one of its allocations failing, or with that one and all after it; whether it has as many.
bool FailOne(long number, bool forGood, const std::function<void()> &action)
{
    g_hasFailed = false;
    g_forGood = forGood;
    g_left = number;
    action();
    g_left = -1;
    return g_hasFailed;
}

// More than any action has.
constexpr long MOST = 2000;

void CheckCode(int code)
{
    if (code != OH_IPC_SUCCESS && (code < OH_IPC_CHECK_PARAM_ERROR || code > OH_IPC_INNER_ERROR)) {
        fprintf(stderr, "%d is no error code\n", code);
        _exit(1);
    }
}

// What the actions use; nothing of it is made with memory of the C++ library's, which would throw.
struct Objects {
    OHIPCRemoteProxy *proxy;
    OHIPCRemoteStub *stub;
    OHIPCDeathRecipient *recipient;
};

Objects g_objects;

void MakeObjects(const Server &server)
{
    g_objects.proxy = server.Connect();
    g_objects.stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
    g_objects.recipient = OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr);
    CHECK_EQUAL(Ask(g_objects.proxy, CALL_BACK, 0, g_objects.stub), 7);
}

void Call(uint32_t code, bool withStub, OH_IPC_RequestMode mode)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    if (data != nullptr && reply != nullptr) {
        CheckCode(withStub ? OH_IPCParcel_WriteRemoteStub(data, g_objects.stub) : OH_IPCParcel_WriteInt32(data, 1));
        CheckCode(withStub ? OH_IPC_SUCCESS : OH_IPCParcel_WriteString(data, "a text of some length"));
        const OH_IPC_MessageOption option{mode, 0, nullptr};
        CheckCode(OH_IPCRemoteProxy_SendRequest(g_objects.proxy, code, data, reply, &option));
    }
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

void WriteAndRead()
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    if (parcel == nullptr) {
        return;
    }
    CheckCode(OH_IPCParcel_WriteInterfaceToken(parcel, "token"));
    CheckCode(OH_IPCParcel_WriteBuffer(parcel, reinterpret_cast<const uint8_t *>("buffer"), 6));
    CheckCode(OH_IPCParcel_WriteRemoteStub(parcel, g_objects.stub));
    CheckCode(OH_IPCParcel_WriteRemoteProxy(parcel, g_objects.proxy));
    CheckCode(OH_IPCParcel_WriteFileDescriptor(parcel, STDERR_FILENO));
    OHIPCParcel *copy = OH_IPCParcel_Create();
    if (copy != nullptr) {
        CheckCode(OH_IPCParcel_Append(copy, parcel));
        OH_IPCParcel_Destroy(copy);
    }
    char *token = nullptr;
    int32_t length = 0;
    CheckCode(OH_IPCParcel_ReadInterfaceToken(parcel, &token, &length, Allocate));
    free(token);
    OH_IPCParcel_Destroy(parcel);
}

void MakeAndDestroy()
{
    OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create("brief", OnEcho, nullptr, nullptr));
    OH_IPCDeathRecipient_Destroy(OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr));
    const int added = OH_IPCRemoteProxy_AddDeathRecipient(g_objects.proxy, g_objects.recipient);
    CheckCode(added);
    if (added == OH_IPC_SUCCESS) {
        CheckCode(OH_IPCRemoteProxy_RemoveDeathRecipient(g_objects.proxy, g_objects.recipient));
    }
}

// Once it is connected: each action again and again, with another of its allocations failing.
void EachAllocation()
{
    const Server server;
    const Server another;
    MakeObjects(server);
    long allocations = 0;
    for (const std::function<void()> &action : std::vector<std::function<void()>>{
             WriteAndRead, MakeAndDestroy, [] { Call(ECHO, false, OH_IPC_REQUEST_MODE_SYNC); },
             [] { Call(CALL_BACK, true, OH_IPC_REQUEST_MODE_SYNC); }, [] { Call(ECHO, false, OH_IPC_REQUEST_MODE_ASYNC); },
             [&] { OH_IPCRemoteProxy_Destroy(server.Import()); }, [&] { OH_IPCRemoteProxy_Destroy(another.Import()); },
             [&] { CheckCode(OH_IPCSkeleton_SetMaxWorkThreadNum(4)); }}) {
        for (const bool forGood : {false, true}) {
            long number = 0;
            while (number < MOST && FailOne(number, forGood, action)) {
                number++;
            }
            CHECK(number < MOST);
            allocations += number;
        }
        CheckThatItWorks(server);
    }
    CHECK(allocations > 0);
    CheckThatItWorks(another);
}

// The first use makes all that the library has, and all that it has for a thread; each time in a process of its own.
void FirstUse()
{
    const Server server;
    const auto useIt = [&] {
        g_objects.stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
        g_objects.proxy = server.Import();
        if (g_objects.proxy != nullptr && g_objects.stub != nullptr) {
            Call(ECHO, false, OH_IPC_REQUEST_MODE_SYNC);
            Call(CALL_BACK, true, OH_IPC_REQUEST_MODE_SYNC);
        }
        OH_IPCRemoteStub_Destroy(g_objects.stub);
        OH_IPCRemoteProxy_Destroy(g_objects.proxy);
    };
    for (const bool forGood : {false, true}) {
        bool hasFailed = true;
        long number = 0;
        for (; hasFailed; number++) {
            CHECK(number < MOST);
            int pipes[2];
            CHECK(pipe2(pipes, O_CLOEXEC) == 0);
            AwaitSuccess(Fork([&] {
                const bool failed = FailOne(number, forGood, useIt);
                CheckThatItWorks(server);
                WriteAll(pipes[1], &failed, sizeof failed);
            }));
            ReadAll(pipes[0], &hasFailed, sizeof hasFailed);
            close(pipes[0]);
            close(pipes[1]);
        }
        CHECK(number > 1);
    }
}

// No thread gets any memory: what is asked for is refused once what the library has for that case is in use, and comes back with it.
void NoneForAWhile()
{
    constexpr int STUBS = 5000;
    static OHIPCRemoteStub *stubs[STUBS];
    const Server server;
    const Server another;
    MakeObjects(server);
    StandardError log;
    for (int round = 0; round < 3; round++) {
        int made = 0;
        g_none = true;
        for (OHIPCRemoteStub *&stub : stubs) {
            stub = OH_IPCRemoteStub_Create("kept", OnEcho, nullptr, nullptr);
            made += stub != nullptr;
        }
        OHIPCRemoteProxy *const refused = another.Import();
        const int code = OH_IPCRemoteProxy_SendRequest(g_objects.proxy, ECHO, nullptr, nullptr, nullptr);
        Call(ECHO, false, OH_IPC_REQUEST_MODE_SYNC);
        MakeAndDestroy();
        for (OHIPCRemoteStub *stub : stubs) {
            OH_IPCRemoteStub_Destroy(stub);
        }
        for (int number = 0; number < 100; number++) {
            Call(ECHO, false, OH_IPC_REQUEST_MODE_SYNC);
            Call(CALL_BACK, true, OH_IPC_REQUEST_MODE_SYNC);
            MakeAndDestroy();
            WriteAndRead();
        }
        g_none = false;
        CHECK(made > 0 && made < STUBS);
        CHECK(refused == nullptr);
        CHECK_EQUAL(code, OH_IPC_CHECK_PARAM_ERROR);
        CheckThatItWorks(server);
        CheckThatItWorks(another);
    }
    CHECK(log.Says("ulimit -v"));
}

enum Order : uint32_t { TAKE_MEMORY = 100, GIVE_MEMORY, HANDLE };

int OnOrder(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    switch (code) {
    case TAKE_MEMORY:
        g_none = true;
        return OH_IPC_SUCCESS;
    case GIVE_MEMORY:
        g_none = false;
        return OH_IPC_SUCCESS;
    default:
        return OH_IPCParcel_Append(reply, data);
    }
}

// A process without memory that others call: it answers, or refuses.
void NoneInAServer()
{
    const Server serving(OnOrder);
    OHIPCRemoteProxy *proxy = serving.Connect();
    const std::vector<uint8_t> bytes(200000, 1);
    const auto send = [&](int32_t length) {
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        CHECK_EQUAL(OH_IPCParcel_WriteBuffer(data, bytes.data(), length), OH_IPC_SUCCESS);
        const int code = OH_IPCRemoteProxy_SendRequest(proxy, HANDLE, data, reply, nullptr);
        CHECK(code != OH_IPC_SUCCESS || OH_IPCParcel_GetDataSize(reply) == length);
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        return code;
    };
    for (int round = 0; round < 10; round++) {
        CHECK_EQUAL(send(200000), OH_IPC_SUCCESS);
        CHECK_EQUAL(Ask(proxy, TAKE_MEMORY), OH_IPC_SUCCESS);
        for (const int32_t length : {4, 100, 1000, 10000, 100000, 200000}) {
            CheckCode(send(length));
        }
        CHECK_EQUAL(Ask(proxy, GIVE_MEMORY), OH_IPC_SUCCESS);
    }
    OH_IPCRemoteProxy_Destroy(proxy);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"each_allocation", EachAllocation}, {"first_use", FirstUse}, {"none_for_a_while", NoneForAWhile},
            {"none_in_a_server", NoneInAServer}});
}
