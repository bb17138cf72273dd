// SPDX-License-Identifier: Apache-2.0
// What the tests of native child processes share: checks, the outcomes of starts, and what children have written down.
#ifndef IPCKIT_TESTS_CHILD_PROCESS_SUPPORT_HPP
#define IPCKIT_TESTS_CHILD_PROCESS_SUPPORT_HPP

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " << #condition << " does not hold\n"; \
            std::exit(1); \
        } \
    } while (false)

#define CHECK_EQUAL(actual, expected) \
    do { \
        const auto &actual_ = (actual); \
        const auto &expected_ = (expected); \
        if (!(actual_ == expected_)) { \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " << #actual << " is " << actual_ << ", not " << expected_ << '\n'; \
            std::exit(1); \
        } \
    } while (false)

// Whether something that another thread or process does happens before it can be said to have failed.
inline bool Happens(const std::function<bool()> &happened)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!happened()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

// Waits for it; a test that waits in vain has failed.
inline void AwaitThat(const std::string &what, const std::function<bool()> &happened)
{
    if (!Happens(happened)) {
        std::cerr << "in vain: " << what << '\n';
        std::exit(1);
    }
}

struct Outcome {
    int code;
    OHIPCRemoteProxy *proxy;
    pid_t thread;
    std::string threadName;
};

// The outcomes that OnStarted was told, in order.
class Outcomes {
public:
    static Outcomes &All()
    {
        static Outcomes all;
        return all;
    }

    void Add(const Outcome &outcome)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        outcomes_.push_back(outcome);
        changed_.notify_all();
    }

    size_t Count()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return outcomes_.size();
    }

    Outcome Await(size_t index)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return outcomes_.size() > index; })) {
            std::cerr << "the start callback was awaited in vain\n";
            std::exit(1);
        }
        return outcomes_[index];
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Outcome> outcomes_;
};

inline void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    Outcomes::All().Add({code, proxy, static_cast<pid_t>(syscall(SYS_gettid)), name});
}

// Starts a child and waits for what its callback is told.
inline Outcome Start(const std::string &library)
{
    const size_t before = Outcomes::All().Count();
    CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(library.c_str(), OnStarted), NCP_NO_ERROR);
    return Outcomes::All().Await(before);
}

inline OHIPCRemoteProxy *StartWell(const std::string &library)
{
    const Outcome outcome = Start(library);
    CHECK_EQUAL(outcome.code, NCP_NO_ERROR);
    CHECK(outcome.proxy != nullptr);
    return outcome.proxy;
}

// A directory that is gone when its time is over, or that of the process, should a check end it.
class TemporaryDirectory {
public:
    TemporaryDirectory()
    {
        std::string name = std::filesystem::temp_directory_path() / "ipckit-child-process-XXXXXX";
        CHECK(mkdtemp(name.data()) != nullptr);
        path_ = name;
        Present().directories.insert(path_);
    }
    ~TemporaryDirectory()
    {
        Remove(path_);
        Present().directories.erase(path_);
    }
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

    const std::filesystem::path &Path() const { return path_; }

private:
    struct All {
        // A forked process leaves them to its parent.
        const pid_t owner = getpid();
        std::set<std::filesystem::path> directories;

        ~All()
        {
            for (const auto &directory : directories) {
                if (getpid() == owner) {
                    Remove(directory);
                }
            }
        }
    };

    static All &Present()
    {
        static All all;
        return all;
    }

    static void Remove(const std::filesystem::path &path)
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    std::filesystem::path path_;
};

// Lines of the form key=value that children append to a file of which the environment tells them.
class Facts {
public:
    Facts() : file_(directory_.Path() / "facts")
    {
        std::ofstream created(file_);
        setenv("CHILD_FACTS", file_.c_str(), 1);
    }

    std::vector<std::string> Lines() const
    {
        std::ifstream stream(file_);
        std::vector<std::string> lines;
        for (std::string line; std::getline(stream, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    // The values of a key, in order.
    std::vector<std::string> Of(const std::string &key) const
    {
        std::vector<std::string> values;
        for (const std::string &line : Lines()) {
            if (line.compare(0, key.size() + 1, key + "=") == 0) {
                values.push_back(line.substr(key.size() + 1));
            }
        }
        return values;
    }

    bool Has(const std::string &key) const { return !Of(key).empty(); }

    std::string Last(const std::string &key) const
    {
        const auto values = Of(key);
        CHECK(!values.empty());
        return values.back();
    }

    pid_t LastPid() const { return std::stoi(Last("pid")); }

    const std::filesystem::path &Directory() const { return directory_.Path(); }

private:
    TemporaryDirectory directory_;
    std::filesystem::path file_;
};

// Has the children to come behave in a way that child_library.cpp knows.
inline void Behave(const std::string &way)
{
    setenv("CHILD_BEHAVIOUR", way.c_str(), 1);
}

inline bool IsThere(pid_t pid)
{
    return kill(pid, 0) == 0;
}

inline void AwaitEnd(pid_t pid)
{
    AwaitThat("the end of process " + std::to_string(pid), [&] { return !IsThere(pid); });
}

// Everything written to standard error while it exists, by this process and its children.
class StandardError {
public:
    StandardError()
    {
        std::string name = directory_.Path() / "stderr";
        const int file = open(name.c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        CHECK(file >= 0);
        before_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        CHECK(before_ >= 0);
        CHECK(dup2(file, STDERR_FILENO) == STDERR_FILENO);
        close(file);
    }
    ~StandardError()
    {
        dup2(before_, STDERR_FILENO);
        close(before_);
    }
    StandardError(const StandardError &) = delete;
    StandardError &operator=(const StandardError &) = delete;

    std::string Text() const
    {
        std::ifstream stream(directory_.Path() / "stderr");
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }

    bool Says(const std::string &part) const { return Text().find(part) != std::string::npos; }

private:
    TemporaryDirectory directory_;
    int before_;
};

// The directory that the tests and the libraries of their children are built in.
inline std::filesystem::path BuildDirectory()
{
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

// Runs the scenario that the command line names.
inline int RunScenario(int count, char **arguments, const std::map<std::string, void (*)()> &scenarios)
{
    const auto scenario = count < 2 ? scenarios.end() : scenarios.find(arguments[1]);
    if (scenario == scenarios.end()) {
        std::cerr << "usage: " << arguments[0] << " SCENARIO, one of:";
        for (const auto &known : scenarios) {
            std::cerr << ' ' << known.first;
        }
        std::cerr << '\n';
        return 2;
    }
    scenario->second();
    return 0;
}

#endif
