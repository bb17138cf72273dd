// SPDX-License-Identifier: Apache-2.0
// How starts end, and that each callback is called once, on a thread of the library.
#include "support.hpp"

namespace {

constexpr const char *LIBRARY = "libchild_library.so";

// No further callback comes, even after another start has gone all its way.
void CheckToldOnce()
{
    const size_t before = Outcomes::All().Count();
    Behave("wait");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(Outcomes::All().Count(), before + 1);
}

void CheckFailure(const std::string &library, int code)
{
    const Outcome outcome = Start(library);
    CHECK_EQUAL(outcome.code, code);
    CHECK(outcome.proxy == nullptr);
    CHECK(outcome.thread != getpid());
    CheckToldOnce();
}

void CheckBehaviour(const std::string &way, int code)
{
    Facts facts;
    Behave(way);
    CheckFailure(LIBRARY, code);
    // The first child, not the one that was started to see that nothing else comes.
    AwaitEnd(std::stoi(facts.Of("pid").front()));
}

void Success()
{
    Facts facts;
    Behave("wait");
    const Outcome outcome = Start(LIBRARY);
    CHECK_EQUAL(outcome.code, NCP_NO_ERROR);
    CHECK(outcome.proxy != nullptr);
    CHECK(outcome.thread != getpid());
    CHECK_EQUAL(outcome.threadName.substr(0, 7), "OS_IPC_");
    CHECK_EQUAL(facts.Last("on_connect"), "main thread");
    CHECK_EQUAL(facts.Last("main_proc"), "main thread");
    const auto lines = facts.Lines();
    CHECK_EQUAL(lines.size(), size_t{4});
    CHECK_EQUAL(lines[2].substr(0, 10), "on_connect");
    CHECK_EQUAL(lines[3].substr(0, 9), "main_proc");
    OH_IPCRemoteProxy_Destroy(outcome.proxy);
    CheckToldOnce();
}

void MissingLibrary()
{
    StandardError log;
    setenv("OHOS_NATIVE_LIB_PATH", "/nowhere/first:/nowhere/second", 1);
    CheckFailure("libnowhere.so", NCP_ERR_LIB_LOADING_FAILED);
    const std::string here = BuildDirectory();
    for (const std::string &place : {std::string("/nowhere/first/"), std::string("/nowhere/second/"), here + "/", here + "/lib/"}) {
        CHECK(log.Says(place + "libnowhere.so ("));
    }
    CHECK(log.Says("LD_LIBRARY_PATH"));
}

void MissingAbsolutePath() { CheckFailure("/nowhere/libnowhere.so", NCP_ERR_LIB_LOADING_FAILED); }
void Directory() { CheckFailure(BuildDirectory().string(), NCP_ERR_LIB_LOADING_FAILED); }
void NoFunctions() { CheckFailure("libchild_library_without_functions.so", NCP_ERR_LIB_LOADING_FAILED); }
void NoMainProc() { CheckFailure("libchild_library_without_main_proc.so", NCP_ERR_LIB_LOADING_FAILED); }
void LongName() { CheckFailure(std::string(100000, 'x'), NCP_ERR_LIB_LOADING_FAILED); }

void NotALibrary()
{
    TemporaryDirectory directory;
    const auto file = directory.Path() / "libtext.so";
    std::ofstream(file) << "not a library\n";
    CheckFailure(file, NCP_ERR_LIB_LOADING_FAILED);
}

void CrashWhileLoading() { CheckBehaviour("crash while loading", NCP_ERR_LIB_LOADING_FAILED); }
void OfferNothing() { CheckBehaviour("offer nothing", NCP_ERR_CONNECTION_FAILED); }
void CrashWhileConnecting() { CheckBehaviour("crash while connecting", NCP_ERR_CONNECTION_FAILED); }
void ExitWhileConnecting() { CheckBehaviour("exit while connecting", NCP_ERR_CONNECTION_FAILED); }
void WriteToEverySocket() { CheckBehaviour("write to every socket", NCP_ERR_CONNECTION_FAILED); }

void ThrowWhileConnecting()
{
    StandardError log;
    CheckBehaviour("throw while connecting", NCP_ERR_CONNECTION_FAILED);
    CHECK(log.Says("thrown by the test"));
}

void CloseEverything()
{
    setenv("IPCKIT_CHILD_START_TIMEOUT_MS", "1000", 1);
    Facts facts;
    Behave("close everything");
    const Outcome outcome = Start(LIBRARY);
    CHECK(outcome.code == NCP_ERR_TIMEOUT || outcome.code == NCP_ERR_CONNECTION_FAILED);
    AwaitEnd(facts.LastPid());
}

void CheckTimeout(const std::string &way)
{
    Facts facts;
    Behave(way);
    // On a busy machine a child may not come as far as where it hangs; then one that has more time does.
    for (int time = 300; !facts.Has("pid"); time *= 2) {
        CHECK(time < 100'000);
        setenv("IPCKIT_CHILD_START_TIMEOUT_MS", std::to_string(time).c_str(), 1);
        CHECK_EQUAL(Start(LIBRARY).code, NCP_ERR_TIMEOUT);
    }
    AwaitEnd(facts.LastPid());
}

void HangWhileLoading() { CheckTimeout("hang while loading"); }
void HangWhileConnecting() { CheckTimeout("hang while connecting"); }

// The parent is told of the child, though it may have gone by then; static destructors run.
void ReturnAtOnce()
{
    Facts facts;
    Behave("return at once");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    AwaitEnd(facts.LastPid());
    CHECK_EQUAL(facts.Last("static_destructors"), "ran");
}

void NoLauncher()
{
    StandardError log;
    setenv("IPCKIT_NATIVE_CHILD", "/nowhere/launcher", 1);
    const Outcome outcome = Start(LIBRARY);
    CHECK_EQUAL(outcome.code, NCP_ERR_INTERNAL);
    CHECK(outcome.proxy == nullptr);
    CHECK(log.Says("/nowhere/launcher"));
}

void LauncherThatCannotRun()
{
    TemporaryDirectory directory;
    const auto file = directory.Path() / "launcher";
    std::ofstream(file) << "not a program\n";
    StandardError log;
    setenv("IPCKIT_NATIVE_CHILD", file.c_str(), 1);
    CHECK_EQUAL(Start(LIBRARY).code, NCP_ERR_INTERNAL);
    CHECK(log.Says("executing the launcher"));
}

void InsideAChild()
{
    Facts facts;
    Behave("have a child");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    CHECK_EQUAL(facts.Last("grandchild"), std::to_string(NCP_ERR_ALREADY_IN_CHILD));
    CHECK(!facts.Has("start_callback"));
}

// A library is loaded though a function that it might call is nowhere.
void FunctionsAreBoundWhenCalled()
{
    unsetenv("LD_BIND_NOW");
    OH_IPCRemoteProxy_Destroy(StartWell("libchild_library_with_a_hole.so"));
    setenv("CHILD_CALLS_WHAT_IS_DEFINED_NOWHERE", "1", 1);
    CheckFailure("libchild_library_with_a_hole.so", NCP_ERR_CONNECTION_FAILED);
}

void ExitStatus()
{
    Facts facts;
    Behave("tell its exit status");
    OH_IPCRemoteProxy_Destroy(StartWell(LIBRARY));
    AwaitEnd(facts.LastPid());
    CHECK_EQUAL(facts.Last("exit_status"), "0");
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"success", Success}, {"missing_library", MissingLibrary}, {"missing_absolute_path", MissingAbsolutePath},
            {"directory", Directory}, {"no_functions", NoFunctions}, {"no_main_proc", NoMainProc},
            {"long_name", LongName}, {"not_a_library", NotALibrary}, {"crash_while_loading", CrashWhileLoading},
            {"offer_nothing", OfferNothing}, {"crash_while_connecting", CrashWhileConnecting},
            {"exit_while_connecting", ExitWhileConnecting}, {"throw_while_connecting", ThrowWhileConnecting},
            {"write_to_every_socket", WriteToEverySocket}, {"close_everything", CloseEverything},
            {"hang_while_loading", HangWhileLoading}, {"hang_while_connecting", HangWhileConnecting},
            {"return_at_once", ReturnAtOnce}, {"no_launcher", NoLauncher},
            {"launcher_that_cannot_run", LauncherThatCannotRun}, {"inside_a_child", InsideAChild},
            {"functions_are_bound_when_called", FunctionsAreBoundWhenCalled}, {"exit_status", ExitStatus}});
}
