// SPDX-License-Identifier: Apache-2.0
// Static objects whose constructors and destructors use the API, in a library that is linked.
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
void CheckProgram(const char *way)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    const pid_t pid = Fork([&] {
        dup2(pipes[1], STDOUT_FILENO);
        const std::string program = PathOf("static_objects_program");
        execl(program.c_str(), program.c_str(), way, static_cast<char *>(nullptr));
    });
    AwaitSuccess(pid);
    char said[32] = {};
    CHECK(read(pipes[0], said, sizeof said - 1) > 0);
    CHECK_EQUAL(std::string(said), "destroyed\n");
    close(pipes[0]);
    close(pipes[1]);
}

void Linked()
{
    const Server server;
    NameServer(server);
    for (int round = 0; round < 10; round++) {
        CheckProgram("return");
        CheckProgram("exit");
        CheckProgram("exit on another thread");
    }
    CheckThatItWorks(server);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments, {{"linked", Linked}});
}
