// SPDX-License-Identifier: Apache-2.0
#include "harness/processes.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <map>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace conformance {
namespace {

using Clock = std::chrono::steady_clock;

std::string ReadAll(const std::string &path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<pid_t> NumbersIn(const std::string &path)
{
    std::vector<pid_t> numbers;
    DIR *directory = opendir(path.c_str());
    if (directory == nullptr) {
        return numbers;
    }
    while (dirent *entry = readdir(directory)) {
        pid_t number = std::atoi(entry->d_name);
        if (number > 0) {
            numbers.push_back(number);
        }
    }
    closedir(directory);
    return numbers;
}

// The fields of a stat file behind the command's name: state, parent, …
std::string StateAndParent(const std::string &stat, pid_t &parent)
{
    size_t end = stat.rfind(')');
    if (end == std::string::npos) {
        return "";
    }
    std::istringstream fields(stat.substr(end + 1));
    std::string state;
    fields >> state >> parent;
    return state;
}

std::string FirstLine(const std::string &text)
{
    return text.substr(0, text.find('\n'));
}

std::string Stacks(pid_t pid)
{
    // Takes a second for each process: not for who makes tests hang.
    if (std::getenv("CONFORMANCE_NO_STACKS") != nullptr) {
        return "";
    }
    std::string command = "gdb -nx -q -batch -p " + std::to_string(pid) +
        " -ex 'thread apply all bt' 2>/dev/null | grep -v /rustc/";
    FILE *pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) {
        return "";
    }
    std::string text;
    char piece[4096];
    for (size_t length; (length = fread(piece, 1, sizeof(piece), pipe)) > 0;) {
        text.append(piece, length);
    }
    pclose(pipe);
    return text;
}

} // namespace

std::vector<pid_t> Descendants()
{
    std::multimap<pid_t, pid_t> children;
    for (pid_t pid : NumbersIn("/proc")) {
        pid_t parent = -1;
        if (!StateAndParent(ReadAll("/proc/" + std::to_string(pid) + "/stat"), parent).empty()) {
            children.emplace(parent, pid);
        }
    }
    std::vector<pid_t> found{ getpid() };
    for (size_t index = 0; index < found.size(); index++) {
        auto [first, last] = children.equal_range(found[index]);
        for (; first != last; ++first) {
            found.push_back(first->second);
        }
    }
    found.erase(found.begin());
    return found;
}

std::string CommandLine(pid_t pid)
{
    std::string text = ReadAll("/proc/" + std::to_string(pid) + "/cmdline");
    for (char &byte : text) {
        byte = byte == '\0' ? ' ' : byte;
    }
    return text;
}

std::string DescribeProcess(pid_t pid)
{
    std::ostringstream text;
    std::string process = "/proc/" + std::to_string(pid);
    text << "process " << pid << ": " << CommandLine(pid) << "\n";
    for (pid_t thread : NumbersIn(process + "/task")) {
        std::string task = process + "/task/" + std::to_string(thread);
        pid_t parent;
        text << "  thread " << thread << " " << FirstLine(ReadAll(task + "/comm")) << ": state " <<
            StateAndParent(ReadAll(task + "/stat"), parent) << ", system call " <<
            FirstLine(ReadAll(task + "/syscall")) << ", in " << FirstLine(ReadAll(task + "/wchan")) << "\n";
    }
    return text.str() + Stacks(pid);
}

bool AwaitChild(pid_t pid, int seconds, int *status)
{
    int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (process < 0) {
        // There is none to wait for, or one that waitpid yields at once.
        return waitpid(pid, status, __WALL | WNOHANG) != 0;
    }
    auto deadline = Clock::now() + std::chrono::seconds(seconds);
    int came = 0;
    for (;;) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd wait = { process, POLLIN, 0 };
        came = poll(&wait, 1, left < 0 ? 0 : static_cast<int>(left) + 1);
        if (came > 0 || (came == 0 && left <= 0)) {
            break;
        }
    }
    close(process);
    return came > 0 && waitpid(pid, status, __WALL) == pid;
}

std::vector<pid_t> ReapAll(int seconds)
{
    auto deadline = Clock::now() + std::chrono::seconds(seconds);
    for (;;) {
        int status;
        pid_t reaped;
        while ((reaped = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        }
        std::vector<pid_t> left = Descendants();
        if (reaped < 0 && errno == ECHILD) {
            return {};
        }
        if (left.empty()) {
            continue;
        }
        auto remaining = std::chrono::duration_cast<std::chrono::seconds>(deadline - Clock::now()).count();
        if (remaining < 0) {
            return left;
        }
        // The others end meanwhile, or are waited for in the next round.
        AwaitChild(left.front(), static_cast<int>(remaining) + 1, &status);
    }
}

} // namespace conformance
