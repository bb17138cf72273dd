// SPDX-License-Identifier: Apache-2.0
// What a child of either kind finds: its parent's surroundings, an empty table of descriptors, signals as they are by default.
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/child.h"

using namespace conformance;

namespace {

constexpr int RESERVED_SIGNAL = 32;

std::map<std::string, std::string> ReportOfKind(bool connected)
{
    if (!connected) {
        return ReportOf("ReportSurroundings");
    }
    Outcome outcome = CreateChild();
    REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
    Parcel data;
    Parcel reply;
    REQUIRE_EQ(SendSync(outcome.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    auto report = ByKey(reply.Read().Text());
    EXPECT_EQ(OH_Ability_KillChildProcess(std::stoi(report["pid"])), NCP_NO_ERROR);
    return report;
}

// Has a signal ignored that the C library keeps for itself and refuses to change.
void IgnoreInKernel(int number)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        uint64_t mask;
    } action = { SIG_IGN, 0, nullptr, 0 };
    REQUIRE_EQ(syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof(action.mask)), 0);
}

} // namespace

TEST(surroundings_are_the_parents, "directory, environment, nice value or limits are another's")
{
    TemporaryDirectory directory;
    // The thread that starts children has its creator's nice value as it is now.
    EXPECT_EQ(StartChild("Nothing", Arguments()).code, NCP_NO_ERROR);
    REQUIRE_EQ(chdir(directory.Path().c_str()), 0);
    setenv("CHILD_MARK", "set by the parent", 1);
    rlimit limit{ 4096, 4096 };
    REQUIRE_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
    int nice = getpriority(PRIO_PROCESS, 0) + 2;
    REQUIRE_EQ(setpriority(PRIO_PROCESS, 0, nice), 0);
    for (bool connected : { false, true }) {
        Context context(connected ? "Create" : "Start");
        auto report = ReportOfKind(connected);
        EXPECT_EQ(report["directory"], directory.Path());
        EXPECT_EQ(report["mark"], "set by the parent");
        EXPECT_EQ(report["limit"], "4096");
        EXPECT_EQ(report["nice"], std::to_string(nice));
    }
}

TEST(signals_are_as_by_default, "a child inherits a blocked or an ignored signal")
{
    sigset_t all;
    sigfillset(&all);
    REQUIRE_EQ(pthread_sigmask(SIG_SETMASK, &all, nullptr), 0);
    for (int number : { SIGPIPE, SIGCHLD, SIGTERM, SIGRTMIN + 1 }) {
        std::signal(number, SIG_IGN);
    }
    IgnoreInKernel(RESERVED_SIGNAL);
    std::signal(SIGUSR1, [](int) {});
    for (bool connected : { false, true }) {
        Context context(connected ? "Create" : "Start");
        auto report = ReportOfKind(connected);
        EXPECT_EQ(report["blocked"], "0000000000000000");
        EXPECT_EQ(report["ignored"], "0000000000000000");
        // 32 and 33 are the C library's own.
        uint64_t caught = std::stoull(report["caught"], nullptr, 16) & ~0x180000000ULL;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        // And crashes are a sanitizer's.
        for (int number : { SIGSEGV, SIGBUS, SIGFPE }) {
            caught &= ~(1ULL << (number - 1));
        }
#endif
        EXPECT_EQ(caught, 0);
    }
}

TEST(no_other_descriptors_are_open, "a descriptor of the parent's reaches the child")
{
    TemporaryDirectory directory;
    std::string path = directory.File("open in the parent");
    OwnedDescriptor file(open(path.c_str(), O_RDONLY));
    OwnedDescriptor high(fcntl(file.Get(), F_DUPFD, 300));
    Pipe held;
    for (bool connected : { false, true }) {
        Context context(connected ? "Create" : "Start");
        std::string files = ReportOfKind(connected)["files"];
        EXPECT(files.find(path) == std::string::npos);
        // Of pipes there is "out", for a child of Start.
        size_t pipe = files.find("pipe:");
        EXPECT_EQ(pipe != std::string::npos, !connected);
        EXPECT(pipe == std::string::npos || files.find("pipe:", pipe + 1) == std::string::npos);
    }
}
