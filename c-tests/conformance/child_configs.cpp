// SPDX-License-Identifier: Apache-2.0
// Configurations: names and isolation.
#include <arpa/inet.h>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/child.h"

using namespace conformance;

namespace {

struct Configs {
    Ability_ChildProcessConfigs *configs = OH_Ability_CreateChildProcessConfigs();
    Configs() { REQUIRE(configs != nullptr); }
    ~Configs() { EXPECT_EQ(OH_Ability_DestroyChildProcessConfigs(configs), NCP_NO_ERROR); }
    int Name(const char *name) const { return OH_Ability_ChildProcessConfigs_SetProcessName(configs, name); }
};

// What a child of Start, configured, says of its surroundings.
std::map<std::string, std::string> ReportOfRun(Ability_ChildProcessConfigs *configs)
{
    Pipe out;
    int32_t pid = -1;
    Arguments arguments;
    arguments.Descriptor("out", out.Writing());
    REQUIRE_EQ(OH_Ability_StartNativeChildProcessWithConfigs("libconformance_child.so:ReportSurroundings",
        arguments.Get(), configs, &pid), NCP_NO_ERROR);
    auto report = ByKey(out.ReadToEnd());
    EXPECT_EQ(report["pid"], std::to_string(pid));
    AwaitGone(pid);
    return report;
}

// The same of a child of Create, which says it through IPC.
std::map<std::string, std::string> ReportOfConnected(Ability_ChildProcessConfigs *configs)
{
    // An isolated child has no access to the runner, which has the board.
    setenv("CHILD_MAIN", "pause", 1);
    Outcome outcome = CreateChild(CHILD_LIBRARY, configs);
    REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
    Parcel data;
    Parcel reply;
    REQUIRE_EQ(SendSync(outcome.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    auto report = ByKey(reply.Read().Text());
    EXPECT_EQ(OH_Ability_KillChildProcess(std::stoi(report["pid"])), NCP_NO_ERROR);
    return report;
}

std::string OwnName()
{
    std::ifstream stream("/proc/self/cmdline");
    std::string name;
    std::getline(stream, name, '\0');
    return name;
}

// A port of this machine on which somebody listens.
class Listener {
public:
    Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        REQUIRE_EQ(bind(socket_.Get(), reinterpret_cast<sockaddr *>(&address), length), 0);
        REQUIRE_EQ(listen(socket_.Get(), 16), 0);
        REQUIRE_EQ(getsockname(socket_.Get(), reinterpret_cast<sockaddr *>(&address), &length), 0);
        setenv("CHILD_PORT", std::to_string(ntohs(address.sin_port)).c_str(), 1);
    }

private:
    OwnedDescriptor socket_;
};

// Directories that are this process's own, with a file in each.
struct Private {
    TemporaryDirectory home;
    TemporaryDirectory runtime;
    Private()
    {
        home.File("secret");
        runtime.File("secret");
        setenv("HOME", home.Path().c_str(), 1);
        setenv("XDG_RUNTIME_DIR", runtime.Path().c_str(), 1);
    }
};

// Whether this process, or who watches over it, may make user namespaces.
bool NamespacesAreToBeHad()
{
    return CountInOutput("it is not isolated as asked for") == 0;
}

} // namespace

TEST(null_configs, "NULL is not refused")
{
    EXPECT_EQ(OH_Ability_DestroyChildProcessConfigs(nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationMode(nullptr, NCP_ISOLATION_MODE_NORMAL), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationUid(nullptr, true), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetProcessName(nullptr, "name"), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_CreateNativeChildProcessWithConfigs("libx.so", nullptr, [](int, OHIPCRemoteProxy *) {}),
        NCP_ERR_INVALID_PARAM);
    Configs configs;
    for (const char *name : { static_cast<const char *>(nullptr), "", "a/../libx.so" }) {
        EXPECT_EQ(OH_Ability_CreateNativeChildProcessWithConfigs(name, configs.configs, [](int, OHIPCRemoteProxy *) {}),
            NCP_ERR_INVALID_PARAM);
    }
    EXPECT_EQ(OH_Ability_CreateNativeChildProcessWithConfigs("libx.so", configs.configs, nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationMode(configs.configs,
        static_cast<NativeChildProcess_IsolationMode>(2)), NCP_ERR_INVALID_PARAM);
}

TEST(names_that_are_refused_change_nothing, "a name that is not of the form is taken, or the old one is lost")
{
    Configs configs;
    const std::string longest(64, 'n');
    EXPECT_EQ(configs.Name(longest.c_str()), NCP_NO_ERROR);
    for (const std::string &name : { std::string(), longest + "n", std::string("a b"), std::string("a-b"),
        std::string("a.b"), std::string("a:b"), std::string("\xc3\xa4") }) {
        EXPECT_EQ(configs.Name(name.c_str()), NCP_ERR_INVALID_PARAM);
    }
    EXPECT_EQ(configs.Name(nullptr), NCP_ERR_INVALID_PARAM);
    // Used twice, for either kind.
    EXPECT_EQ(ReportOfRun(configs.configs)["cmdline"], OwnName() + ":" + longest);
    EXPECT_EQ(ReportOfRun(configs.configs)["cmdline"], OwnName() + ":" + longest);
    EXPECT_EQ(ReportOfConnected(configs.configs)["cmdline"], OwnName() + ":" + longest);
    EXPECT_EQ(configs.Name("Reader_1"), NCP_NO_ERROR);
    EXPECT_EQ(ReportOfRun(configs.configs)["cmdline"], OwnName() + ":Reader_1");
}

TEST(a_name_without_configs, "children without a name of their own cannot be told apart")
{
    Configs configs;
    const std::string expected = OwnName() + ":Native_libconformance_child";
    std::string first = ReportOf("ReportSurroundings")["cmdline"];
    std::string second = ReportOfRun(configs.configs)["cmdline"];
    EXPECT_EQ(first.substr(0, expected.size()), expected);
    EXPECT_EQ(second.substr(0, expected.size()), expected);
    EXPECT(first != second);
}

TEST(isolated_children_see_less, "an isolated child reaches the network, the runtime directory or the home")
{
    Listener listener;
    Private directories;
    Configs configs;
    for (auto report : { ReportOfRun(configs.configs), ReportOfConnected(configs.configs) }) {
        EXPECT_EQ(report["network"], "reached");
        EXPECT_EQ(report["home"], "1");
        EXPECT_EQ(report["runtime"], "1");
        EXPECT_EQ(report["user"], std::to_string(geteuid()));
    }
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationMode(configs.configs, NCP_ISOLATION_MODE_ISOLATED), NCP_NO_ERROR);
    for (auto report : { ReportOfRun(configs.configs), ReportOfConnected(configs.configs) }) {
        bool isolated = NamespacesAreToBeHad();
        EXPECT_EQ(report["network"], isolated ? "Network is unreachable" : "reached");
        EXPECT_EQ(report["home"], isolated ? "0" : "1");
        EXPECT_EQ(report["runtime"], isolated ? "0" : "1");
        EXPECT_EQ(report["user"], std::to_string(geteuid()));
        EXPECT_EQ(report["blocked"], "0000000000000000");
    }
    EXPECT(CountInOutput("it is not isolated as asked for") <= 1);
}

TEST(isolated_by_the_options_of_start, "the options' mode is not looked at")
{
    Listener listener;
    Private directories;
    Pipe out;
    Started child = StartEntry("libconformance_child.so:ReportSurroundings",
        Arguments().Descriptor("out", out.Writing()), NCP_ISOLATION_MODE_ISOLATED);
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    auto report = ByKey(out.ReadToEnd());
    EXPECT_EQ(report["network"], NamespacesAreToBeHad() ? "Network is unreachable" : "reached");
    EXPECT_EQ(report["home"], NamespacesAreToBeHad() ? "0" : "1");
}

TEST(the_working_directory_is_no_way_into_the_home, "an isolated child reads a hidden directory as its working directory")
{
    Listener listener;
    Private directories;
    Configs configs;
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationMode(configs.configs, NCP_ISOLATION_MODE_ISOLATED), NCP_NO_ERROR);
    std::string inner = directories.home.Path() + "/inner";
    REQUIRE_EQ(mkdir(inner.c_str(), 0700), 0);
    for (const std::string &directory : { directories.home.Path(), inner, std::string("/usr") }) {
        Context context(directory);
        REQUIRE_EQ(chdir(directory.c_str()), 0);
        for (auto report : { ReportOfRun(configs.configs), ReportOfConnected(configs.configs) }) {
            bool isolated = NamespacesAreToBeHad();
            EXPECT_EQ(report["directory"], isolated && directory == inner ? "/" : directory);
            if (directory == directories.home.Path()) {
                EXPECT_EQ(report["here"], isolated ? "0" : "2");
            }
        }
    }
    REQUIRE_EQ(rmdir(inner.c_str()), 0);
}

TEST(isolated_children_get_no_capabilities_back, "a program that an isolated child of the superuser executes can undo the isolation")
{
    Private directories;
    Pipe out;
    Started child = StartEntry("libconformance_child.so:ReportCapabilities",
        Arguments().Descriptor("out", out.Writing()), NCP_ISOLATION_MODE_ISOLATED);
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    auto report = ByKey(out.ReadToEnd());
    if (NamespacesAreToBeHad()) {
        EXPECT_EQ(report["permitted"], "0000000000000000");
    }
}

TEST(a_home_with_the_library_stays, "a directory that holds the library is hidden, and the library is not found")
{
    Private directories;
    char program[4096] = {};
    REQUIRE(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    std::string build(program);
    setenv("HOME", build.substr(0, build.rfind('/')).c_str(), 1);
    Pipe out;
    Started child = StartEntry("libconformance_child.so:ReportSurroundings",
        Arguments().Descriptor("out", out.Writing()), NCP_ISOLATION_MODE_ISOLATED);
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    auto report = ByKey(out.ReadToEnd());
    EXPECT(report["home"] != "0" && report["home"] != "");
    EXPECT_EQ(report["runtime"], NamespacesAreToBeHad() ? "0" : "1");
}

TEST(a_user_of_ones_own, "the user is another one without isolation, or the same with it")
{
    Configs configs;
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationUid(configs.configs, true), NCP_NO_ERROR);
    EXPECT_EQ(ReportOfRun(configs.configs)["user"], std::to_string(geteuid()));
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationMode(configs.configs, NCP_ISOLATION_MODE_ISOLATED), NCP_NO_ERROR);
    for (auto report : { ReportOfRun(configs.configs), ReportOfConnected(configs.configs) }) {
        EXPECT_EQ(report["user"] != std::to_string(geteuid()), NamespacesAreToBeHad());
    }
    EXPECT_EQ(OH_Ability_ChildProcessConfigs_SetIsolationUid(configs.configs, false), NCP_NO_ERROR);
    EXPECT_EQ(ReportOfRun(configs.configs)["user"], std::to_string(geteuid()));
}
