// SPDX-License-Identifier: Apache-2.0
// The clock jumps while processes talk to each other, to and fro: the wall clock alone, or the monotonic one with it. libfaketime lies
// to the test and all its processes about either.
#include "limits.hpp"

#include <ctime>

namespace {

constexpr const char *JUMPS[] = {"+0", "+400d", "-400d", "+1d", "-1d", "+3600", "-3600", "+2", "-2"};

// Where the offset is that libfaketime reads anew for each look at a clock.
std::string OffsetFile()
{
    const char *file = getenv("FAKETIME_TIMESTAMP_FILE");
    CHECK(file != nullptr);
    return file;
}

void Jump(const char *offset)
{
    // In one step: whoever reads it meanwhile finds the one or the other.
    const std::string file = OffsetFile();
    std::ofstream(file + ".new") << offset << '\n';
    std::filesystem::rename(file + ".new", file);
}

time_t SecondsOf(clockid_t clock)
{
    timespec time{};
    CHECK(clock_gettime(clock, &time) == 0);
    return time.tv_sec;
}

// Where ./run test looks for it too.
std::string FindLibrary()
{
    for (const char *directory : {"/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime",
             "/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime"}) {
        const std::string library = std::string(directory) + "/libfaketimeMT.so.1";
        if (access(library.c_str(), R_OK) == 0) {
            return library;
        }
    }
    return "";
}

// Begins anew with a clock that jumps; goes on in a process where it does.
void HaveClockJump(const char *scenario, bool monotonicToo)
{
    if (getenv("FAKETIME_TIMESTAMP_FILE") != nullptr) {
        return;
    }
    const std::string library = FindLibrary();
    if (library.empty()) {
        std::cout << "skipped: libfaketime is not installed\n";
        exit(NOT_RUN);
    }
    const TemporaryDirectory directory;
    const std::string file = directory.Path() / "offset";
    std::ofstream(file) << "+0\n";
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    AwaitSuccess(Fork([&] {
        setenv("LD_PRELOAD", library.c_str(), 1);
        setenv("FAKETIME_TIMESTAMP_FILE", file.c_str(), 1);
        setenv("FAKETIME_NO_CACHE", "1", 1);
        setenv("FAKETIME_DONT_FAKE_MONOTONIC", monotonicToo ? "0" : "1", 1);
        // Each look at a file would hold a semaphore that all these processes share, and who is killed meanwhile would keep it.
        setenv("NO_FAKE_STAT", "1", 1);
        execl(program.c_str(), program.c_str(), scenario, static_cast<char *>(nullptr));
        _exit(127);
    }));
    exit(0);
}

std::atomic<int> g_told{0};

// Everything that has a time in it: waits, sleeps, looks and deadlines of all threads, messages that are sorted by when they were sent,
// a child's start, a death.
void UseEverything()
{
    CHECK_EQUAL(SecondsOf(CLOCK_REALTIME), time(nullptr));
    Facts facts;
    const std::string library = ChildLibrary();
    Behave("wait");
    const Server server;
    OHIPCRemoteProxy *proxy = server.Connect();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
    std::atomic<bool> over{false};
    std::atomic<int> calls{0};
    std::thread caller([&] {
        while (!over) {
            CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
            CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
            OHIPCParcel *data = OH_IPCParcel_Create();
            OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
            CHECK_EQUAL(OH_IPCParcel_WriteInt32(data, 1), OH_IPC_SUCCESS);
            const int result = OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, nullptr, &async);
            CHECK(result == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR);
            OH_IPCParcel_Destroy(data);
            calls++;
        }
    });
    int deaths = 0;
    for (const char *offset : JUMPS) {
        const int before = calls;
        AwaitThat("calls before a jump", [&] { return calls > before + 20; });
        Jump(offset);
        const int after = calls;
        AwaitThat("calls after a jump", [&] { return calls > after + 20; });
        CheckThatItWorks(server);
        OHIPCRemoteProxy *child = StartWell(library);
        OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create([](void *) { g_told++; }, nullptr, nullptr);
        CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(child, recipient), OH_IPC_SUCCESS);
        CHECK(kill(facts.LastPid(), SIGKILL) == 0);
        deaths++;
        AwaitThat("a death to be told", [&] { return g_told == deaths; });
        OH_IPCDeathRecipient_Destroy(recipient);
        OH_IPCRemoteProxy_Destroy(child);
    }
    over = true;
    caller.join();
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCRemoteProxy_Destroy(proxy);
}

// That the jumps are seen at all: without them the test would say nothing.
void CheckJumps(clockid_t clock, bool jumps)
{
    Jump("+0");
    const time_t before = SecondsOf(clock);
    Jump("+400d");
    CHECK_EQUAL(SecondsOf(clock) - before > 300 * 24 * 3600, jumps);
    Jump("+0");
}

void TheWallClock()
{
    HaveClockJump("the_wall_clock", false);
    CheckJumps(CLOCK_REALTIME, true);
    CheckJumps(CLOCK_MONOTONIC, false);
    UseEverything();
}

void EveryClock()
{
    HaveClockJump("every_clock", true);
    CheckJumps(CLOCK_REALTIME, true);
    CheckJumps(CLOCK_MONOTONIC, true);
    UseEverything();
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments, {{"the_wall_clock", TheWallClock}, {"every_clock", EveryClock}});
}
