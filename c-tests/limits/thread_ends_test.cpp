// SPDX-License-Identifier: Apache-2.0
// Threads that end around a call: right after it, in the middle of it as far as they are concerned, or with calls among their last acts.
#include "processes.hpp"

#include <pthread.h>

namespace {

size_t Count(const char *what)
{
    const std::filesystem::directory_iterator all(what);
    return static_cast<size_t>(std::distance(begin(all), end(all)));
}

OHIPCRemoteProxy *g_proxy;
OHIPCRemoteStub *g_stub;
std::atomic<int> g_well{0};

void CallOnce()
{
    if (Ask(g_proxy, ECHO, 1) == 2 && Ask(g_proxy, CALL_BACK, 0, g_stub) == 7) {
        g_well++;
    }
}

void Join(pthread_t thread, void *expected)
{
    void *result = nullptr;
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK(result == expected);
}

void *CallAndReturn(void *)
{
    CallOnce();
    return nullptr;
}

void *CallAndExit(void *)
{
    CallOnce();
    pthread_exit(nullptr);
}

// Its last acts are calls of a destructor of C++ and one of POSIX, of which the latter runs when nothing of the thread's own is left.
void *CallAtTheEnd(void *key)
{
    struct Last {
        ~Last() { CallOnce(); }
    };
    static thread_local Last last;
    (void)&last;
    pthread_setspecific(*static_cast<pthread_key_t *>(key), key);
    return nullptr;
}

void Prepare(const Server &server)
{
    g_proxy = server.Connect();
    g_stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
    CallOnce();
    g_well = 0;
}

void RightAfterACall()
{
    constexpr int ROUNDS = 500;
    const Server server;
    Prepare(server);
    pthread_key_t key;
    CHECK_EQUAL(pthread_key_create(&key, [](void *) { CallOnce(); }), 0);
    size_t descriptors = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[3];
        CHECK_EQUAL(pthread_create(&threads[0], nullptr, CallAndReturn, nullptr), 0);
        CHECK_EQUAL(pthread_create(&threads[1], nullptr, CallAndExit, nullptr), 0);
        CHECK_EQUAL(pthread_create(&threads[2], nullptr, CallAtTheEnd, &key), 0);
        for (const pthread_t thread : threads) {
            Join(thread, nullptr);
        }
        if (round == 0) {
            descriptors = Count("/proc/self/fd");
        }
    }
    CHECK_EQUAL(g_well.load(), 4 * ROUNDS);
    AwaitThat("as few descriptors as before", [&] { return Count("/proc/self/fd") <= descriptors; });
    CallOnce();
    CHECK_EQUAL(g_well.load(), 4 * ROUNDS + 1);
}

// The thread that was called back has ended when the next call to it could come.
void WhileItIsCalledBack()
{
    const Server server;
    Prepare(server);
    for (int round = 0; round < 200; round++) {
        std::thread first([] { CallOnce(); });
        std::thread second([] { CallOnce(); });
        first.detach();
        second.join();
    }
    AwaitThat("the end of all threads", [] { return g_well == 400; });
}

// What a thread that is to be cancelled does at a moment of the test's choice.
struct Cancelled {
    std::function<void()> action;
    std::atomic<bool> mayBegin{false};
    std::atomic<bool> cameBack{false};
};

void *RunCancelled(void *argument)
{
    auto *const cancelled = static_cast<Cancelled *>(argument);
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    while (!cancelled->mayBegin) {
        std::this_thread::yield();
    }
    // From here on any system call that is a cancellation point ends the thread.
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    cancelled->action();
    cancelled->cameBack = true;
    for (;;) {
        pthread_testcancel();
    }
}

// The thread has been cancelled before the action begins, comes back from it, and ends then.
void CheckHeldOff(const std::function<void()> &action)
{
    Cancelled cancelled;
    cancelled.action = action;
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, nullptr, RunCancelled, &cancelled), 0);
    CHECK_EQUAL(pthread_cancel(thread), 0);
    cancelled.mayBegin = true;
    Join(thread, PTHREAD_CANCELED);
    CHECK(cancelled.cameBack);
}

void OnCancelledChild(int, OHIPCRemoteProxy *proxy)
{
    OH_IPCRemoteProxy_Destroy(proxy);
}

void *AllocateText(int32_t length)
{
    return malloc(static_cast<size_t>(length));
}

void CancellationIsHeldOff()
{
    const std::string library = std::filesystem::canonical(BuildDirectory() / "../child_process/libchild_library.so");
    const std::string entry = library + ":NativeChildProcess_MainProc";
    Behave("wait");
    const Server server;
    const Server another;
    // Every one of these uses the library for the first time, in a process of its own.
    for (const std::function<void()> &first : std::vector<std::function<void()>>{
             [] { CHECK_EQUAL(OH_IPCSkeleton_SetMaxWorkThreadNum(4), OH_IPC_SUCCESS); },
             [&] { CHECK(server.Import() != nullptr); },
             [] { CHECK(OH_IPCRemoteStub_Create("first", OnEcho, nullptr, nullptr) != nullptr); },
             [&] { CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(library.c_str(), OnCancelledChild), NCP_NO_ERROR); },
             [&] { CHECK_EQUAL(OH_Ability_CreateNativeChildProcess("../wrong", OnCancelledChild), 401); },
             [] { CHECK_EQUAL(OH_IPCSkeleton_SetMaxWorkThreadNum(0), OH_IPC_CHECK_PARAM_ERROR); },
             [] { CHECK_EQUAL(OH_IPCParcel_WriteInt32(nullptr, 1), OH_IPC_CHECK_PARAM_ERROR); }}) {
        AwaitSuccess(Fork([&] { CheckHeldOff(first); }));
    }

    Prepare(server);
    OHIPCRemoteProxy *other = another.Connect();
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr);
    OHIPCParcel *objects = OH_IPCParcel_Create();
    CHECK_EQUAL(OH_IPCParcel_WriteFileDescriptor(objects, STDERR_FILENO), OH_IPC_SUCCESS);
    CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(objects, g_stub), OH_IPC_SUCCESS);
    CHECK_EQUAL(OH_IPCParcel_WriteRemoteProxy(objects, other), OH_IPC_SUCCESS);
    OHIPCRemoteProxy *brief = nullptr;
    for (const std::function<void()> &action : std::vector<std::function<void()>>{
             [&] { CHECK_EQUAL(Ask(g_proxy, ECHO, 1), 2); },
             [&] { CHECK_EQUAL(Ask(g_proxy, CALL_BACK, 0, g_stub), 7); },
             [&] {
                 OHIPCParcel *reply = OH_IPCParcel_Create();
                 CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(g_proxy, LENGTH, objects, reply, nullptr), OH_IPC_SUCCESS);
                 OH_IPCParcel_Destroy(reply);
             },
             [&] {
                 OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
                 CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(g_proxy, LENGTH, objects, nullptr, &async), OH_IPC_SUCCESS);
             },
             [&] { CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(g_proxy, recipient), OH_IPC_SUCCESS); },
             [&] { CHECK_EQUAL(OH_IPCRemoteProxy_RemoveDeathRecipient(g_proxy, recipient), OH_IPC_SUCCESS); },
             [&] {
                 char *text = nullptr;
                 int32_t length = 0;
                 CHECK_EQUAL(OH_IPCRemoteProxy_GetInterfaceDescriptor(g_proxy, &text, &length, AllocateText), OH_IPC_SUCCESS);
                 free(text);
             },
             [&] {
                 OHIPCParcel *copy = OH_IPCParcel_Create();
                 CHECK_EQUAL(OH_IPCParcel_Append(copy, objects), OH_IPC_SUCCESS);
                 int descriptor = -1;
                 CHECK_EQUAL(OH_IPCParcel_ReadFileDescriptor(copy, &descriptor), OH_IPC_SUCCESS);
                 OH_IPCRemoteStub_Destroy(OH_IPCParcel_ReadRemoteStub(copy));
                 OH_IPCRemoteProxy_Destroy(OH_IPCParcel_ReadRemoteProxy(copy));
                 OH_IPCParcel_Destroy(copy);
                 // Not close(), at which a thread may be cancelled.
                 syscall(SYS_close, descriptor);
             },
             [&] { brief = server.Connect(); }, [&] { OH_IPCRemoteProxy_Destroy(brief); },
             [&] { OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create("brief", OnEcho, nullptr, nullptr)); },
             // What goes wrong is logged, to a file.
             [&] { CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(g_proxy, 0, objects, objects, nullptr), OH_IPC_CODE_OUT_OF_RANGE); },
             [&] { OH_IPCParcel_Destroy(objects); },
             [&] {
                 OH_IPCSkeleton_StopWorkThread();
                 CHECK_EQUAL(OH_IPCSkeleton_GetCallingPid(), static_cast<uint64_t>(getpid()));
             },
             [&] { CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(library.c_str(), OnCancelledChild), NCP_NO_ERROR); },
             [&] {
                 int32_t pid = 0;
                 char parameters[] = "";
                 CHECK_EQUAL(OH_Ability_StartNativeChildProcess(
                                 entry.c_str(), {parameters, {nullptr}}, {NCP_ISOLATION_MODE_NORMAL, 0}, &pid),
                     NCP_NO_ERROR);
                 CHECK_EQUAL(OH_Ability_KillChildProcess(pid), NCP_NO_ERROR);
             }}) {
        CheckHeldOff(action);
        // And nothing is locked or lost.
        CHECK_EQUAL(Ask(g_proxy, ECHO, 1), 2);
    }
    CheckThatItWorks(server);
    CheckThatItWorks(another);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"right_after_a_call", RightAfterACall}, {"while_it_is_called_back", WhileItIsCalledBack},
            {"cancellation_is_held_off", CancellationIsHeldOff}});
}
