// SPDX-License-Identifier: Apache-2.0
// A library for child processes. Its functions write what they find to the descriptor named "out", as lines key=value.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "harness/board.h"

namespace {

int Descriptor(const NativeChildProcess_Args &args, const std::string &name)
{
    for (const NativeChildProcess_Fd *node = args.fdList.head; node != nullptr; node = node->next) {
        if (name == node->fdName) {
            return node->fd;
        }
    }
    return -1;
}

void Write(int descriptor, const std::string &text)
{
    for (size_t done = 0; done < text.size();) {
        ssize_t length = write(descriptor, text.data() + done, text.size() - done);
        if (length < 0) {
            return;
        }
        done += static_cast<size_t>(length);
    }
}

std::string Line(const std::string &key, const std::string &value)
{
    return key + "=" + value + "\n";
}

std::string Content(const std::string &file)
{
    std::ifstream stream(file);
    return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

std::string StatusOf(const std::string &key)
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, key.size() + 2, key + ":\t") == 0) {
            return line.substr(key.size() + 2);
        }
    }
    return "";
}

int CountEntries(const char *path)
{
    DIR *directory = path == nullptr ? nullptr : opendir(path);
    if (directory == nullptr) {
        return -1;
    }
    int count = 0;
    while (dirent *entry = readdir(directory)) {
        count += entry->d_name[0] == '.' && std::strlen(entry->d_name) <= 2 ? 0 : 1;
    }
    closedir(directory);
    return count;
}

// The descriptors beyond the standard ones, as the kernel names what they are of.
std::string OpenFiles()
{
    std::string files;
    DIR *directory = opendir("/proc/self/fd");
    while (dirent *entry = readdir(directory)) {
        char target[512] = {};
        int number = std::atoi(entry->d_name);
        std::string path = std::string("/proc/self/fd/") + entry->d_name;
        if (number > 2 && number != dirfd(directory) && readlink(path.c_str(), target, sizeof(target) - 1) > 0) {
            files += std::string(target) + " ";
        }
    }
    closedir(directory);
    return files;
}

// Whether a socket of this machine's network can be reached: a listening one, whose port the environment has.
std::string ConnectToListener()
{
    const char *port = getenv("CHILD_PORT");
    int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port == nullptr ? 0 : std::atoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int result = connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof(address));
    std::string text = result == 0 ? "reached" : std::strerror(errno);
    close(socket_);
    return text;
}

std::string Surroundings()
{
    std::string cmdline = Content("/proc/self/cmdline");
    std::string text = Line("cmdline", cmdline.substr(0, cmdline.find('\0')));
    char directory[4096] = {};
    text += Line("directory", getcwd(directory, sizeof(directory)) == nullptr ? "none" : directory);
    text += Line("blocked", StatusOf("SigBlk")) + Line("ignored", StatusOf("SigIgn")) + Line("caught", StatusOf("SigCgt"));
    text += Line("files", OpenFiles());
    text += Line("nice", std::to_string(getpriority(PRIO_PROCESS, 0)));
    const char *mark = getenv("CHILD_MARK");
    text += Line("mark", mark == nullptr ? "none" : mark);
    text += Line("user", std::to_string(geteuid()));
    text += Line("home", std::to_string(CountEntries(getenv("HOME"))));
    text += Line("here", std::to_string(CountEntries(".")));
    text += Line("runtime", std::to_string(CountEntries(getenv("XDG_RUNTIME_DIR"))));
    text += Line("network", ConnectToListener());
    text += Line("pid", std::to_string(getpid()));
    rlimit limit{};
    getrlimit(RLIMIT_MSGQUEUE, &limit);
    return text + Line("limit", std::to_string(limit.rlim_cur));
}

void OnStarted(int, OHIPCRemoteProxy *) {}

std::string Nested()
{
    NativeChildProcess_Args args{};
    NativeChildProcess_Options options{};
    int32_t pid = 0;
    Ability_ChildProcessConfigs *configs = OH_Ability_CreateChildProcessConfigs();
    const char *entry = "libconformance_child.so:Nothing";
    std::string text = Line("create", std::to_string(OH_Ability_CreateNativeChildProcess("libx.so", OnStarted)));
    text += Line("create configured",
        std::to_string(OH_Ability_CreateNativeChildProcessWithConfigs("libx.so", configs, OnStarted)));
    text += Line("start", std::to_string(OH_Ability_StartNativeChildProcess(entry, args, options, &pid)));
    text += Line("start configured",
        std::to_string(OH_Ability_StartNativeChildProcessWithConfigs(entry, args, configs, &pid)));
    text += Line("kill", std::to_string(OH_Ability_KillChildProcess(getppid())));
    text += Line("supported", OH_Ability_IsNativeChildProcessSupported() ? "yes" : "no");
    text += Line("arguments", OH_Ability_GetCurrentChildProcessArgs() == nullptr ? "none" : "some");
    OH_Ability_DestroyChildProcessConfigs(configs);
    return text;
}

std::string Describe(const NativeChildProcess_Args &args)
{
    std::string text = Line("length", std::to_string(std::strlen(args.entryParams)));
    if (std::strlen(args.entryParams) < 1000) {
        text += Line("text", args.entryParams);
    } else {
        text += Line("ends", std::string(1, args.entryParams[0]) + args.entryParams[std::strlen(args.entryParams) - 1]);
    }
    for (const NativeChildProcess_Fd *node = args.fdList.head; node != nullptr; node = node->next) {
        text += Line("name", node->fdName);
    }
    return text;
}

// Runs before anything else of the library.
[[gnu::constructor]] void OnLoad()
{
    const char *way = getenv("CHILD_CONSTRUCTOR");
    if (way != nullptr && std::strcmp(way, "abort") == 0) {
        abort();
    }
}

OHIPCRemoteStub *g_stub = nullptr;

enum RequestCode : uint32_t {
    DESCRIBE = 1,
    KILL_INSIDE = 2,
    EXIT_INSIDE = 3,
    CRASH_INSIDE = 4,
    KILL_AFTER = 5,
    END = 6,
    KILL_WHEN_ANSWERED = 7,
    OUTLAST_MAIN_PROC = 8
};

// A counter of this process alone, which its parent knows too.
conformance::Counter OwnCounter(const std::string &name)
{
    return conformance::Counter(name + " " + std::to_string(getpid()));
}

// Waits until the main procedure has returned, and the main thread has nothing to do but to wait for the handler.
void AwaitSleepOfMainThread()
{
    const std::string file = "/proc/self/task/" + std::to_string(getpid()) + "/stat";
    for (std::string status; status.compare(0, 2, "S ") != 0;) {
        std::this_thread::yield();
        status = Content(file);
        // The name before it may hold anything.
        status = status.substr(std::min(status.size(), status.rfind(')') + 2));
    }
}

int OnRequest(uint32_t code, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    switch (code) {
        case DESCRIBE: OH_IPCParcel_WriteString(reply, (Surroundings() + Nested()).c_str()); return OH_IPC_SUCCESS;
        case KILL_INSIDE: OH_IPCParcel_WriteInt32(reply, 7); kill(getpid(), SIGTERM); return OH_IPC_SUCCESS;
        case EXIT_INSIDE: std::exit(0);
        case CRASH_INSIDE: signal(SIGSEGV, SIG_DFL); raise(SIGSEGV); return OH_IPC_SUCCESS;
        case KILL_AFTER:
            // The thread that sends the signal has to wait for nothing: the reply may be under way or not.
            std::thread([] { kill(getpid(), SIGTERM); }).detach();
            return OH_IPCParcel_WriteInt32(reply, 7);
        case KILL_WHEN_ANSWERED:
            std::thread([] {
                OwnCounter("answered").AwaitAtLeast(1);
                kill(getpid(), SIGTERM);
            }).detach();
            return OH_IPCParcel_WriteInt32(reply, 7);
        case OUTLAST_MAIN_PROC:
            OwnCounter("end").Add();
            OwnCounter("main procedure returns").AwaitAtLeast(1);
            AwaitSleepOfMainThread();
            return OH_IPCParcel_WriteInt32(reply, 7);
        case END: conformance::Counter("end of all").Add(); return OH_IPC_SUCCESS;
        default: return OH_IPCParcel_WriteInt32(reply, getpid());
    }
}

} // namespace

extern "C" {

// What it was given, as the argument and as every thread can ask for it.
void ReportArguments(NativeChildProcess_Args args)
{
    std::string asked;
    std::thread([&] { asked = Describe(*OH_Ability_GetCurrentChildProcessArgs()); }).join();
    const bool same = asked == Describe(args) &&
        OH_Ability_GetCurrentChildProcessArgs()->entryParams == args.entryParams &&
        OH_Ability_GetCurrentChildProcessArgs()->fdList.head == args.fdList.head;
    Write(Descriptor(args, "out"), Describe(args) + Line("asked", same ? "the same" : "another") +
        Line("thread", getpid() == gettid() ? "main" : "another"));
}

void ReportSurroundings(NativeChildProcess_Args args)
{
    Write(Descriptor(args, "out"), Surroundings() + Nested());
}

// What a program has that the child executes.
void ReportCapabilities(NativeChildProcess_Args args)
{
    std::string text;
    if (FILE *status = popen("exec cat /proc/self/status", "r")) {
        char piece[512];
        for (size_t length; (length = fread(piece, 1, sizeof(piece), status)) > 0;) {
            text.append(piece, length);
        }
        pclose(status);
    }
    size_t start = text.find("CapPrm:\t");
    Write(Descriptor(args, "out"), Line("permitted", start == std::string::npos ? "none said" : text.substr(start + 8, 16)));
}

// Writes a letter to every descriptor, then waits until nobody can write to the one named "in".
void WriteToAll(NativeChildProcess_Args args)
{
    for (const NativeChildProcess_Fd *node = args.fdList.head; node != nullptr; node = node->next) {
        if (std::strcmp(node->fdName, "in") != 0) {
            Write(node->fd, "x");
        }
    }
    char byte;
    while (read(Descriptor(args, "in"), &byte, 1) > 0) {
    }
}

// Says that it is there, and waits for the end of the descriptor named "in".
void Wait(NativeChildProcess_Args args)
{
    Write(Descriptor(args, "out"), "waiting\n");
    char byte;
    while (read(Descriptor(args, "in"), &byte, 1) > 0) {
    }
}

void Nothing(NativeChildProcess_Args) {}

void ExitWithStatus(NativeChildProcess_Args args)
{
    std::exit(std::atoi(args.entryParams));
}

void KillItself(NativeChildProcess_Args args)
{
    raise(std::atoi(args.entryParams));
}

// Says at a normal exit that it was one.
void ExitNormally(NativeChildProcess_Args args)
{
    static int out = Descriptor(args, "out");
    std::atexit([] { Write(out, "exit handler ran\n"); });
}

OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    const char *way = getenv("CHILD_CONNECT");
    if (way != nullptr && std::strcmp(way, "exit") == 0) {
        std::exit(0);
    }
    return g_stub = OH_IPCRemoteStub_Create("conformance.child", OnRequest, nullptr, nullptr);
}

void NativeChildProcess_MainProc()
{
    const char *way = getenv("CHILD_MAIN");
    if (way == nullptr) {
        conformance::Counter("end of all").AwaitAtLeast(1);
    } else if (std::strcmp(way, "end") == 0) {
        OwnCounter("end").AwaitAtLeast(1);
        OwnCounter("main procedure returns").Add();
    } else if (std::strcmp(way, "pause") == 0) {
        pause();
    }
}

// For a program that has this library loaded itself.
int CreateOneself(OH_Ability_OnNativeChildProcessStarted onStarted)
{
    return OH_Ability_CreateNativeChildProcess("libconformance_child.so", onStarted);
}

}
