// SPDX-License-Identifier: Apache-2.0
#include "harness/runner.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/processes.h"

namespace conformance {
namespace {

// How long a test may take. Nothing is measured by it: only what hangs gets there.
int LimitInSeconds()
{
    const char *text = std::getenv("CONFORMANCE_LIMIT");
    int limit = text == nullptr ? 0 : std::atoi(text);
    return limit > 0 ? limit : 60;
}

// What must have ended on its own after the test's process: children outlive it by at most 5 s.
constexpr int LEFTOVER_SECONDS = 10;

// A file in memory that the test's processes open by its name.
struct SharedFile {
    explicit SharedFile(const char *name, size_t size) : fd(memfd_create(name, MFD_CLOEXEC))
    {
        if (fd < 0 || ftruncate(fd, static_cast<off_t>(size)) != 0) {
            std::perror("conformance: memfd");
            std::exit(2);
        }
    }
    ~SharedFile() { close(fd); }
    SharedFile(const SharedFile &) = delete;
    SharedFile &operator=(const SharedFile &) = delete;
    std::string Path() const { return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd); }

    int fd;
};

pid_t StartInside(const Test &test, const SharedFile &output)
{
    // As one test writes after another, in their order.
    std::fflush(stdout);
    pid_t runner = getpid();
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
    const char *under = std::getenv("CONFORMANCE_UNDER");
    const std::string command = under == nullptr ? "" : std::string("exec ") + under + " \"$0\" --inside \"$1\"";
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != runner) {
        _exit(2);
    }
    int out = open(output.Path().c_str(), O_WRONLY | O_APPEND);
    int in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) {
        _exit(2);
    }
    close(in);
    close(out);
    if (!command.empty()) {
        // valgrind, for instance, with its options.
        execl("/bin/sh", "sh", "-c", command.c_str(), program.c_str(), test.name.c_str(), nullptr);
    }
    execl(program.c_str(), "conformance", "--inside", test.name.c_str(), nullptr);
    _exit(2);
}

void ReportHang(const Board &board)
{
    std::fprintf(stderr, "It hangs. Its counters, and what its threads wait in:\n");
    for (const Board::Slot &slot : board.slots) {
        if (slot.nameHash.load() != 0) {
            std::fprintf(stderr, "  counter \"%s\": %u\n", slot.name, slot.value.load() & ~Board::OVER);
        }
    }
    for (pid_t pid : Descendants()) {
        std::fputs(DescribeProcess(pid).c_str(), stderr);
    }
}

void KillAll(const std::vector<pid_t> &processes)
{
    for (pid_t pid : processes) {
        kill(pid, SIGKILL);
    }
}

// Yields what is wrong with how the process ended, or nothing.
std::string JudgeEnd(int status, const Board &board)
{
    if (WIFSIGNALED(status)) {
        return "ended by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
    }
    if (board.failures.load() > 0) {
        return std::to_string(board.failures.load()) + " of " + std::to_string(board.checks.load()) + " checks failed";
    }
    if (WEXITSTATUS(status) != 0) {
        return "ended with status " + std::to_string(WEXITSTATUS(status));
    }
    return board.checks.load() == 0 ? "checked nothing" : "";
}

// What some process has said of itself that no test may leave unnoticed, however the process ended.
std::string JudgeOutput()
{
    for (const char *report : { "Sanitizer", "runtime error:", "panicked at", "a wake-up was lost" }) {
        if (CountInOutput(report) > 0) {
            return std::string("the output has \"") + report + "\"";
        }
    }
    return "";
}

std::string RunAndJudge(const Test &test, const Board &board, const SharedFile &output)
{
    pid_t pid = StartInside(test, output);
    if (pid < 0) {
        return std::string("cannot fork: ") + std::strerror(errno);
    }
    int status = 0;
    std::string wrong;
    if (AwaitChild(pid, LimitInSeconds(), &status)) {
        wrong = JudgeEnd(status, board);
    } else {
        wrong = "not done after " + std::to_string(LimitInSeconds()) + " s";
        ReportHang(board);
        KillAll(Descendants());
    }
    std::vector<pid_t> left = ReapAll(LEFTOVER_SECONDS);
    if (!left.empty()) {
        for (pid_t process : left) {
            wrong += "; left over: " + std::to_string(process) + " " + CommandLine(process);
        }
        KillAll(left);
        ReapAll(LEFTOVER_SECONDS);
    }
    return wrong.empty() ? JudgeOutput() : wrong;
}

} // namespace

bool RunTest(const Test &test)
{
    // What outlives its parent becomes our child, so that it can be found and waited for.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    SharedFile boardFile("board", sizeof(Board));
    SharedFile output("output", 0);
    void *address = mmap(nullptr, sizeof(Board), PROT_READ, MAP_SHARED, boardFile.fd, 0);
    if (address == MAP_FAILED) {
        std::perror("conformance: mmap");
        std::exit(2);
    }
    setenv(BOARD_VARIABLE, boardFile.Path().c_str(), 1);
    setenv(OUTPUT_VARIABLE, output.Path().c_str(), 1);
    // A wake-up that is lost is to be a test that fails, and not one that takes 50 ms more.
    setenv("IPCKIT_LATE_LOOKS", "2", 1);

    auto start = std::chrono::steady_clock::now();
    std::string wrong = RunAndJudge(test, *static_cast<const Board *>(address), output);
    auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    if (!wrong.empty()) {
        std::fputs(OutputSoFar().c_str(), stderr);
    }
    std::printf("%s %s (%lld ms)%s%s\n", wrong.empty() ? "passed" : "FAILED", test.name.c_str(),
        static_cast<long long>(taken.count()), wrong.empty() ? "" : ": ", wrong.c_str());
    std::fflush(stdout);
    munmap(address, sizeof(Board));
    return wrong.empty();
}

int RunInside(const Test &test)
{
    try {
        test.body();
    } catch (const TestEnded &) {
        std::fprintf(stderr, "The test ends here.\n");
    }
    EndAllWaits();
    EndAllActors();
    return SharedBoard().failures.load() == 0 ? 0 : 1;
}

} // namespace conformance
