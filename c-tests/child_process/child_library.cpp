// SPDX-License-Identifier: Apache-2.0
// The library that the tests' children run. It writes down what it finds in $CHILD_FACTS and behaves as $CHILD_BEHAVIOUR says.

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

void Record(const std::string &key, const std::string &value)
{
    const char *file = getenv("CHILD_FACTS");
    if (file == nullptr) {
        return;
    }
    const int descriptor = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor < 0) {
        // The test is over.
        return;
    }
    const std::string line = key + "=" + value + "\n";
    if (write(descriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        abort();
    }
    close(descriptor);
}

std::string Behaviour()
{
    const char *way = getenv("CHILD_BEHAVIOUR");
    return way == nullptr ? "wait" : way;
}

std::string Content(const char *file)
{
    std::ifstream stream(file);
    std::string content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    for (char &character : content) {
        character = character == '\0' ? '|' : character;
    }
    return content;
}

// Names the files that the process has open beyond the standard ones, as the kernel names them.
std::string OpenFiles()
{
    std::string files;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        const auto target = std::filesystem::read_symlink(entry.path(), error);
        if (!error && std::stoi(entry.path().filename()) > STDERR_FILENO) {
            files += target.string() + " ";
        }
    }
    return files;
}

void RecordSurroundings()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        const size_t colon = line.find(":\t");
        const std::string key = line.substr(0, colon);
        if (key == "SigBlk" || key == "SigIgn" || key == "Umask") {
            Record(key, line.substr(colon + 2));
        }
    }
    Record("cmdline", Content("/proc/self/cmdline"));
    Record("directory", std::filesystem::current_path());
    Record("files", OpenFiles());
    Record("nice", std::to_string(getpriority(PRIO_PROCESS, 0)));
    rlimit limit{};
    getrlimit(RLIMIT_MSGQUEUE, &limit);
    Record("message_queue_limit", std::to_string(limit.rlim_cur));
    for (const char *name : {"CHILD_MARK", "LD_LIBRARY_PATH"}) {
        const char *value = getenv(name);
        Record(name, value == nullptr ? "(unset)" : value);
    }
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++) {
        const auto link = "/proc/self/fd/" + std::to_string(descriptor);
        std::error_code error;
        Record("standard" + std::to_string(descriptor), std::filesystem::read_symlink(link, error));
    }
}

std::string OwnFile()
{
    Dl_info information{};
    dladdr(reinterpret_cast<void *>(&OwnFile), &information);
    return information.dli_fname;
}

std::mutex g_mutex;
std::condition_variable g_wakeUp;
OHIPCRemoteStub *g_stub = nullptr;

enum Request { ECHO = 1, LEAVE = 2 };

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    if (code == ECHO) {
        int32_t value = 0;
        const int result = OH_IPCParcel_ReadInt32(data, &value);
        return result == OH_IPC_SUCCESS ? OH_IPCParcel_WriteInt32(reply, value + 1) : result;
    }
    if (code == LEAVE) {
        const std::lock_guard<std::mutex> lock(g_mutex);
        g_wakeUp.notify_all();
        return OH_IPCParcel_WriteInt32(reply, 0);
    }
    return OH_IPC_CODE_OUT_OF_RANGE;
}

void OnStubDestroyed(void *)
{
    Record("stub_destroyed", "");
}

// Computes without a system call, so that the kernel sees the thread run.
void Compute(std::chrono::milliseconds time)
{
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

void OnStartedInChild(int, OHIPCRemoteProxy *)
{
    Record("start_callback", "called in a child");
}

// Loaded, and gone, with the process.
class Life {
public:
    Life()
    {
        Record("pid", std::to_string(getpid()));
        Record("loaded_from", OwnFile());
        if (Behaviour() == "crash while loading") {
            abort();
        }
        if (Behaviour() == "hang while loading") {
            for (;;) {
                pause();
            }
        }
    }
    ~Life() { Record("static_destructors", "ran"); }
};

Life g_life;

void AllowNoDescriptor()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

extern "C" {

// For Start.

void Run(NativeChildProcess_Args)
{
    Record("ran", std::to_string(getpid()));
}

void RunOn(NativeChildProcess_Args args)
{
    Run(args);
    if (Behaviour() == "allow itself no descriptor") {
        AllowNoDescriptor();
    }
    for (;;) {
        pause();
    }
}

OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    const std::string way = Behaviour();
    Record("on_connect", getpid() == gettid() ? "main thread" : "another thread");
    if (way == "offer nothing") {
        return nullptr;
    }
    if (way == "crash while connecting") {
        raise(SIGSEGV);
    }
    if (way == "exit while connecting") {
        exit(0);
    }
    if (way == "throw while connecting") {
        throw std::runtime_error("thrown by the test");
    }
    if (way == "hang while connecting") {
        for (;;) {
            pause();
        }
    }
    if (way == "write to every socket") {
        for (int descriptor = STDERR_FILENO + 1; descriptor < 64; descriptor++) {
            send(descriptor, "nonsense", 8, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    if (way == "close everything") {
        close_range(STDERR_FILENO + 1, UINT_MAX, 0);
    }
    if (way == "have a child") {
        Record("grandchild", std::to_string(OH_Ability_CreateNativeChildProcess("libchild_library.so", OnStartedInChild)));
    }
    if (way == "record surroundings") {
        RecordSurroundings();
    }
    if (way == "load by bare name") {
        Record("loaded_by_bare_name", dlopen("libchild_library_without_functions.so", RTLD_NOW) == nullptr ? dlerror() : "yes");
    }
    g_stub = OH_IPCRemoteStub_Create("child_library", OnRequest, OnStubDestroyed, nullptr);
    return g_stub;
}

void NativeChildProcess_MainProc()
{
    const std::string way = Behaviour();
    Record("main_proc", getpid() == gettid() ? "main thread" : "another thread");
    if (way == "return at once") {
        return;
    }
    if (way == "tell its exit status") {
        on_exit([](int status, void *) { Record("exit_status", std::to_string(status)); }, nullptr);
        return;
    }
    if (way == "destroy its wrapper") {
        OH_IPCRemoteStub_Destroy(g_stub);
        Record("wrapper_destroyed", "");
    }
    std::unique_lock<std::mutex> lock(g_mutex);
    if (way == "compute first") {
        const auto start = std::chrono::steady_clock::now();
        Compute(std::chrono::milliseconds(10));
        const auto taken = std::chrono::steady_clock::now() - start;
        Record("computed_for_ms", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(taken).count()));
    }
    if (way == "allow itself no descriptor") {
        AllowNoDescriptor();
    }
    // As users write it: without a predicate.
    g_wakeUp.wait(lock);
    Record("main_proc_woken", "");
}

}
