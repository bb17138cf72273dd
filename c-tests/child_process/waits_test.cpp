// SPDX-License-Identifier: Apache-2.0
// A child is nobody's child: no wait of the program sees it, no signal tells of it, and it goes when the program does.
#include "support.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace {

constexpr const char *LIBRARY = "libchild_library.so";

std::atomic<int> g_childSignals{0};

void CountChildSignal(int)
{
    g_childSignals++;
}

void CheckNobodyToWaitFor(pid_t child)
{
    // With WNOHANG a child that is there and lives gives 0, not an error.
    for (const pid_t whom : {pid_t{-1}, pid_t{0}, child}) {
        int status = 0;
        errno = 0;
        CHECK_EQUAL(waitpid(whom, &status, WNOHANG | WUNTRACED | WCONTINUED), -1);
        CHECK_EQUAL(errno, ECHILD);
    }
    siginfo_t information{};
    errno = 0;
    CHECK_EQUAL(waitid(P_ALL, 0, &information, WNOHANG | WEXITED | WSTOPPED | WCONTINUED), -1);
    CHECK_EQUAL(errno, ECHILD);
}

void Invisible()
{
    Facts facts;
    struct sigaction action{};
    action.sa_handler = CountChildSignal;
    CHECK(sigaction(SIGCHLD, &action, nullptr) == 0);
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const pid_t child = facts.LastPid();
    CHECK(IsThere(child));
    CheckNobodyToWaitFor(child);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(kill(child, SIGKILL) == 0);
    AwaitEnd(child);
    CheckNobodyToWaitFor(child);
    CHECK(!std::filesystem::exists("/proc/" + std::to_string(child)));
    // A child that the program has itself is waited for as ever, and is the only one that signals.
    CHECK_EQUAL(g_childSignals.load(), 0);
    const pid_t own = fork();
    if (own == 0) {
        _exit(5);
    }
    int status = 0;
    pid_t waited = -1;
    do {
        waited = waitpid(-1, &status, 0);
    } while (waited == -1 && errno == EINTR);
    CHECK_EQUAL(waited, own);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    AwaitThat("the signal of the program's own child", [] { return g_childSignals.load() == 1; });
    OH_IPCRemoteProxy_Destroy(proxy);
}

// A program that ignores SIGCHLD loses nothing.
void WithIgnoredSignal()
{
    Facts facts;
    std::signal(SIGCHLD, SIG_IGN);
    Behave("exit while connecting");
    CHECK_EQUAL(Start(LIBRARY).code, NCP_ERR_CONNECTION_FAILED);
    Behave("wait");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
}

// All processes whose parent, or parent's parent, is this one.
std::vector<pid_t> Descendants(pid_t ancestor)
{
    std::vector<pid_t> found;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        std::ifstream stream(entry.path() / "stat");
        std::string stat;
        std::getline(stream, stat);
        const size_t end = stat.rfind(')');
        if (end == std::string::npos) {
            continue;
        }
        std::istringstream fields(stat.substr(end + 1));
        std::string state;
        pid_t parent = 0;
        fields >> state >> parent;
        if (parent == ancestor) {
            found.push_back(std::stoi(name));
            const auto below = Descendants(found.back());
            found.insert(found.end(), below.begin(), below.end());
        }
    }
    return found;
}

void NothingIsLeftOfAChild()
{
    Facts facts;
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    CHECK(!Descendants(getpid()).empty());
    CHECK(kill(facts.LastPid(), SIGKILL) == 0);
    AwaitThat("the end of all processes", [] { return Descendants(getpid()).empty(); });
    OH_IPCRemoteProxy_Destroy(proxy);
}

size_t OpenDescriptors()
{
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// Starts that end in every way leave no descriptor open.
void NoDescriptorIsLeft()
{
    Facts facts;
    size_t before = 0;
    const auto live = [&facts](const char *way) {
        Behave(way);
        OH_IPCRemoteProxy_Destroy(Start(LIBRARY).proxy);
        kill(facts.LastPid(), SIGKILL);
        AwaitEnd(facts.LastPid());
    };
    for (int round = 0; round < 10; round++) {
        for (const char *way : {"wait", "return at once", "offer nothing", "crash while loading", "exit while connecting"}) {
            live(way);
        }
        AwaitThat("the end of all processes", [] { return Descendants(getpid()).empty(); });
        if (round == 0) {
            // What IPC itself has open comes with the first child, and goes a while after each: then one more child's life changes nothing.
            AwaitThat("a child's life after which as much is open as before", [&] {
                before = OpenDescriptors();
                live("wait");
                return before == OpenDescriptors();
            });
        }
    }
    AwaitThat("as few descriptors as after the first round", [&] { return OpenDescriptors() <= before; });
}

bool IsZombieOrGone(pid_t pid)
{
    std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
    std::string stat;
    std::getline(stream, stat);
    const size_t end = stat.rfind(')');
    return end == std::string::npos || stat.substr(end + 2, 1) == "Z";
}

// Runs a program that has two children and ends in the given way, and sees that nothing of it stays.
void CheckGoneWithParent(const std::function<void()> &endOfParent)
{
    Facts facts;
    Behave("wait");
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t parent = fork();
    if (parent == 0) {
        StartWell(LIBRARY);
        StartWell(LIBRARY);
        const std::vector<pid_t> descendants = Descendants(getpid());
        const auto size = descendants.size() * sizeof(pid_t);
        CHECK(write(ready[1], descendants.data(), size) == static_cast<ssize_t>(size));
        endOfParent();
        for (;;) {
            pause();
        }
    }
    CHECK(close(ready[1]) == 0);
    pid_t descendants[16];
    const ssize_t size = read(ready[0], descendants, sizeof descendants);
    CHECK(size >= static_cast<ssize_t>(2 * sizeof(pid_t)));
    int status = 0;
    CHECK_EQUAL(waitpid(parent, &status, 0), parent);
    const std::vector<pid_t> left(descendants, descendants + size / sizeof(pid_t));
    // Whoever adopts them reaps them in its own time.
    const bool gone = Happens([&] { return std::all_of(left.begin(), left.end(), IsZombieOrGone); });
    if (!gone) {
        for (const pid_t process : left) {
            kill(process, SIGKILL);
        }
    }
    CHECK(gone);
}

void GoneWhenTheParentIsKilled()
{
    CheckGoneWithParent([] { raise(SIGKILL); });
}

void GoneWhenTheParentExits()
{
    CheckGoneWithParent([] { exit(0); });
}

void GoneWhenTheParentExecutesAnotherProgram()
{
    CheckGoneWithParent([] { execl("/bin/true", "true", static_cast<char *>(nullptr)); });
}

// The thread that called Create ends, the process does not, and neither do its children.
void StaysWhenTheStartingThreadEnds()
{
    Facts facts;
    Behave("wait");
    OHIPCRemoteProxy *proxy = nullptr;
    std::thread([&] { proxy = StartWell(LIBRARY); }).join();
    const pid_t child = facts.LastPid();
    // Another child has come and gone in the meantime.
    Behave("exit while connecting");
    CHECK_EQUAL(Start(LIBRARY).code, NCP_ERR_CONNECTION_FAILED);
    CHECK(!IsZombieOrGone(child));
    OH_IPCRemoteProxy_Destroy(proxy);
}

std::atomic<int> g_exits{0};
std::atomic<int> g_exitsOfLiving{0};

void OnExit(int32_t pid, int32_t)
{
    if (IsThere(pid)) {
        g_exitsOfLiving++;
    }
    g_exits++;
}

void SetDescriptorLimit(rlim_t number)
{
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = number;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// A program that adopts what its descendants leave behind is left no children of this library's, however they end; also where
// there is no descriptor by which to kill one.
void NothingIsLeftToASubreaper()
{
    Facts facts;
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    struct sigaction action{};
    action.sa_handler = CountChildSignal;
    CHECK(sigaction(SIGCHLD, &action, nullptr) == 0);
    CHECK_EQUAL(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const pid_t connected = facts.LastPid();
    std::vector<int32_t> running(3);
    for (int32_t &pid : running) {
        CHECK_EQUAL(OH_Ability_StartNativeChildProcess("libchild_library.so:RunOn", NativeChildProcess_Args{},
            NativeChildProcess_Options{}, &pid), NCP_NO_ERROR);
    }
    AwaitThat("all children", [&] { return facts.Of("ran").size() == running.size(); });
    CHECK(kill(running[0], SIGKILL) == 0);
    CHECK_EQUAL(OH_Ability_KillChildProcess(running[1]), NCP_NO_ERROR);
    CHECK_EQUAL(OH_Ability_KillChildProcess(connected), NCP_NO_ERROR);
    AwaitEnd(connected);
    SetDescriptorLimit(STDERR_FILENO + 1);
    CHECK_EQUAL(OH_Ability_KillChildProcess(running[2]), NCP_NO_ERROR);
    AwaitThat("the ends of all", [&] { return g_exits == static_cast<int>(running.size()); });
    CHECK_EQUAL(g_exitsOfLiving.load(), 0);
    CheckNobodyToWaitFor(running[2]);
    CHECK_EQUAL(g_childSignals.load(), 0);
    SetDescriptorLimit(1024);
    OH_IPCRemoteProxy_Destroy(proxy);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"invisible", Invisible}, {"with_ignored_signal", WithIgnoredSignal},
            {"nothing_is_left", NothingIsLeftOfAChild}, {"no_descriptor_is_left", NoDescriptorIsLeft},
            {"gone_when_the_parent_is_killed", GoneWhenTheParentIsKilled},
            {"gone_when_the_parent_exits", GoneWhenTheParentExits},
            {"gone_when_the_parent_executes", GoneWhenTheParentExecutesAnotherProgram},
            {"nothing_is_left_to_a_subreaper", NothingIsLeftToASubreaper},
            {"stays_when_the_starting_thread_ends", StaysWhenTheStartingThreadEnds}});
}
