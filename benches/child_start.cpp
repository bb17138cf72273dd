// SPDX-License-Identifier: Apache-2.0
// child_start [ROUNDS]: how long a child takes to the first line of its function, beside posix_spawn and dlopen of the same
// library, in interleaved rounds. child_start alive [CHILDREN]: so many children alive at once, each answering a request,
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
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
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

void AwaitByte(int reading)
{
    char byte;
    Check(read(reading, &byte, 1) == 1, "a child ended before its function ran");
}

// To the first line of the function of a child of Start.
double StartChild()
{
    int ends[2];
    Check(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    char name[] = "out";
    NativeChildProcess_Fd out{ name, ends[1], nullptr };
    NativeChildProcess_Args args{ nullptr, { &out } };
    int32_t pid = -1;
    double before = Now();
    int code = OH_Ability_StartNativeChildProcess("libchild_start_library.so:SayAndEnd", args, {}, &pid);
    Check(code == NCP_NO_ERROR, "no child was started");
    close(ends[1]);
    AwaitByte(ends[0]);
    double taken = Now() - before;
    char rest;
    while (read(ends[0], &rest, 1) > 0) {
    }
    close(ends[0]);
    return taken;
}

// The same of a program that only loads the library and calls the function.
double SpawnAndLoad()
{
    int ends[2];
    Check(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    std::string program = Beside("child_start");
    std::string library = Beside(LIBRARY);
    std::string role = "--load";
    char *arguments[] = { program.data(), role.data(), library.data(), nullptr };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    pid_t pid = -1;
    double before = Now();
    Check(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0, "nothing was spawned");
    close(ends[1]);
    AwaitByte(ends[0]);
    double taken = Now() - before;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
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

int CompareStarts(int rounds)
{
    std::vector<double> starts;
    std::vector<double> spawns;
    std::vector<double> ratios;
    StartChild();
    SpawnAndLoad();
    for (int round = 0; round < rounds; round++) {
        starts.push_back(StartChild());
        spawns.push_back(SpawnAndLoad());
        ratios.push_back(starts.back() / spawns.back());
    }
    std::printf("%d interleaved rounds, medians: Start to the function's first line %.0f us, posix_spawn and dlopen %.0f us, "
        "ratio %.2f\n", rounds, Median(starts), Median(spawns), Median(ratios));
    return 0;
}

std::mutex g_mutex;
std::condition_variable g_changed;
std::vector<OHIPCRemoteProxy *> g_proxies;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    Check(code == NCP_NO_ERROR, "a child did not start");
    std::lock_guard<std::mutex> lock(g_mutex);
    g_proxies.push_back(proxy);
    g_changed.notify_all();
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
        double start = Now();
        Check(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted) == NCP_NO_ERROR, "Create was refused");
        std::unique_lock<std::mutex> lock(g_mutex);
        g_changed.wait(lock, [&] { return g_proxies.size() > index; });
        starts.push_back(Now() - start);
    }
    double started = Now();
    std::vector<double> own;
    std::vector<double> proportional;
    std::vector<double> tables;
    for (OHIPCRemoteProxy *proxy : g_proxies) {
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        OH_IPC_MessageOption option{ OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
        int32_t pid = 0;
        Check(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, &option) == OH_IPC_SUCCESS, "a request failed");
        Check(OH_IPCParcel_ReadInt32(reply, &pid) == OH_IPC_SUCCESS, "a reply is empty");
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        std::string process = "/proc/" + std::to_string(pid);
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
    return CompareStarts(count > 1 ? std::max(1, std::atoi(arguments[1])) : 101);
}
