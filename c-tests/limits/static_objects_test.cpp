// SPDX-License-Identifier: Apache-2.0
// Static objects whose constructors and destructors use the API, in libraries that are linked and in such as are loaded and unloaded.
#include "processes.hpp"

#include <dlfcn.h>

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

// Loaded and unloaded again and again, on the main thread and on others, and once more loaded when the process ends.
void Loaded()
{
    const Server server;
    NameServer(server);
    const std::string path = PathOf("libstatic_objects.so");
    AwaitSuccess(Fork([&] {
        const auto loadAndUnload = [&] {
            void *const library = dlopen(path.c_str(), RTLD_NOW);
            CHECK(library != nullptr);
            CHECK_EQUAL(dlclose(library), 0);
        };
        for (int round = 0; round < 20; round++) {
            loadAndUnload();
            std::thread(loadAndUnload).join();
        }
        CheckThatItWorks(server);
        CHECK(dlopen(path.c_str(), RTLD_NOW) != nullptr);
        exit(0);
    }));
    CheckThatItWorks(server);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments, {{"linked", Linked}, {"loaded", Loaded}});
}
