// SPDX-License-Identifier: Apache-2.0
// Signals come while a function waits, with handlers after which system calls are restarted and with such after which they are not: the
// function returns what it would have without them, and no handler runs on a thread of the library's.
#include "processes.hpp"

#include <cstring>

namespace {

// So many a wait has to outlast.
constexpr int ENOUGH = 200;

std::atomic<int> g_handled{0};
std::atomic<bool> g_onALibraryThread{false};

void OnSignal(int)
{
    const int error = errno;
    char name[16] = {};
    prctl(PR_GET_NAME, name);
    if (strncmp(name, "OS_IPC_", 7) == 0 || strncmp(name, "ipckit_", 7) == 0) {
        g_onALibraryThread = true;
    }
    g_handled++;
    errno = error;
}

bool EnoughHaveCome()
{
    return g_handled >= ENOUGH;
}

void AwaitSignals()
{
    AwaitThat("signals", EnoughHaveCome);
}

// Signals for one thread and for the process, one after the other, as long as it lives.
class Storm {
public:
    explicit Storm(pthread_t thread)
        : sender_([this, thread] {
              sigset_t all;
              sigfillset(&all);
              pthread_sigmask(SIG_SETMASK, &all, nullptr);
              while (!over_) {
                  pthread_kill(thread, SIGUSR1);
                  kill(getpid(), SIGUSR2);
                  std::this_thread::yield();
              }
          })
    {
    }
    ~Storm()
    {
        over_ = true;
        sender_.join();
    }

private:
    std::atomic<bool> over_{false};
    std::thread sender_;
};

// The storm is not for the thread that looks for its end: each signal makes a sleep longer by its slack, so that it would never end.
class Sheltered {
public:
    Sheltered()
    {
        sigset_t storm;
        sigemptyset(&storm);
        sigaddset(&storm, SIGUSR1);
        sigaddset(&storm, SIGUSR2);
        CHECK(pthread_sigmask(SIG_BLOCK, &storm, &before_) == 0);
    }
    ~Sheltered() { CHECK(pthread_sigmask(SIG_SETMASK, &before_, nullptr) == 0); }

private:
    sigset_t before_;
};

// Runs `wait` on a thread of its own in a storm, and `end`, which has to end it, on another one when enough signals have come.
void InAStorm(int flags, const std::function<void()> &wait, const std::function<void()> &end)
{
    struct sigaction action{};
    action.sa_handler = OnSignal;
    action.sa_flags = flags;
    CHECK(sigaction(SIGUSR1, &action, nullptr) == 0 && sigaction(SIGUSR2, &action, nullptr) == 0);
    std::atomic<bool> mayBegin{false};
    std::atomic<bool> isOver{false};
    std::thread waiting([&] {
        while (!mayBegin) {
            std::this_thread::yield();
        }
        wait();
        isOver = true;
        // Whoever sends signals needs a thread to send them to.
        while (mayBegin) {
            std::this_thread::yield();
        }
    });
    {
        const Sheltered sheltered;
        const Storm storm(waiting.native_handle());
        g_handled = 0;
        mayBegin = true;
        AwaitSignals();
        end();
        AwaitThat("the end of a wait", [&] { return isOver.load(); });
    }
    mayBegin = false;
    waiting.join();
    CHECK(!g_onALibraryThread);
}

void InEitherStorm(const std::function<void()> &wait, const std::function<void()> &end)
{
    for (const int flags : {0, SA_RESTART}) {
        InAStorm(flags, wait, end);
    }
}

// A process that is stopped keeps whoever asks it something waiting, whatever it is asked for.
void AskAStoppedServer(const std::function<void(const Server &)> &before, const std::function<void(const Server &)> &ask)
{
    for (const int flags : {0, SA_RESTART}) {
        const Server server;
        before(server);
        CHECK(kill(server.Pid(), SIGSTOP) == 0);
        InAStorm(
            flags, [&] { ask(server); }, [&] { CHECK(kill(server.Pid(), SIGCONT) == 0); });
    }
}

OHIPCRemoteProxy *g_proxy;

void Remember(const Server &server)
{
    g_proxy = server.Connect();
}

void ARequest()
{
    AskAStoppedServer(Remember, [](const Server &) { CHECK_EQUAL(Ask(g_proxy, ECHO, 1), 2); });
}

void Connecting()
{
    AskAStoppedServer([](const Server &) {}, [](const Server &server) { Remember(server); });
    // One that is known already is asked for another share.
    AskAStoppedServer(Remember, [](const Server &server) { Remember(server); });
}

void InterfaceDescriptor()
{
    AskAStoppedServer(Remember, [](const Server &) { CHECK_EQUAL(AskDescriptor(g_proxy), OH_IPC_SUCCESS); });
}

void NestedRequest()
{
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
    AskAStoppedServer(Remember, [&](const Server &) { CHECK_EQUAL(Ask(g_proxy, CALL_BACK, 0, stub), 7); });
}

// To pass a proxy on takes the answer of its stub's process.
void PassingOn()
{
    const Server receiver;
    OHIPCRemoteProxy *to = receiver.Connect();
    AskAStoppedServer(Remember, [&](const Server &) {
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        CHECK_EQUAL(OH_IPCParcel_WriteRemoteProxy(data, g_proxy), OH_IPC_SUCCESS);
        CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(to, CALL_BACK, data, reply, nullptr), OH_IPC_SUCCESS);
        int32_t value = 0;
        CHECK_EQUAL(OH_IPCParcel_ReadInt32(reply, &value), OH_IPC_SUCCESS);
        CHECK_EQUAL(value, 7);
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
    });
}

std::atomic<pid_t> g_joined{0};
std::atomic<bool> g_mayEnd{false};

// On a joined thread it ends the joining, on one of the pool it waits until the joined one has.
int OnStop(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    if (syscall(SYS_gettid) == g_joined) {
        OH_IPCSkeleton_StopWorkThread();
        g_joined = 0;
    } else {
        AwaitThat("the end of the joining", [] { return g_joined == 0; });
    }
    return OH_IPC_SUCCESS;
}

void JoinWorkThread()
{
    constexpr int CALLERS = 6;
    int references[2];
    int orders[2];
    int answered[2];
    CHECK(pipe2(references, O_CLOEXEC) == 0 && pipe2(orders, O_CLOEXEC) == 0 && pipe2(answered, O_CLOEXEC) == 0);
    // More calls at once than the pool has threads, as often as it is ordered.
    const pid_t client = Fork([&] {
        Reference reference;
        ReadAll(references[0], reference.data(), reference.size());
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
        CHECK(proxy != nullptr);
        for (char order; read(orders[0], &order, 1) == 1;) {
            std::vector<std::thread> callers;
            for (int number = 0; number < CALLERS; number++) {
                callers.emplace_back([&] { CHECK_EQUAL(Ask(proxy, 1), OH_IPC_SUCCESS); });
            }
            for (std::thread &caller : callers) {
                caller.join();
            }
            WriteAll(answered[1], "", 1);
        }
    });
    close(answered[1]);
    CHECK_EQUAL(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("stopping", OnStop, nullptr, nullptr);
    CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
    Reference reference;
    CHECK_EQUAL(ipckit_reference_export(stub, reference.data()), 0);
    WriteAll(references[1], reference.data(), reference.size());
    InEitherStorm(
        [] {
            g_joined = static_cast<pid_t>(syscall(SYS_gettid));
            OH_IPCSkeleton_JoinWorkThread();
        },
        [&] {
            WriteAll(orders[1], "", 1);
            // A thread of the pool that was still at a call of this round would wait for the end of the next one's joining.
            char answer = 0;
            ReadAll(answered[0], &answer, 1);
        });
    kill(client, SIGKILL);
    waitpid(client, nullptr, 0);
}

void WaitForSignals(int code, OHIPCRemoteProxy *proxy)
{
    CHECK_EQUAL(code, NCP_NO_ERROR);
    // Create waits for this to return.
    g_mayEnd = Happens(EnoughHaveCome);
    OH_IPCRemoteProxy_Destroy(proxy);
}

std::string ChildLibrary()
{
    return std::filesystem::canonical(BuildDirectory() / "../child_process/libchild_library.so");
}

void Create()
{
    const std::string library = ChildLibrary();
    setenv("IPCKIT_CHILD_HEAD_START_MS", "60000", 1);
    Behave("wait");
    InEitherStorm(
        [&] {
            CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(library.c_str(), WaitForSignals), NCP_NO_ERROR);
            CHECK(g_mayEnd.exchange(false));
        },
        [] {});
}

void StartChildren()
{
    const std::string library = ChildLibrary() + ":NativeChildProcess_MainProc";
    Behave("return at once");
    InEitherStorm(
        [&] {
            for (int child = 0; child < 5 || !EnoughHaveCome(); child++) {
                int32_t pid = 0;
                char parameters[] = "exit";
                const int code = OH_Ability_StartNativeChildProcess(
                    library.c_str(), {parameters, {nullptr}}, {NCP_ISOLATION_MODE_NORMAL, 0}, &pid);
                CHECK(code == NCP_NO_ERROR || code == NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
            }
        },
        [] {});
}

// Where the system is asked for everything that it gives: memory, sockets, threads.
void FirstUse()
{
    const Server server;
    for (int round = 0; round < 20; round++) {
        AwaitSuccess(Fork([&] {
            struct sigaction action{};
            action.sa_handler = OnSignal;
            CHECK(sigaction(SIGUSR1, &action, nullptr) == 0 && sigaction(SIGUSR2, &action, nullptr) == 0);
            const Storm storm(pthread_self());
            CheckThatItWorks(server);
            CHECK(!g_onALibraryThread);
        }));
    }
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"request", ARequest}, {"connecting", Connecting}, {"interface_descriptor", InterfaceDescriptor},
            {"nested_request", NestedRequest}, {"passing_on", PassingOn}, {"join_work_thread", JoinWorkThread},
            {"create", Create}, {"start_children", StartChildren}, {"first_use", FirstUse}});
}
