// SPDX-License-Identifier: Apache-2.0
// How many children a process may have, and what it is told where the system gives no more.
#include "support.hpp"

#include <atomic>
#include <sys/resource.h>

namespace {

constexpr const char *LIBRARY = "libchild_library.so";

// Starts as many as may live, sees the next one refused, ends one, and sees room again.
void CheckLimit(size_t most)
{
    Facts facts;
    Behave("wait");
    std::vector<OHIPCRemoteProxy *> proxies;
    for (size_t index = 0; index < most; index++) {
        proxies.push_back(StartWell(LIBRARY));
    }
    CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted), NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    // Refused, not put off.
    CHECK_EQUAL(Outcomes::All().Count(), most);
    const pid_t first = std::stoi(facts.Of("pid").front());
    CHECK(kill(first, SIGKILL) == 0);
    AwaitEnd(first);
    AwaitThat("room for another child", [] {
        const int code = OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted);
        CHECK(code == NCP_NO_ERROR || code == NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
        return code == NCP_NO_ERROR;
    });
    proxies.push_back(Outcomes::All().Await(most).proxy);
    CHECK_EQUAL(Outcomes::All().Await(most).code, NCP_NO_ERROR);
    CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted), NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    for (OHIPCRemoteProxy *proxy : proxies) {
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

void TheFiftyFirst()
{
    unsetenv("IPCKIT_MAX_CHILDREN");
    CheckLimit(50);
}

void OwnLimit()
{
    setenv("IPCKIT_MAX_CHILDREN", "2", 1);
    CheckLimit(2);
}

// Children whose start failed do not count for ever.
void FailedStartsMakeRoom()
{
    setenv("IPCKIT_MAX_CHILDREN", "1", 1);
    for (int round = 0; round < 5; round++) {
        AwaitThat("room after a failed start", [] {
            return OH_Ability_CreateNativeChildProcess("libnowhere.so", OnStarted) == NCP_NO_ERROR;
        });
        CHECK_EQUAL(Outcomes::All().Await(round).code, NCP_ERR_LIB_LOADING_FAILED);
    }
}

// Opens files until none is to be had, so that so many are left.
std::vector<int> UseUpDescriptors(size_t left)
{
    std::vector<int> descriptors;
    for (int descriptor; (descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
        descriptors.push_back(descriptor);
    }
    for (size_t index = 0; index < left; index++) {
        close(descriptors.back());
        descriptors.pop_back();
    }
    return descriptors;
}

// With no descriptor left a start fails with an error that names the limit; with some again, one succeeds.
void NoDescriptors()
{
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    Behave("wait");
    for (const size_t left : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{5}, size_t{6}, size_t{7}}) {
        StandardError log;
        const size_t before = Outcomes::All().Count();
        std::vector<int> used = UseUpDescriptors(left);
        bool failed = true;
        const int code = OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted);
        if (code == NCP_NO_ERROR) {
            const Outcome outcome = Outcomes::All().Await(before);
            CHECK(outcome.code != NCP_NO_ERROR || outcome.proxy != nullptr);
            failed = outcome.code != NCP_NO_ERROR;
            if (left == 0) {
                CHECK_EQUAL(outcome.code, NCP_ERR_INTERNAL);
            }
            OH_IPCRemoteProxy_Destroy(outcome.proxy);
        } else {
            CHECK_EQUAL(code, NCP_ERR_INTERNAL);
        }
        for (const int descriptor : used) {
            close(descriptor);
        }
        CHECK(!failed || log.Says("RLIMIT_NOFILE is 64"));
    }
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
}

void SetDescriptorLimit(rlim_t number)
{
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = number;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int32_t StartRunning(const char *entry)
{
    int32_t pid = 0;
    CHECK_EQUAL(OH_Ability_StartNativeChildProcess(entry, NativeChildProcess_Args{}, NativeChildProcess_Options{}, &pid), NCP_NO_ERROR);
    return pid;
}

std::atomic<int> g_exits{0};

void OnExit(int32_t, int32_t)
{
    g_exits++;
}

// Children of Start, which are cheap, up to the limit for all kinds; then there is room for none of either.
void TheFiveHundredAndThirteenth()
{
    unsetenv("IPCKIT_MAX_CHILDREN");
    SetDescriptorLimit(4096);
    Facts facts;
    CHECK_EQUAL(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    std::vector<int32_t> children;
    for (int index = 0; index < 512; index++) {
        children.push_back(StartRunning("libchild_library.so:RunOn"));
    }
    int32_t pid = 0;
    CHECK_EQUAL(OH_Ability_StartNativeChildProcess("libchild_library.so:Run", NativeChildProcess_Args{}, NativeChildProcess_Options{},
        &pid), NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted), NCP_ERR_MAX_CHILD_PROCESSES_REACHED);
    for (const int32_t child : children) {
        CHECK_EQUAL(OH_Ability_KillChildProcess(child), NCP_NO_ERROR);
    }
    AwaitThat("the ends of all", [] { return g_exits == 512; });
    Behave("wait");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
}

// What the kernel says of a process's threads of a name; it can be read again when no more files can be opened.
class ThreadStates {
public:
    ThreadStates(pid_t process, const std::string &name)
    {
        for (const auto &task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
            std::ifstream stream(task.path() / "comm");
            std::string comm;
            std::getline(stream, comm);
            if (comm == name) {
                files_.push_back(open((task.path() / "stat").c_str(), O_RDONLY | O_CLOEXEC));
                CHECK(files_.back() >= 0);
            }
        }
        CHECK(!files_.empty());
    }
    ~ThreadStates()
    {
        for (const int file : files_) {
            close(file);
        }
    }
    ThreadStates(const ThreadStates &) = delete;
    ThreadStates &operator=(const ThreadStates &) = delete;

    // Whether all sleep in a hundred looks in a row, as none does that is kept busy.
    bool AreAsleep() const
    {
        for (int look = 0; look < 100; look++) {
            for (const int file : files_) {
                char text[512] = {};
                CHECK(pread(file, text, sizeof text - 1, 0) > 0);
                const std::string stat = text;
                if (stat.compare(stat.rfind(')') + 2, 1, "S") != 0) {
                    return false;
                }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return true;
    }

private:
    std::vector<int> files_;
};

// A limit below the number of descriptors that are waited for: children are followed all the same, without a busy thread.
void LowLimitInTheParent()
{
    Facts facts;
    CHECK_EQUAL(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    std::vector<int32_t> children;
    for (int index = 0; index < 6; index++) {
        children.push_back(StartRunning("libchild_library.so:RunOn"));
    }
    AwaitThat("all children", [&] { return facts.Of("ran").size() == children.size(); });
    const ThreadStates starter(getpid(), "ipckit_starter");
    for (const rlim_t limit : {rlim_t{4}, rlim_t{0}}) {
        SetDescriptorLimit(limit);
        const int before = g_exits;
        // The first end makes the thread wait anew.
        for (int index = 0; index < 2; index++) {
            CHECK(kill(children.back(), SIGKILL) == 0);
            children.pop_back();
            AwaitThat("an end", [&] { return g_exits == before + index + 1; });
        }
        AwaitThat("the starter's sleep", [&] { return starter.AreAsleep(); });
    }
    SetDescriptorLimit(1024);
    StartRunning("libchild_library.so:Run");
    AwaitThat("the end of another one", [] { return g_exits == 5; });
}

bool AllowsItselfNoDescriptor(pid_t process)
{
    std::ifstream stream("/proc/" + std::to_string(process) + "/limits");
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words(line);
        std::string max;
        std::string open;
        std::string files;
        std::string soft;
        words >> max >> open >> files >> soft;
        if (open == "open" && soft == "0") {
            return true;
        }
    }
    return false;
}

// A child of either kind that allows itself no descriptor keeps no processor busy.
void LowLimitInAChild()
{
    Facts facts;
    Behave("allow itself no descriptor");
    // It can take no connection in, so that the callback comes when it has ended.
    setenv("IPCKIT_CHILD_HEAD_START_MS", "0", 1);
    StartRunning("libchild_library.so:RunOn");
    AwaitThat("the child of Start", [&] { return facts.Of("pid").size() == 1; });
    CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted), NCP_NO_ERROR);
    AwaitThat("the child of Create", [&] { return facts.Of("pid").size() == 2; });
    for (const std::string &text : facts.Of("pid")) {
        const pid_t child = std::stoi(text);
        AwaitThat("the child's limit", [&] { return AllowsItselfNoDescriptor(child); });
        const ThreadStates notice(child, "ipckit_notice");
        AwaitThat("the child's sleep", [&] { return notice.AreAsleep(); });
        CHECK_EQUAL(OH_Ability_KillChildProcess(child), NCP_NO_ERROR);
    }
    CHECK_EQUAL(Outcomes::All().Await(0).code, NCP_ERR_CONNECTION_FAILED);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"the_fifty_first", TheFiftyFirst}, {"the_five_hundred_and_thirteenth", TheFiveHundredAndThirteenth},
            {"own_limit", OwnLimit}, {"failed_starts_make_room", FailedStartsMakeRoom}, {"no_descriptors", NoDescriptors},
            {"low_limit_in_the_parent", LowLimitInTheParent}, {"low_limit_in_a_child", LowLimitInAChild}});
}
