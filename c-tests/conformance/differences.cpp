// SPDX-License-Identifier: Apache-2.0
// Rows of docs/differences.md that no other file here holds.
#include <cctype>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

// Calls that one process can have under way to another, and asynchronous messages that the other has not taken in.
constexpr int CALLS_AT_ONCE = 128;
constexpr int MESSAGES_AT_ONCE = 8192;
constexpr size_t BYTES_AT_ONCE = 4 * 1024 * 1024;
constexpr size_t LARGEST = 204800;

// Does three times what a device does otherwise. The documentation is followed with one line in the log that says so.
void ExpectToldOnce(const std::string &part, const std::function<void()> &leanOnIt)
{
    for (int round = 0; round < 3; round++) {
        leanOnIt();
    }
    EXPECT_EQ(CountInOutput(part), DeviceMode() ? 0u : 1u);
    EXPECT_EQ(CountInOutput("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}

int WriteConnectedStub()
{
    Parcel parcel;
    int result = OH_IPCParcel_WriteRemoteStub(parcel.Get(), ConnectedStub());
    if (result == OH_IPC_SUCCESS) {
        EXPECT_EQ(Ask(parcel.Read().Proxy().get(), "pid").Read().Int(), getpid());
    }
    return result;
}

std::string FirstLine(const std::string &path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::vector<std::string> ThreadNumbers()
{
    std::vector<std::string> numbers;
    DIR *directory = opendir("/proc/self/task");
    while (dirent *entry = readdir(directory)) {
        if (isdigit(static_cast<unsigned char>(entry->d_name[0]))) {
            numbers.push_back(entry->d_name);
        }
    }
    closedir(directory);
    return numbers;
}

// How often each other thread of this process has gone to sleep; nothing where one of them runs.
std::optional<std::map<std::string, std::string>> Sleeps()
{
    std::map<std::string, std::string> sleeps;
    for (const std::string &thread : ThreadNumbers()) {
        if (thread == std::to_string(syscall(SYS_gettid))) {
            continue;
        }
        std::ifstream status("/proc/self/task/" + thread + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("State:", 0) == 0 && line.find('R') != std::string::npos) {
                return std::nullopt;
            }
            if (line.rfind("voluntary_ctxt_switches:", 0) == 0) {
                sleeps[thread] = line;
            }
        }
    }
    return sleeps;
}

// Whether every other thread of this process sleeps. One that is woken after it was looked at may be asleep again when the next one is, so
// that only who has not run between two looks at all slept in between.
bool AllSleep()
{
    const auto before = Sleeps();
    return before && before == Sleeps();
}

int SendSize(const Actor &actor, size_t size)
{
    Parcel data;
    if (size > 0) {
        data.Bytes(size);
    }
    return actor.Tell("pid", data);
}

int FillStopped(const Actor &actor, size_t size)
{
    int accepted = 0;
    while (accepted <= MESSAGES_AT_ONCE && SendSize(actor, size) == OH_IPC_SUCCESS) {
        accepted++;
    }
    EXPECT_EQ(SendSize(actor, size), OH_IPC_INNER_ERROR);
    return accepted;
}

} // namespace

// → results of writing the stub that OnConnect returned
BEHAVIOUR(write_connected_stub)
{
    WriteInt(request.reply, WriteConnectedStub());
    return OH_IPC_SUCCESS;
}

// ; ends this worker
BEHAVIOUR(stop_this_worker)
{
    OH_IPCSkeleton_StopWorkThread();
    return OH_IPC_SUCCESS;
}

// name of a kept proxy → who its process says is calling, before and after this process has changed its user
BEHAVIOUR(change_user)
{
    std::string name = request.data.Text();
    WriteLong(request.reply, ReadReport(Ask(KeptProxy(name).get(), "identity").Read()).identity.callingUid);
    if (geteuid() == 0) {
        EXPECT_EQ(seteuid(65534), 0);
    }
    WriteLong(request.reply, ReadReport(Ask(KeptProxy(name).get(), "identity").Read()).identity.callingUid);
    return OH_IPC_SUCCESS;
}

TEST(a_connected_stub_is_written, "documented: the stub that OnConnect returned cannot be written; device: it can")
{
    Actor &actor = StartActor();
    ExpectToldOnce("NativeChildProcess_OnConnect returned was written", [&] {
        EXPECT_EQ(actor.Ask("write_connected_stub").Read().Int(),
            DeviceMode() ? OH_IPC_PARCEL_WRITE_ERROR : OH_IPC_SUCCESS);
    });
}

TEST(an_unnoticed_death_is_told_once, "the log keeps silent about a death without a recipient, or repeats itself")
{
    Actor &actor = StartActor();
    actor.Kill();
    actor.AwaitEnd();
    if (!DeviceMode()) {
        AwaitDead(actor.Proxy());
    }
    ExpectToldOnce("only after a death recipient has been told", [&] {
        EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(actor.Proxy()), DeviceMode() ? 0 : 1);
    });
}

TEST(a_request_after_the_notice_is_told_once, "the log keeps silent about requests after a notice, or repeats itself")
{
    Actor &actor = StartActor();
    Recipient recipient("told");
    EXPECT_EQ(recipient.AddTo(actor.Proxy()), OH_IPC_SUCCESS);
    actor.Kill();
    recipient.AwaitTold();
    ExpectToldOnce("after a death notice, OH_IPC_INNER_ERROR", [&] {
        EXPECT_EQ(actor.Ask("pid").result, DeviceMode() ? OH_IPC_INNER_ERROR : OH_IPC_DEAD_REMOTE_OBJECT);
    });
}

TEST(a_stopped_worker_is_told_once, "the log keeps silent about a stopped worker of the pool, or repeats itself")
{
    constexpr char PART[] = "a worker of the pool was stopped";
    Actor &actor = StartActor();
    actor.Ask("stop_this_worker");
    // The thread says it at its end, which nobody else notices.
    while (!DeviceMode() && CountInOutput(PART) == 0) {
        std::this_thread::yield();
    }
    ExpectToldOnce(PART, [&] { EXPECT_EQ(actor.Ask("stop_this_worker").result, OH_IPC_SUCCESS); });
}

TEST(calls_under_way_have_a_limit, "more calls are under way, the next ones fail, or one in a handler waits for them")
{
    constexpr int CALLERS = CALLS_AT_ONCE + 8;
    Actor &actor = StartActor();
    Actor &third = StartActor();
    StubPtr home = CreateStub("home");
    third.Introduce("home", home.get());
    KeepProxy("busy", actor.CreateStub("busy"));
    Threads callers;
    Counter begun("begun");
    for (int index = 0; index < CALLERS; index++) {
        callers.Start([&] {
            begun.Add();
            EXPECT_EQ(actor.Ask("block", Parcel().Text("entered").Text("gate").Int(1)).result, OH_IPC_SUCCESS);
        });
    }
    begun.AwaitAtLeast(CALLERS);
    Counter("entered").AwaitAtLeast(17);
    while (!AllSleep()) {
        std::this_thread::yield();
    }
    Answer answer = third.Ask("ask_kept", Parcel().Text("home").Text("ask_busy"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    Counter("asked while busy").AwaitAtLeast(1);
    EXPECT_EQ(Counter("refused while busy").Value(), 1u);
    Counter("gate").Add();
    callers.Join();
    EXPECT_EQ(Counter("entered").Value(), static_cast<uint32_t>(CALLERS));
    DropKeptProxy("busy");
}

// ; asks the kept proxy "busy" something
BEHAVIOUR(ask_busy)
{
    if (Ask(KeptProxy("busy").get(), "pid").result == OH_IPC_INNER_ERROR) {
        Counter("refused while busy").Add();
    }
    Counter("asked while busy").Add();
    return OH_IPC_SUCCESS;
}

TEST(messages_to_a_stopped_process_have_a_limit, "the number of messages under way is another, or a message is overwritten")
{
    Actor &actor = StartActor();
    actor.Stop();
    EXPECT_EQ(FillStopped(actor, 0), MESSAGES_AT_ONCE);
    actor.Continue();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(bytes_to_a_stopped_process_have_a_limit, "the bytes under way are others, whatever room the receiver has")
{
    setenv("IPCKIT_RECEIVE_BUFFER", std::to_string(16 * BYTES_AT_ONCE).c_str(), 1);
    Actor &actor = StartActor();
    actor.Stop();
    auto accepted = static_cast<size_t>(FillStopped(actor, LARGEST));
    EXPECT(accepted * LARGEST <= BYTES_AT_ONCE);
    EXPECT((accepted + 2) * LARGEST > BYTES_AT_ONCE);
    actor.Continue();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(a_stub_alone_starts_no_thread, "a stub, a parcel or a direct call starts threads of the library")
{
    StubPtr stub = CreateStub("alone");
    Parcel parcel;
    parcel.Stub(stub.get());
    EXPECT_EQ(Ask(parcel.Read().Proxy().get(), "pid").Read().Int(), getpid());
    EXPECT_EQ(CountThreads(getpid()), 1);
}

TEST(threads_have_names_by_which_they_are_known, "a thread of the library is named otherwise than documented")
{
    std::string own = FirstLine("/proc/self/comm");
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
    size_t workers = 0;
    size_t others = 0;
    for (const std::string &thread : ThreadNumbers()) {
        const std::string name = FirstLine("/proc/self/task/" + thread + "/comm");
        bool isWorker = name.rfind("OS_IPC_", 0) == 0;
        bool isOther = name.rfind("ipckit_", 0) == 0;
        workers += isWorker;
        others += isOther;
        EXPECT(isWorker || isOther || name == own);
    }
    EXPECT(workers >= 1);
    EXPECT(others >= 2);
}

TEST(a_caller_has_the_user_with_which_it_connected, "the caller's user is looked at for each request")
{
    Actor &actor = StartActor();
    StubPtr home = CreateStub("home");
    actor.Introduce("home", home.get());
    Answer answer = actor.Ask("change_user", Parcel().Text("home"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(answer.Read().Long(), static_cast<int64_t>(geteuid()));
    }
}

TEST(passing_on_waits_for_the_owner, "a proxy of a third process is passed on before that process keeps its stub")
{
    Actor &owner = StartActor();
    Actor &receiver = StartActor();
    owner.Stop();
    Threads sender;
    sender.Start([&] {
        Counter("sending").Add();
        EXPECT_EQ(receiver.Tell("keep_proxy", Parcel().Text("passed on").Proxy(owner.Proxy())), OH_IPC_SUCCESS);
        Counter("sent").Add();
    });
    Counter("sending").AwaitAtLeast(1);
    while (!AllSleep()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(Counter("sent").Value(), 0u);
    owner.Continue();
    sender.Join();
    EXPECT_EQ(Counter("sent").Value(), 1u);
}
