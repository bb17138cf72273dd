// SPDX-License-Identifier: Apache-2.0
// Starting child processes that run children/entries.cpp, and seeing what becomes of them.
#ifndef CONFORMANCE_HARNESS_CHILD_H
#define CONFORMANCE_HARNESS_CHILD_H

#include <deque>
#include <map>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <AbilityKit/native_child_process.h>

#include "harness.h"
#include "harness/pipe.h"

namespace conformance {

constexpr char CHILD_LIBRARY[] = "libconformance_child.so";

// What a child is given; it owns its texts.
class Arguments {
public:
    Arguments &Text(const std::string &text);
    Arguments &Descriptor(const std::string &name, int fd);
    // A node without a name.
    Arguments &Nameless(int fd);
    NativeChildProcess_Args Get();

private:
    Arguments &Add(char *name, int fd);

    std::deque<std::string> texts_;
    std::deque<NativeChildProcess_Fd> nodes_;
    char *text_ = nullptr;
};

struct Started {
    int code;
    pid_t pid;
};

// Starts this function of the library.
Started StartChild(const std::string &function, Arguments arguments);
Started StartEntry(const std::string &entry, Arguments arguments,
    NativeChildProcess_IsolationMode mode = NCP_ISOLATION_MODE_NORMAL);

// Everything that a child says through "out" until it has ended, by key; the last value of each.
std::map<std::string, std::string> ReportOf(const std::string &function, Arguments arguments = Arguments());
std::map<std::string, std::string> ByKey(const std::string &lines);

// Waits until there is no process of this id, not even a zombie.
void AwaitGone(pid_t pid);
bool IsThere(pid_t pid);

// The outcome of a Create, which a callback without user data is told: one Create at a time.
struct Outcome {
    int code;
    ProxyPtr proxy;
};
Outcome CreateChild(const std::string &library = CHILD_LIBRARY, Ability_ChildProcessConfigs *configs = nullptr);

// A descriptor that is closed in the end.
class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int fd) : fd_(fd) {}
    ~OwnedDescriptor();
    OwnedDescriptor(const OwnedDescriptor &) = delete;
    OwnedDescriptor &operator=(const OwnedDescriptor &) = delete;
    int Get() const { return fd_; }

private:
    int fd_;
};

// A directory that is removed in the end, with the files right in it.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    const std::string &Path() const { return path_; }
    std::string File(const std::string &name, const std::string &content = "") const;

private:
    std::string path_;
};

} // namespace conformance

#endif
