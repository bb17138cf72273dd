// SPDX-License-Identifier: Apache-2.0
// How many children a process may have, and what it is told where the system gives no more.
#include "support.hpp"

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
    for (const size_t left : {size_t{0}, size_t{1}, size_t{2}, size_t{3}}) {
        StandardError log;
        const size_t before = Outcomes::All().Count();
        std::vector<int> used = UseUpDescriptors(left);
        const int code = OH_Ability_CreateNativeChildProcess(LIBRARY, OnStarted);
        if (code == NCP_NO_ERROR) {
            const Outcome outcome = Outcomes::All().Await(before);
            CHECK(outcome.code != NCP_NO_ERROR || outcome.proxy != nullptr);
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
        if (left == 0) {
            CHECK(log.Says("RLIMIT_NOFILE is 64"));
        }
    }
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"the_fifty_first", TheFiftyFirst}, {"own_limit", OwnLimit}, {"failed_starts_make_room", FailedStartsMakeRoom},
            {"no_descriptors", NoDescriptors}});
}
