// SPDX-License-Identifier: Apache-2.0
// A program that forks: either process goes on with children of its own.
#include "support.hpp"

#include <sys/wait.h>

namespace {

constexpr const char *LIBRARY = "libchild_library.so";

void ForkedProcessHasChildrenOfItsOwn()
{
    Facts facts;
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const pid_t child = facts.LastPid();
    const pid_t forked = fork();
    if (forked == 0) {
        const Outcome outcome = Start(LIBRARY);
        _exit(outcome.code == NCP_NO_ERROR && outcome.proxy != nullptr ? 0 : 1);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(forked, &status, 0), forked);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    // The forked process's child has gone with it; this one's is as it was.
    const pid_t childOfForked = facts.LastPid();
    CHECK(childOfForked != child);
    CHECK(IsThere(child));
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
}

// The limit is each process's own.
void ForkedProcessHasRoom()
{
    setenv("IPCKIT_MAX_CHILDREN", "1", 1);
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const pid_t forked = fork();
    if (forked == 0) {
        _exit(Start(LIBRARY).code);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(forked, &status, 0), forked);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OH_IPCRemoteProxy_Destroy(proxy);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"children_of_its_own", ForkedProcessHasChildrenOfItsOwn}, {"room_of_its_own", ForkedProcessHasRoom}});
}
