// SPDX-License-Identifier: Apache-2.0
// What a child finds around it: its parent's directory, environment, limits, standard files, and nothing else of the parent's.
#include "support.hpp"

#include <cerrno>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace {

constexpr const char *LIBRARY = "libchild_library.so";
constexpr const char *NO_SIGNALS = "0000000000000000";

std::string FileBehind(int descriptor)
{
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor));
}

void Inherited()
{
    Facts facts;
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
    limit.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
    CHECK(chdir(facts.Directory().c_str()) == 0);
    umask(027);
    setenv("CHILD_MARK", "made by the parent", 1);
    setenv("LD_LIBRARY_PATH", "/nowhere/before", 1);
    Behave("record surroundings");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(facts.Last("message_queue_limit"), "4096");
    CHECK_EQUAL(facts.Last("directory"), std::filesystem::canonical(facts.Directory()).string());
    CHECK_EQUAL(facts.Last("Umask"), "0027");
    CHECK_EQUAL(facts.Last("CHILD_MARK"), "made by the parent");
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++) {
        CHECK_EQUAL(facts.Last("standard" + std::to_string(descriptor)), FileBehind(descriptor));
    }
    const std::string path = ":" + facts.Last("LD_LIBRARY_PATH") + ":";
    const std::string here = BuildDirectory();
    CHECK(path.find(":" + here + ":" + here + "/lib:/nowhere/before:") != std::string::npos);
}

// Also where it has changed since the first child was started, and on another thread.
void NiceValueOfTheCallingThread()
{
    Facts facts;
    Behave("record surroundings");
    const int before = getpriority(PRIO_PROCESS, 0);
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(facts.Last("nice"), std::to_string(before));
    std::thread([&] {
        CHECK(setpriority(PRIO_PROCESS, 0, before + 3) == 0);
        OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    }).join();
    CHECK_EQUAL(facts.Last("nice"), std::to_string(before + 3));
}

void Signals()
{
    Facts facts;
    sigset_t all;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, nullptr) == 0);
    for (const int number : {SIGPIPE, SIGCHLD, SIGUSR1, SIGHUP}) {
        std::signal(number, SIG_IGN);
    }
    std::signal(SIGTERM, [](int) {});
    Behave("record surroundings");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(facts.Last("SigBlk"), NO_SIGNALS);
    CHECK_EQUAL(facts.Last("SigIgn"), NO_SIGNALS);
    // The child's disposition is the default one: the signal ends it.
    CHECK(kill(facts.LastPid(), SIGTERM) == 0);
    AwaitEnd(facts.LastPid());
}

void NoOtherDescriptors()
{
    Facts facts;
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    const auto file = facts.Directory() / "open in the parent";
    const int other = open(file.c_str(), O_CREAT | O_RDWR, 0600);
    CHECK(other >= 0);
    // High numbers too.
    CHECK(fcntl(other, F_DUPFD, 200) >= 200);
    Behave("record surroundings");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const std::string files = facts.Last("files");
    CHECK(files.find(file) == std::string::npos);
    CHECK(files.find(FileBehind(pipes[0])) == std::string::npos);
    // Nor does any process on the child's behalf hold one: the end of the pipe comes while the child lives.
    CHECK(close(pipes[1]) == 0);
    pollfd end{pipes[0], POLLIN, 0};
    CHECK_EQUAL(poll(&end, 1, 60000), 1);
    char byte;
    CHECK_EQUAL(read(pipes[0], &byte, 1), 0);
    CHECK(IsThere(facts.LastPid()));
    OH_IPCRemoteProxy_Destroy(proxy);
}

void ClosedStandardDescriptors()
{
    Facts facts;
    CHECK(close(STDIN_FILENO) == 0);
    CHECK(close(STDOUT_FILENO) == 0);
    Behave("record surroundings");
    // By the second start the library has descriptors with these numbers itself.
    for (int start = 0; start < 2; start++) {
        OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
        CHECK_EQUAL(facts.Last("standard0"), "/dev/null");
        CHECK_EQUAL(facts.Last("standard1"), "/dev/null");
        CHECK_EQUAL(facts.Last("standard2"), FileBehind(STDERR_FILENO));
    }
    CHECK(!FileBehind(STDIN_FILENO).empty() && !FileBehind(STDOUT_FILENO).empty());
}

std::string OwnFirstArgument()
{
    std::ifstream stream("/proc/self/cmdline");
    std::string argument;
    std::getline(stream, argument, '\0');
    return argument;
}

// The parent's first argument as it is, the library, and a number that is another for each child; no second argument.
void Name()
{
    Facts facts;
    Behave("record surroundings");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    OH_IPCRemoteProxy_Destroy(StartWell(BuildDirectory() / LIBRARY));
    const std::string expected = OwnFirstArgument() + ":Native_libchild_library";
    const auto names = facts.Of("cmdline");
    CHECK_EQUAL(names.size(), size_t{2});
    for (const std::string &name : names) {
        CHECK_EQUAL(name.substr(0, expected.size()), expected);
        const std::string rest = name.substr(expected.size());
        CHECK_EQUAL(rest.find_first_not_of("0123456789"), rest.find('|'));
        CHECK_EQUAL(rest.find('|') + 1, rest.size());
    }
    CHECK(names[0] != names[1]);
}

// The directories in which its own library was looked for are those of further libraries too.
void LibraryByBareName()
{
    Facts facts;
    unsetenv("LD_LIBRARY_PATH");
    Behave("load by bare name");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(facts.Last("loaded_by_bare_name"), "yes");
}

// Makes a system call fail for this process and its children.
void Forbid(long call)
{
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{sizeof(filter) / sizeof(filter[0]), filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

// Where there are no namespaces to be had, isolated children start all the same, and one line says so.
void IsolationRefused()
{
    Facts facts;
    StandardError log;
    Forbid(SYS_unshare);
    NativeChildProcess_Options isolated{NCP_ISOLATION_MODE_ISOLATED, 0};
    for (int index = 0; index < 3; index++) {
        int32_t pid = 0;
        CHECK_EQUAL(OH_Ability_StartNativeChildProcess("libchild_library.so:Run", NativeChildProcess_Args{}, isolated, &pid),
            NCP_NO_ERROR);
        AwaitEnd(pid);
    }
    CHECK_EQUAL(facts.Of("ran").size(), size_t{3});
    const std::string text = log.Text();
    const std::string warning = "it is not isolated as asked for";
    const size_t first = text.find(warning);
    CHECK(first != std::string::npos);
    CHECK(text.find(warning, first + 1) == std::string::npos);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"inherited", Inherited}, {"nice_value", NiceValueOfTheCallingThread}, {"signals", Signals},
            {"no_other_descriptors", NoOtherDescriptors}, {"closed_standard_descriptors", ClosedStandardDescriptors},
            {"name", Name},
            {"library_by_bare_name", LibraryByBareName}, {"isolation_refused", IsolationRefused}});
}
