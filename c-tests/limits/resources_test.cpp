// SPDX-License-Identifier: Apache-2.0
// A system that gives no more: no descriptors, no shared memory, no memory, no threads, no /proc. There is an error code and a
// line in the log that names the cause and what to do, and with more to be had everything works.
#include "limits.hpp"

#include <cstddef>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>

namespace {

void FewDescriptors()
{
    const Server server;
    bool everythingWorked = false;
    bool anythingFailed = false;
    for (rlim_t most = 3; most <= 40; most++) {
        const bool worked = UseUnderLimit(server, RLIMIT_NOFILE, most, {"ulimit -n"});
        everythingWorked = everythingWorked || worked;
        anythingFailed = anythingFailed || !worked;
    }
    CHECK(everythingWorked && anythingFailed);
}

// A process that runs out of descriptors while it serves goes on with those that it knows, and takes others when it can again.
void DescriptorsRunOutInAServer()
{
    int facts[2];
    int orders[2];
    CHECK(pipe2(facts, O_CLOEXEC) == 0 && pipe2(orders, O_CLOEXEC) == 0);
    StandardError log;
    const pid_t limited = Fork([&] {
        const Reference reference = Server::Exported();
        WriteAll(facts[1], reference.data(), reference.size());
        const rlim_t before = Limit(RLIMIT_NOFILE);
        char order;
        ReadAll(orders[0], &order, 1);
        SetLimit(RLIMIT_NOFILE, 3);
        WriteAll(facts[1], "", 1);
        ReadAll(orders[0], &order, 1);
        SetLimit(RLIMIT_NOFILE, before);
        WriteAll(facts[1], "", 1);
        for (;;) {
            pause();
        }
    });
    Reference reference;
    ReadAll(facts[0], reference.data(), reference.size());
    OHIPCRemoteProxy *known = ipckit_reference_import(reference.data());
    CHECK(known != nullptr);
    char fact;
    WriteAll(orders[1], "", 1);
    ReadAll(facts[0], &fact, 1);
    const pid_t another = Fork([&] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
        // Refused while descriptors were short, or taken in as soon as there were some.
        CHECK(proxy == nullptr || Ask(proxy, ECHO, 1) == 2);
        OH_IPCRemoteProxy_Destroy(proxy);
    });
    AwaitThat("a line about descriptors", [&] { return log.Says("ulimit -n"); });
    CHECK_EQUAL(Ask(known, ECHO, 1), 2);
    WriteAll(orders[1], "", 1);
    ReadAll(facts[0], &fact, 1);
    AwaitSuccess(another);
    AwaitSuccess(Fork([&] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
        CHECK(proxy != nullptr);
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    }));
    CHECK_EQUAL(Ask(known, ECHO, 1), 2);
    OH_IPCRemoteProxy_Destroy(known);
    kill(limited, SIGKILL);
    waitpid(limited, nullptr, 0);
}

// A message has more descriptors than its receiver may open, or its sender: there is an error code, and both go on, if not with each other.
void DescriptorsThatDoNotFit()
{
    constexpr rlim_t FEW = 20;
    constexpr int MANY = 40;
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    const pid_t limited = Fork([&] {
        const Reference reference = Server::Exported();
        WriteAll(pipes[1], reference.data(), reference.size());
        for (;;) {
            pause();
        }
    });
    Reference reference;
    ReadAll(pipes[0], reference.data(), reference.size());
    const auto send = [&](int expectedToFit) {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
        CHECK(proxy != nullptr);
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        int fitted = 0;
        while (fitted < MANY && OH_IPCParcel_WriteFileDescriptor(data, STDERR_FILENO) == OH_IPC_SUCCESS) {
            fitted++;
        }
        CHECK_EQUAL(fitted == MANY, expectedToFit == MANY);
        const int code = OH_IPCRemoteProxy_SendRequest(proxy, LENGTH, data, reply, nullptr);
        CHECK(code == OH_IPC_SUCCESS || IsErrorCode(code));
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        OH_IPCRemoteProxy_Destroy(proxy);
        return code;
    };
    rlimit limit{};
    CHECK(prlimit(limited, RLIMIT_NOFILE, nullptr, &limit) == 0);
    const rlimit few{FEW, limit.rlim_max};
    AwaitSuccess(Fork([&] {
        SetLimit(RLIMIT_NOFILE, FEW);
        CHECK_EQUAL(send(0), OH_IPC_SUCCESS);
    }));
    CHECK(prlimit(limited, RLIMIT_NOFILE, &few, nullptr) == 0);
    AwaitSuccess(Fork([&] { CHECK(send(MANY) != OH_IPC_SUCCESS); }));
    AwaitSuccess(Fork([&] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
        CHECK(proxy != nullptr);
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    }));
    CHECK(prlimit(limited, RLIMIT_NOFILE, &limit, nullptr) == 0);
    AwaitSuccess(Fork([&] { CHECK_EQUAL(send(MANY), OH_IPC_SUCCESS); }));
    kill(limited, SIGKILL);
    waitpid(limited, nullptr, 0);
}

// Makes a system call fail for the calling thread and those that it starts from now on.
void Forbid(int call, int error)
{
    const uint32_t number = offsetof(seccomp_data, nr);
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{sizeof(filter) / sizeof(filter[0]), filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        std::cout << "not run: the system takes no seccomp filters\n";
        exit(NOT_RUN);
    }
}

void NoMemfd()
{
    const Server server;
    StandardError log;
    std::thread forbidden([&] {
        Forbid(SYS_memfd_create, EPERM);
        CHECK_EQUAL(OH_IPCSkeleton_SetMaxWorkThreadNum(4), OH_IPC_INNER_ERROR);
        CHECK(server.Import() == nullptr);
        CHECK(log.Says("memfd_create"));
        CHECK(log.Says("seccomp"));
        CHECK(log.Says("Operation not permitted"));
        // What needs no other process works.
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("alone", OnEcho, nullptr, nullptr);
        CHECK(stub != nullptr);
        CHECK_EQUAL(Ask(reinterpret_cast<OHIPCRemoteProxy *>(stub), ECHO, 1), 2);
        OH_IPCRemoteStub_Destroy(stub);
    });
    forbidden.join();
    CheckThatItWorks(server);
    // A runtime that runs, and a thread that may make no more memory.
    const Server another;
    std::thread late([&] {
        Forbid(SYS_memfd_create, EPERM);
        CHECK(another.Import() == nullptr);
        OHIPCRemoteProxy *known = server.Connect();
        CHECK_EQUAL(Ask(known, ECHO, 1), 2);
        OH_IPCRemoteProxy_Destroy(known);
    });
    late.join();
    CheckThatItWorks(another);
}

// Where neither this process nor its children may make shared memory, a start ends with an error code.
void NoMemfdForChildren()
{
    StandardError log;
    Behave("wait");
    const std::string library = ChildLibrary();
    Forbid(SYS_memfd_create, EPERM);
    const Outcome outcome = Start(library);
    CHECK(outcome.code == NCP_ERR_CONNECTION_FAILED || outcome.code == NCP_ERR_INTERNAL);
    CHECK(outcome.proxy == nullptr);
    CHECK(log.Says("memfd_create"));
}

rlim_t AddressSpace()
{
    std::ifstream file("/proc/self/statm");
    rlim_t pages = 0;
    file >> pages;
    CHECK(pages > 0);
    return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

// From too little for anything that is shared, or a thread, to enough for all.
void LittleMemoryToStartWith()
{
    const Server server;
    bool anythingFailed = false;
    const rlim_t before = AddressSpace();
    for (rlim_t more = 0; more <= 4; more++) {
        anythingFailed = !UseUnderLimit(server, RLIMIT_AS, before + (more << 20), {"ulimit -v"}) || anythingFailed;
    }
    CHECK(anythingFailed);
    CHECK(UseUnderLimit(server, RLIMIT_AS, before + (rlim_t{1} << 30), {}));
}

// Another user, one without processes, so that no other process of this one counts.
bool BecomeAnotherUser(uid_t user)
{
    return geteuid() != 0 || setuid(user) == 0;
}

// Runs `body` as such a user, and ends with its status.
[[noreturn]] void RunAsAnotherUser(uid_t user, const std::function<void()> &body)
{
    const pid_t pid = Fork([&] {
        if (!BecomeAnotherUser(user)) {
            _exit(NOT_RUN);
        }
        body();
        exit(0);
    });
    int status = 0;
    AwaitThat("the end of another user's process", [&] { return waitpid(pid, &status, WNOHANG) == pid; });
    CHECK(WIFEXITED(status));
    exit(WEXITSTATUS(status));
}

size_t OwnThreads()
{
    size_t count = 0;
    for (const auto &process : std::filesystem::directory_iterator("/proc")) {
        const std::string name = process.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        std::error_code error;
        std::ifstream status(process.path() / "status");
        bool mine = false;
        size_t threads = 0;
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("Uid:", 0) == 0) {
                mine = std::stoul(line.substr(4)) == getuid();
            }
            if (line.rfind("Threads:", 0) == 0) {
                threads = std::stoul(line.substr(8));
            }
        }
        count += mine ? threads : 0;
    }
    return count;
}

void FewThreads()
{
    RunAsAnotherUser(54321, [] {
        const Server server;
        bool anythingFailed = false;
        for (rlim_t more = 0; more <= 8; more++) {
            // One for the process that is limited.
            const rlim_t most = OwnThreads() + 1 + more;
            anythingFailed = !UseUnderLimit(server, RLIMIT_NPROC, most, {"ulimit -u"}) || anythingFailed;
        }
        CHECK(anythingFailed);
        CheckThatItWorks(server);
    });
}

// A child takes threads and processes here, and threads there.
void FewThreadsForChildren()
{
    const std::string library = ChildLibrary();
    RunAsAnotherUser(54322, [&] {
        if (access(library.c_str(), R_OK) != 0) {
            std::cout << "not run: another user cannot read " << library << '\n';
            exit(NOT_RUN);
        }
        Behave("wait");
        // How long Create waits for an outcome that no thread tells.
        setenv("IPCKIT_CHILD_HEAD_START_MS", "300", 1);
        // What a round leaves behind counts until it is reaped.
        CHECK_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        bool anythingFailed = false;
        for (rlim_t more = 0; more <= 16; more++) {
            const rlim_t most = OwnThreads() + 1 + more;
            int pipes[2];
            CHECK(pipe2(pipes, O_CLOEXEC) == 0);
            AwaitSuccess(Fork([&] {
                const rlim_t before = Limit(RLIMIT_NPROC);
                SetLimit(RLIMIT_NPROC, most);
                const int code = OH_Ability_CreateNativeChildProcess(library.c_str(), OnStarted);
                CHECK(code == NCP_NO_ERROR || code == NCP_ERR_INTERNAL);
                // With no thread to tell the outcome on it is told once there is one.
                SetLimit(RLIMIT_NPROC, before);
                const Outcome outcome = code == NCP_NO_ERROR ? Outcomes::All().Await(0) : Outcome{code, nullptr, 0, {}};
                CHECK_EQUAL(outcome.code == NCP_NO_ERROR, outcome.proxy != nullptr);
                OH_IPCRemoteProxy_Destroy(outcome.proxy);
                const bool failed = outcome.code != NCP_NO_ERROR;
                OH_IPCRemoteProxy_Destroy(StartWell(library));
                WriteAll(pipes[1], &failed, sizeof failed);
            }));
            bool failed = false;
            ReadAll(pipes[0], &failed, sizeof failed);
            close(pipes[0]);
            close(pipes[1]);
            AwaitThat("the end of its child", [] { return waitpid(-1, nullptr, WNOHANG) == -1; });
            anythingFailed = anythingFailed || failed;
        }
        CHECK(anythingFailed);
    });
}

// Puts an empty directory in the place of /proc, for this process and its children.
bool HideProc()
{
    const bool own = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    return own && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
        && mount("tmpfs", "/proc", "tmpfs", 0, "size=4k") == 0 && access("/proc/self", F_OK) != 0;
}

void NoProc()
{
    const Server server;
    const std::string library = ChildLibrary();
    if (!HideProc()) {
        std::cout << "not run: /proc cannot be hidden here, which takes root or user namespaces\n";
        exit(NOT_RUN);
    }
    CheckThatItWorks(server);
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(library);
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    OH_IPCRemoteProxy_Destroy(proxy);
    StandardError log;
    CHECK_EQUAL(Start("libnowhere.so").code, NCP_ERR_LIB_LOADING_FAILED);
    CHECK(log.Says("libnowhere.so ("));
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"few_descriptors", FewDescriptors}, {"descriptors_run_out_in_a_server", DescriptorsRunOutInAServer},
            {"no_memfd", NoMemfd}, {"no_memfd_for_children", NoMemfdForChildren},
            {"little_memory_to_start_with", LittleMemoryToStartWith},
            {"few_threads", FewThreads}, {"few_threads_for_children", FewThreadsForChildren},
            {"descriptors_that_do_not_fit", DescriptorsThatDoNotFit}, {"no_proc", NoProc}});
}
