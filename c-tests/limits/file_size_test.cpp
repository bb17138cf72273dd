// SPDX-License-Identifier: Apache-2.0
// A limit of file sizes, which shared memory counts for: what would grow beyond it ends a process by SIGXFSZ, if nobody looks first.
#include "limits.hpp"

namespace {

// Enough for a log, too little for a segment.
constexpr rlim_t LITTLE = 65536;

void TooLittleToStartWith()
{
    const Server server;
    for (const rlim_t most : {rlim_t{4096}, LITTLE, rlim_t{4 << 20}}) {
        CHECK(!UseUnderLimit(server, RLIMIT_FSIZE, most, {"ulimit -f"}));
    }
    CHECK(UseUnderLimit(server, RLIMIT_FSIZE, 64 << 20, {}));
}

// A process that knows others goes on with them, and gets to know no more until it may.
void TooLittleForOneMore()
{
    const Server known;
    const Server another;
    OHIPCRemoteProxy *proxy = known.Connect();
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    {
        StandardError log;
        SetLimit(RLIMIT_FSIZE, LITTLE);
        CHECK(another.Import() == nullptr);
        CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
        SetLimit(RLIMIT_FSIZE, RLIM_INFINITY);
        CHECK(log.Says("ulimit -f"));
    }
    CheckThatItWorks(another);
    OH_IPCRemoteProxy_Destroy(proxy);
}

void InAServer()
{
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    StandardError log;
    const pid_t limited = Fork([&] {
        const Reference reference = Server::Exported();
        SetLimit(RLIMIT_FSIZE, LITTLE);
        WriteAll(pipes[1], reference.data(), reference.size());
        for (;;) {
            pause();
        }
    });
    Reference reference;
    ReadAll(pipes[0], reference.data(), reference.size());
    CHECK(ipckit_reference_import(reference.data()) == nullptr);
    AwaitThat("a line about the size of files", [&] { return log.Says("ulimit -f"); });
    CHECK(IsThere(limited));
    rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    CHECK(prlimit(limited, RLIMIT_FSIZE, &limit, nullptr) == 0);
    OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
    CHECK(proxy != nullptr);
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    OH_IPCRemoteProxy_Destroy(proxy);
    kill(limited, SIGKILL);
    waitpid(limited, nullptr, 0);
}

// The child cannot have what it needs, or the parent not what it passes on to it.
void ForChildren()
{
    const std::string library = ChildLibrary();
    Behave("wait");
    {
        StandardError log;
        SetLimit(RLIMIT_FSIZE, LITTLE);
        const Outcome outcome = Start(library);
        CHECK(outcome.code == NCP_ERR_CONNECTION_FAILED || outcome.code == NCP_ERR_INTERNAL);
        CHECK(outcome.proxy == nullptr);
        CHECK(log.Says("ulimit -f"));
    }
    {
        StandardError log;
        std::string parameters(100000, 'x');
        NativeChildProcess_Args arguments{parameters.data(), {nullptr}};
        int32_t pid = 0;
        const int code =
            OH_Ability_StartNativeChildProcess((library + ":NativeChildProcess_MainProc").c_str(), arguments, {NCP_ISOLATION_MODE_NORMAL, 0}, &pid);
        CHECK_EQUAL(code, NCP_ERR_SERVICE_ERROR);
        CHECK(log.Says("ulimit -f"));
    }
    SetLimit(RLIMIT_FSIZE, RLIM_INFINITY);
    OH_IPCRemoteProxy_Destroy(StartWell(library));
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"too_little_to_start_with", TooLittleToStartWith}, {"too_little_for_one_more", TooLittleForOneMore},
            {"in_a_server", InAServer}, {"for_children", ForChildren}});
}
