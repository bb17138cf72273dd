// SPDX-License-Identifier: Apache-2.0
// Static objects whose constructors and destructors use the API, in a library that is linked, or loaded later.
#include "processes.hpp"

namespace {

std::string PathOf(const char *name)
{
    return std::filesystem::canonical(BuildDirectory() / name);
}

void NameServer(const Server &server)
{
    std::ostringstream digits;
    for (const uint8_t byte : server.GetReference()) {
        const char *const all = "0123456789abcdef";
        digits << all[byte >> 4] << all[byte & 15];
    }
    setenv("STATIC_OBJECTS_SERVER", digits.str().c_str(), 1);
}

// Runs a program that has to end with status 0 after all its static objects were destroyed.
void CheckProgram(const std::string &program, const char *way, const char *library = nullptr)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    const pid_t pid = Fork([&] {
        dup2(pipes[1], STDOUT_FILENO);
        execl(program.c_str(), program.c_str(), way, library, static_cast<char *>(nullptr));
    });
    AwaitSuccess(pid);
    char said[32] = {};
    CHECK(read(pipes[0], said, sizeof said - 1) > 0);
    CHECK_EQUAL(std::string(said), "destroyed\n");
    close(pipes[0]);
    close(pipes[1]);
}

void CheckInAllWays(const char *program, const char *library)
{
    const Server server;
    NameServer(server);
    for (int round = 0; round < 10; round++) {
        for (const char *way : {"return", "exit", "exit on another thread"}) {
            CheckProgram(PathOf(program), way, library);
        }
    }
    CheckThatItWorks(server);
}

void Linked()
{
    CheckInAllWays("static_objects_program", nullptr);
}

// The loader holds its lock while the constructors run, and threads must not need it that they wait for.
void Loaded()
{
    CheckInAllWays("static_objects_loader", PathOf("libstatic_objects.so").c_str());
}

void CheckChildren(const char *program, const char *library)
{
    for (int round = 0; round < 10; round++) {
        const pid_t pid = Fork([&] {
            setenv("STATIC_CHILDREN", "start", 1);
            execl(PathOf(program).c_str(), program, "return", library, static_cast<char *>(nullptr));
            _exit(1);
        });
        AwaitSuccess(pid);
    }
}

void ChildrenLinked()
{
    CheckChildren("static_children_program", nullptr);
}

void ChildrenLoaded()
{
    CheckChildren("static_objects_loader", PathOf("libstatic_children.so").c_str());
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"linked", Linked}, {"loaded", Loaded}, {"children_linked", ChildrenLinked}, {"children_loaded", ChildrenLoaded}});
}
