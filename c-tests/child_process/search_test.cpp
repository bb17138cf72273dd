// SPDX-License-Identifier: Apache-2.0
// Where a library's name is looked for, in which order. The test copies itself into a tree of its own and runs there.
#include "support.hpp"

#include <dlfcn.h>
#include <sys/wait.h>

namespace {

namespace fs = std::filesystem;

constexpr const char *SOUGHT = "libsought.so";

using CreateFunction = int (*)(const char *, OH_Ability_OnNativeChildProcessStarted);

// Starts the library through the module in caller/, and tells where the child loaded it from.
fs::path LoadedFrom(const Facts &facts, CreateFunction create)
{
    const size_t before = Outcomes::All().Count();
    CHECK_EQUAL(create(SOUGHT, OnStarted), NCP_NO_ERROR);
    const Outcome outcome = Outcomes::All().Await(before);
    CHECK_EQUAL(outcome.code, NCP_NO_ERROR);
    OH_IPCRemoteProxy_Destroy(outcome.proxy);
    return fs::canonical(facts.Last("loaded_from"));
}

void InTree(const fs::path &tree)
{
    Facts facts;
    Behave("wait");
    void *caller = dlopen((tree / "caller/libcaller.so").c_str(), RTLD_NOW);
    CHECK(caller != nullptr);
    const auto create = reinterpret_cast<CreateFunction>(dlsym(caller, "CreateForCaller"));
    const auto pass = reinterpret_cast<CreateFunction>(dlsym(caller, "PassToCreate"));
    CHECK(create != nullptr && pass != nullptr);
    const fs::path library = fs::path(getenv("SEARCH_BUILD")) / "libchild_library.so";
    // The last place first: each new file has to win over those before.
    for (const char *place : {"run_path", "loader_path"}) {
        fs::create_directories(tree / place);
        fs::copy_file(library, tree / place / SOUGHT);
        CHECK_EQUAL(LoadedFrom(facts, create), tree / place / SOUGHT);
    }
    // A call that seems to come from the program.
    fs::copy_file(library, tree / "caller" / SOUGHT);
    CHECK_EQUAL(LoadedFrom(facts, pass), tree / "caller" / SOUGHT);
    fs::remove(tree / "caller" / SOUGHT);
    for (const char *place : {"lib", "program/lib", "program", "caller", "second", "first"}) {
        fs::create_directories(tree / place);
        fs::copy_file(library, tree / place / SOUGHT);
        CHECK_EQUAL(LoadedFrom(facts, create), tree / place / SOUGHT);
    }
    // A path goes past all of them.
    fs::create_directories(tree / "elsewhere");
    fs::copy_file(library, tree / "elsewhere" / SOUGHT);
    const Outcome outcome = Start(tree / "elsewhere" / SOUGHT);
    CHECK_EQUAL(outcome.code, NCP_NO_ERROR);
    CHECK_EQUAL(facts.Last("loaded_from"), (tree / "elsewhere" / SOUGHT).string());
    OH_IPCRemoteProxy_Destroy(outcome.proxy);
}

} // namespace

int main(int count, char **arguments)
{
    if (count > 1) {
        InTree(arguments[1]);
        return 0;
    }
    TemporaryDirectory tree;
    const fs::path build = BuildDirectory();
    fs::create_directories(tree.Path() / "program");
    fs::create_directories(tree.Path() / "caller");
    fs::copy_file(build / "child_process_search_test", tree.Path() / "program/test");
    fs::copy_file(build / "libcaller.so", tree.Path() / "caller/libcaller.so");
    setenv("SEARCH_BUILD", build.c_str(), 1);
    setenv("OHOS_NATIVE_LIB_PATH", (tree.Path() / "first").string().append(":").append(tree.Path() / "second").c_str(), 1);
    setenv("LD_LIBRARY_PATH", (tree.Path() / "loader_path").c_str(), 1);
    const pid_t child = fork();
    if (child == 0) {
        const std::string program = tree.Path() / "program/test";
        const std::string argument = fs::canonical(tree.Path());
        execl(program.c_str(), program.c_str(), argument.c_str(), static_cast<char *>(nullptr));
        _exit(127);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}
