// SPDX-License-Identifier: Apache-2.0
// Programs that close every descriptor they do not know, this library's among them, and go on starting children.
#include "support.hpp"

#include <atomic>
#include <climits>
#include <memory>
#include <sys/stat.h>

namespace {

constexpr const char *LIBRARY = "libchild_library.so";
constexpr const char *ENTRY = "libchild_library.so:Run";
constexpr const char *WAITING_ENTRY = "libchild_library.so:RunOn";
constexpr int USERS_FILES = 60;

std::atomic<int> g_exits{0};

void OnExit(int32_t, int32_t)
{
    g_exits++;
}

pid_t StartRunning(const char *entry)
{
    int32_t pid = 0;
    CHECK_EQUAL(OH_Ability_StartNativeChildProcess(entry, NativeChildProcess_Args{}, NativeChildProcess_Options{}, &pid), NCP_NO_ERROR);
    return pid;
}

void CloseAll()
{
    CHECK(close_range(STDERR_FILENO + 1, UINT_MAX, 0) == 0);
}

// Files of the program's own, which have the numbers that were the library's.
class UsersFiles {
public:
    explicit UsersFiles(const std::filesystem::path &directory)
    {
        for (int index = 0; index < USERS_FILES; index++) {
            const auto name = directory / ("users" + std::to_string(index));
            files_.push_back(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
            CHECK(files_.back() >= 0);
            CHECK(write(files_.back(), "content", 7) == 7 && lseek(files_.back(), 0, SEEK_SET) == 0);
        }
    }

    void CheckUntouched() const
    {
        for (const int file : files_) {
            struct stat status{};
            CHECK(fstat(file, &status) == 0);
            CHECK_EQUAL(status.st_size, 7);
            CHECK_EQUAL(lseek(file, 0, SEEK_CUR), 0);
        }
    }

private:
    std::vector<int> files_;
};

// A child that lives when all is closed is ended and told; a child of each kind can be started afterwards.
void Check(bool numbersAreUsedAgain)
{
    Facts facts;
    Behave("wait");
    CHECK_EQUAL(OH_Ability_RegisterNativeChildProcessExitCallback(OnExit), NCP_NO_ERROR);
    const pid_t first = StartRunning(WAITING_ENTRY);
    AwaitThat("the first child", [&] { return facts.Of("ran").size() == 1; });
    CloseAll();
    std::unique_ptr<UsersFiles> files;
    if (numbersAreUsedAgain) {
        files = std::make_unique<UsersFiles>(facts.Directory());
    }
    StartRunning(ENTRY);
    AwaitThat("the second child", [&] { return facts.Of("ran").size() == 2; });
    AwaitThat("the ends of both", [] { return g_exits == 2; });
    AwaitEnd(first);
    // IPC has lost its descriptors too, so that there may be no proxy; the callback is called all the same.
    const Outcome outcome = Start(LIBRARY);
    CHECK_EQUAL(outcome.code == NCP_NO_ERROR, outcome.proxy != nullptr);
    StartRunning(ENTRY);
    AwaitThat("the last child", [] { return g_exits == 3; });
    if (files) {
        files->CheckUntouched();
    }
}

void NumbersFree()
{
    Check(false);
}

void NumbersInUseAgain()
{
    Check(true);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments, {{"numbers_free", NumbersFree}, {"numbers_in_use_again", NumbersInUseAgain}});
}
