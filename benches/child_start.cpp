// SPDX-License-Identifier: Apache-2.0
// child_start [ROUNDS]: how long a child of Start takes to the first line of its function, and one of Create to its callback,
// beside posix_spawn, dlopen of the same library and a message on a socket, in interleaved rounds. child_start rounds [ROUNDS]:
// the same as numbers, for ./run bench. child_start alive [CHILDREN]: so many children alive at once, each answering a request,
// with the memory that an idle one takes. The library beside the program is the children's.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace {

constexpr const char *LIBRARY = "libchild_start_library.so";

double Now()
{
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void Check(bool holds, const char *what)
{
    if (!holds) {
        std::fprintf(stderr, "child_start: %s\n", what);
        std::exit(1);
    }
}

std::string Beside(const char *name)
{
    char program[4096] = {};
    Check(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0, "/proc is needed");
    return std::string(program).substr(0, std::string(program).rfind('/') + 1) + name;
}

// What a child says its first word on.
struct Channel {
    Channel()
    {
        Check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "no pair of sockets");
    }

    ~Channel()
    {
        close(ends[0]);
    }

    Channel(const Channel &) = delete;
    Channel &operator=(const Channel &) = delete;

    // Once the child has the other end.
    void AwaitMessage()
    {
        close(ends[1]);
        char byte;
        Check(read(ends[0], &byte, 1) == 1, "a child ended before its function ran");
    }

    void AwaitEnd()
    {
        char rest;
        while (read(ends[0], &rest, 1) > 0) {
        }
    }

    int ends[2];
};

// To the first line of the function of a child of Start.
double StartChild()
{
    Channel channel;
    char name[] = "out";
    NativeChildProcess_Fd out{ name, channel.ends[1], nullptr };
    NativeChildProcess_Args args{ nullptr, { &out } };
    int32_t pid = -1;
    double before = Now();
    int code = OH_Ability_StartNativeChildProcess("libchild_start_library.so:SayAndEnd", args, {}, &pid);
    Check(code == NCP_NO_ERROR, "no child was started");
    channel.AwaitMessage();
    double taken = Now() - before;
    channel.AwaitEnd();
    return taken;
}

// The same of a program that only loads the library and calls the function.
double SpawnAndLoad()
{
    Channel channel;
    std::string program = Beside("child_start");
    std::string library = Beside(LIBRARY);
    std::string role = "--load";
    char *arguments[] = { program.data(), role.data(), library.data(), nullptr };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, channel.ends[1], 3);
    pid_t pid = -1;
    double before = Now();
    Check(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0, "nothing was spawned");
    channel.AwaitMessage();
    double taken = Now() - before;
    posix_spawn_file_actions_destroy(&actions);
    waitpid(pid, nullptr, 0);
    return taken;
}

int Load(const char *library)
{
    void *handle = dlopen(library, RTLD_LAZY);
    Check(handle != nullptr, dlerror());
    auto function = reinterpret_cast<void (*)(NativeChildProcess_Args)>(dlsym(handle, "SayAndEnd"));
    Check(function != nullptr, "SayAndEnd is missing");
    char name[] = "out";
    NativeChildProcess_Fd out{ name, 3, nullptr };
    function({ name, { &out } });
    return 0;
}

std::mutex g_mutex;
std::condition_variable g_changed;
std::vector<OHIPCRemoteProxy *> g_proxies;
// When the last callback began.
double g_told = 0;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    double now = Now();
    Check(code == NCP_NO_ERROR, "a child did not start");
    std::lock_guard<std::mutex> lock(g_mutex);
    g_told = now;
    g_proxies.push_back(proxy);
    g_changed.notify_all();
}

// Starts a child and waits for its callback; how long it took to that.
double CreateChild()
{
    size_t proxies = g_proxies.size();
    double before = Now();
    Check(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted) == NCP_NO_ERROR, "Create was refused");
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [&] { return g_proxies.size() > proxies; });
    return g_told - before;
}

// The process that answers.
int32_t ProcessOf(OHIPCRemoteProxy *proxy)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPC_MessageOption option{ OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    int32_t pid = 0;
    Check(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, &option) == OH_IPC_SUCCESS, "a request failed");
    Check(OH_IPCParcel_ReadInt32(reply, &pid) == OH_IPC_SUCCESS, "a reply is empty");
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
    return pid;
}

// Ends the last child, and waits until it is gone.
void EndChild()
{
    OHIPCRemoteProxy *proxy = g_proxies.back();
    g_proxies.pop_back();
    int32_t pid = ProcessOf(proxy);
    int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    Check(process >= 0, "a child cannot be waited for");
    Check(OH_Ability_KillChildProcess(pid) == NCP_NO_ERROR, "a child was not killed");
    pollfd ended{ process, POLLIN, 0 };
    Check(poll(&ended, 1, 10000) == 1, "a killed child did not end");
    close(process);
    OH_IPCRemoteProxy_Destroy(proxy);
}

struct Rounds {
    std::vector<double> starts;
    std::vector<double> creates;
    std::vector<double> spawns;
};

Rounds MeasureRounds(int count)
{
    Rounds rounds;
    // The first of each brings what is there once for all.
    for (int round = -1; round < count; round++) {
        double start = StartChild();
        double create = CreateChild();
        EndChild();
        double spawn = SpawnAndLoad();
        if (round >= 0) {
            rounds.starts.push_back(start);
            rounds.creates.push_back(create);
            rounds.spawns.push_back(spawn);
        }
    }
    return rounds;
}

int PrintRounds(int count)
{
    Rounds rounds = MeasureRounds(count);
    for (int round = 0; round < count; round++) {
        std::printf("%.1f %.1f %.1f\n", rounds.starts[round], rounds.creates[round], rounds.spawns[round]);
    }
    return 0;
}

// What the notice of a child of Create waits at least: two looks at its main thread, so far apart.
constexpr double BETWEEN_LOOKS = 1000;

int CompareStarts(int count)
{
    Rounds rounds = MeasureRounds(count);
    std::vector<double> starts;
    std::vector<double> creates;
    for (int round = 0; round < count; round++) {
        starts.push_back(rounds.starts[round] / rounds.spawns[round]);
        creates.push_back((rounds.creates[round] - BETWEEN_LOOKS) / rounds.spawns[round]);
    }
    std::printf("%d interleaved rounds, medians: posix_spawn, dlopen and a message %.0f us; Start to the function's first line "
        "%.0f us, ratio %.2f; Create to its callback %.0f us, ratio without the wait of %.0f us %.2f\n", count,
        Median(rounds.spawns), Median(rounds.starts), Median(starts), Median(rounds.creates), BETWEEN_LOOKS, Median(creates));
    return 0;
}

// A number of a /proc file, in KiB.
long Field(const std::string &file, const std::string &key)
{
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.compare(0, key.size() + 1, key + ":") == 0) {
            return std::atol(line.c_str() + key.size() + 1);
        }
    }
    return 0;
}

// What is the process's own, without what it shares with others.
long OwnMemory(const std::string &process)
{
    return Field(process + "/smaps_rollup", "Private_Clean") + Field(process + "/smaps_rollup", "Private_Dirty");
}

// Room for what the children take, which is more than a login shell's usual limit.
void AllowDescriptors(size_t count)
{
    rlimit limit{};
    Check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors cannot be told");
    if (limit.rlim_cur < count) {
        limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
        Check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors cannot be raised");
    }
    Check(limit.rlim_cur >= count, "the hard limit of descriptors (ulimit -Hn) is too low for so many children");
}

int KeepAlive(size_t count)
{
    constexpr size_t DESCRIPTORS_OF_A_CHILD = 3;
    AllowDescriptors(DESCRIPTORS_OF_A_CHILD * count + 100);
    setenv("IPCKIT_MAX_CHILDREN", std::to_string(count + 100).c_str(), 1);
    std::vector<double> starts;
    double begin = Now();
    long before = OwnMemory("/proc/self");
    for (size_t index = 0; index < count; index++) {
        starts.push_back(CreateChild());
    }
    double started = Now();
    std::vector<double> own;
    std::vector<double> proportional;
    std::vector<double> tables;
    for (OHIPCRemoteProxy *proxy : g_proxies) {
        std::string process = "/proc/" + std::to_string(ProcessOf(proxy));
        own.push_back(static_cast<double>(OwnMemory(process)));
        proportional.push_back(static_cast<double>(Field(process + "/smaps_rollup", "Pss")));
        tables.push_back(static_cast<double>(Field(process + "/status", "VmPTE")));
    }
    double parents = static_cast<double>(OwnMemory("/proc/self") - before) / static_cast<double>(count);
    std::printf("%zu children alive at once, each has answered a request; %.2f s to start all, %.0f us each (median)\n",
        count, (started - begin) / 1e6, Median(starts));
    std::printf("an idle child, medians: %.0f KiB of its own, %.0f KiB with its part of what is shared, %.0f KiB of page "
        "tables; its guardian shares the parent's memory, which grew by %.1f KiB for each child\n", Median(own),
        Median(proportional), Median(tables), parents);
    return 0;
}

} // namespace

int main(int count, char **arguments)
{
    if (count == 3 && std::strcmp(arguments[1], "--load") == 0) {
        return Load(arguments[2]);
    }
    if (count >= 2 && std::strcmp(arguments[1], "alive") == 0) {
        return KeepAlive(count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 500);
    }
    constexpr int ROUNDS = 101;
    if (count >= 2 && std::strcmp(arguments[1], "rounds") == 0) {
        return PrintRounds(count > 2 ? std::max(1, std::atoi(arguments[2])) : ROUNDS);
    }
    return CompareStarts(count > 1 ? std::max(1, std::atoi(arguments[1])) : ROUNDS);
}
