// SPDX-License-Identifier: Apache-2.0
// Where a program can log: before main, after it, in forked children, in signal handlers, without memory.
#include "harness.h"

#include <hilog/log.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#undef LOG_TAG
#define LOG_TAG "T"

namespace {

// Logs before main and after exit, in the process of the case that has its name.
struct Early {
    Early()
    {
        if (IsWanted()) {
            OH_LOG_INFO(LOG_APP, "%{public}s", "constructor");
        }
    }
    ~Early()
    {
        if (IsWanted()) {
            OH_LOG_INFO(LOG_APP, "%{public}s", "destructor");
        }
    }
    static bool IsWanted()
    {
        return getenv("EARLY_AND_LATE") != nullptr;
    }
};
Early g_early;

void RunEarlyAndLate()
{
    OH_LOG_INFO(LOG_APP, "main");
    atexit([] { OH_LOG_INFO(LOG_APP, "at exit"); });
}

void CheckEarlyAndLate(const output *log)
{
    const char *const expected[] = { "constructor", "main", "at exit", "destructor" };
    EXPECT(log->count == 4);
    for (size_t at = 0; at < log->count && at < 4; at++) {
        EXPECT(strcmp(message_of(log->lines[at]), expected[at]) == 0);
    }
}

constexpr int FORKS = 100;

// Children of a process whose threads are logging at the moment of the fork.
void RunForked()
{
    std::atomic<bool> stop { false };
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; thread++) {
        threads.emplace_back([&stop] {
            while (!stop) {
                OH_LOG_DEBUG(LOG_APP, "parent %f", 1.0);
            }
        });
    }
    for (int number = 0; number < FORKS; number++) {
        pid_t child = fork();
        if (child == 0) {
            OH_LOG_INFO(LOG_APP, "child %d", number);
            // The library's own warning, too.
            OH_LOG_SetLogLevel(LOG_INFO, static_cast<PreferStrategy>(77));
            _exit(0);
        }
        int status = -1;
        EXPECT(waitpid(child, &status, 0) == child && status == 0);
    }
    stop = true;
    for (auto &thread : threads) {
        thread.join();
    }
}

void CheckForked(const output *log)
{
    int children = 0;
    int warnings = 0;
    for (size_t at = 0; at < log->count; at++) {
        children += strncmp(message_of(log->lines[at]), "child ", 6) == 0;
        warnings += strstr(log->lines[at], " W C01510/IPCKit: ") != nullptr;
    }
    EXPECT(children == FORKS && warnings == FORKS);
}

// A child's line shows the child's pid, also when the parent has logged before.
void RunForkedPid()
{
    OH_LOG_INFO(LOG_APP, "parent %{public}d", getpid());
    pid_t child = fork();
    if (child == 0) {
        OH_LOG_INFO(LOG_APP, "child %{public}d", getpid());
        _exit(0);
    }
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

void CheckForkedPid(const output *log)
{
    EXPECT(log->count == 2);
    for (size_t at = 0; at < log->count; at++) {
        int pid = 0, tid = 0, said = 0;
        EXPECT(sscanf(log->lines[at], "%*s %*s %d %d", &pid, &tid) == 2);
        EXPECT(sscanf(message_of(log->lines[at]), "%*s %d", &said) == 1);
        EXPECT(pid == said && tid == said);
    }
}

// A child that logs first, in a time zone: its parent never needed to know the offset.
void RunForkedFirst()
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        OH_LOG_INFO(LOG_APP, "child");
        _exit(0);
    }
    close(ends[1]);
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    output log = read_output(ends[0]);
    time_t now = time(nullptr);
    char hour[3][4];
    for (int at = 0; at < 3; at++) {
        time_t near = now + (at - 1) * 60;
        strftime(hour[at], sizeof(hour[at]), "%H:", localtime(&near));
    }
    EXPECT(log.count == 1);
    EXPECT(log.count == 1 && (strncmp(log.lines[0] + 6, hour[0], 3) == 0 || strncmp(log.lines[0] + 6, hour[1], 3) == 0 ||
        strncmp(log.lines[0] + 6, hour[2], 3) == 0));
    free_output(&log);
    close(ends[0]);
}

void CheckNothing(const output *log)
{
    EXPECT(log->length == 0);
}

std::atomic<int> g_handled { 0 };

void OnSignal(int)
{
    OH_LOG_INFO(LOG_APP, "handler");
    g_handled++;
}

constexpr size_t INTERRUPTED = 3000;

// A handler that interrupts the library logs, too.
void RunSignals()
{
    struct sigaction action {};
    action.sa_handler = OnSignal;
    EXPECT(sigaction(SIGUSR1, &action, nullptr) == 0);
    std::atomic<bool> stop { false };
    pthread_t target = pthread_self();
    std::thread sender([&] {
        for (int sent = 1; !stop; sent++) {
            pthread_kill(target, SIGUSR1);
            while (g_handled < sent && !stop) {
                std::this_thread::yield();
            }
        }
    });
    for (size_t number = 0; number < INTERRUPTED; number++) {
        OH_LOG_INFO(LOG_APP, "%s %f", "interrupted", 1.0);
    }
    stop = true;
    sender.join();
}

void CheckSignals(const output *log)
{
    size_t handler = 0, interrupted = 0;
    for (size_t at = 0; at < log->count; at++) {
        handler += strcmp(message_of(log->lines[at]), "handler") == 0;
        interrupted += strcmp(message_of(log->lines[at]), "interrupted 1.000000") == 0;
    }
    EXPECT(handler > 0 && interrupted == INTERRUPTED && handler + interrupted == log->count);
}

// Takes all memory there is, but for small change.
void ExhaustMemory()
{
    struct rlimit limit = { 0, 0 };
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    for (size_t size = 1 << 20; size >= 16; size /= 2) {
        while (malloc(size) != nullptr) {
        }
    }
}

void Count(const LogType, const LogLevel, const unsigned int, const char *, const char *)
{
    static int count;
    dprintf(STDERR_FILENO, "callback %d\n", ++count);
}

void RunNoMemory()
{
    // The first message is without memory as well.
    ExhaustMemory();
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%d %s %f %p %ls", 1, "two", 3.0, static_cast<void *>(nullptr), L"five") > 0);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%.4000f|", 0.5) > 0);
    OH_LOG_SetCallback(Count);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "message") > 0);
    OH_LOG_SetLogLevel(LOG_INFO, static_cast<PreferStrategy>(77));
}

void CheckNoMemory(const output *log)
{
    EXPECT(log->count == 6);
    if (log->count == 6) {
        EXPECT(strcmp(message_of(log->lines[0]), "1 two 3.000000 (nil) five") == 0);
        EXPECT(strcmp(message_of(log->lines[3]), "message") == 0);
        EXPECT(strstr(log->lines[5], "77 is no PreferStrategy") != nullptr);
    }
}

} // namespace

int main(int argc, char **argv)
{
    static const test_case cases[] = {
        { "early and late", { "EARLY_AND_LATE=1", nullptr }, RunEarlyAndLate, CheckEarlyAndLate },
        { "forked", { nullptr }, RunForked, CheckForked },
        { "forked, pid", { nullptr }, RunForkedPid, CheckForkedPid },
        { "forked before the first message", { "TZ=XXX-5:30", nullptr }, RunForkedFirst, CheckNothing },
        { "signals", { nullptr }, RunSignals, CheckSignals },
        { "no memory", { nullptr }, RunNoMemory, CheckNoMemory },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
