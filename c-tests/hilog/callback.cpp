// SPDX-License-Identifier: Apache-2.0
// The callback: what it gets, when, and what it may do.
#include "harness.h"

#include <hilog/log.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#undef LOG_TAG
#define LOG_TAG "T"

namespace {

struct Received {
    int type;
    int level;
    unsigned int domain;
    std::string tag;
    std::string message;
    std::thread::id thread;
};

thread_local std::vector<Received> g_received;

void Keep(const LogType type, const LogLevel level, const unsigned int domain, const char *tag, const char *msg)
{
    g_received.push_back({ type, level, domain, tag, msg, std::this_thread::get_id() });
}

int VPrint(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = OH_LOG_VPrint(LOG_APP, LOG_DEBUG, 3, "list", format, list);
    va_end(list);
    return result;
}

void ExpectReceived(size_t at, int level, unsigned int domain, const std::string &tag, const std::string &message)
{
    EXPECT(at < g_received.size());
    if (at < g_received.size()) {
        const Received &received = g_received[at];
        EXPECT(received.type == LOG_APP && received.level == level && received.domain == domain);
        EXPECT(received.tag == tag);
        EXPECT(received.message == message);
        EXPECT(received.thread == std::this_thread::get_id());
    }
}

void RunReceives()
{
    OH_LOG_SetCallback(Keep);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0x0201, "tag", "%{private}s-%{public}d", "text", 7) > 0);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_WARN, 1, "message", "two\nlines %d") > 0);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_ERROR, 2, "tag", 1, "message", 2) > 0);
    EXPECT(VPrint("%c", 'c') > 0);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_FATAL, 4, "empty", "") == 0);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_FATAL, 5, std::string(100, 't').c_str(), std::string(5000, 'x').c_str()) > 0);
    EXPECT(g_received.size() == 6);
    ExpectReceived(0, LOG_INFO, 0x0201, "tag", "text-7");
    ExpectReceived(1, LOG_WARN, 1, "message", "two\nlines %d");
    ExpectReceived(2, LOG_ERROR, 2, "t", "me");
    ExpectReceived(3, LOG_DEBUG, 3, "list", "c");
    ExpectReceived(4, LOG_FATAL, 4, "empty", "");
    ExpectReceived(5, LOG_FATAL, 5, std::string(31, 't'), std::string(4095, 'x'));

    // What is filtered out does not come.
    OH_LOG_SetMinLogLevel(LOG_ERROR);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_WARN, 0, "T", "filtered out") == -1);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_FATAL, 0, nullptr, "filtered out") == -1);
    EXPECT(g_received.size() == 6);
    // A message comes to it also when it can be printed nowhere.
    close(STDERR_FILENO);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_ERROR, 0, "T", "nowhere else") == 0);
    EXPECT(g_received.size() == 7);
    OH_LOG_SetCallback(nullptr);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_ERROR, 0, "T", "no callback") == 0);
    EXPECT(g_received.size() == 7);
}

void CheckReceives(const output *log)
{
    EXPECT(log->count == 6);
}

// Says on stderr itself that it is called.
void Tell(const LogType, const LogLevel, const unsigned int, const char *, const char *msg)
{
    dprintf(STDERR_FILENO, "callback: %s\n", msg);
}

void RunBefore()
{
    OH_LOG_SetCallback(Tell);
    OH_LOG_INFO(LOG_APP, "one");
    OH_LOG_SetCallback(nullptr);
    OH_LOG_INFO(LOG_APP, "two");
}

void CheckBefore(const output *log)
{
    EXPECT(log->count == 3);
    if (log->count == 3) {
        EXPECT(strcmp(log->lines[0], "callback: one") == 0);
        EXPECT(matches(log->lines[1], PREFIX "I A00000/T: one"));
        EXPECT(matches(log->lines[2], PREFIX "I A00000/T: two"));
    }
}

void LogAgain(const LogType, const LogLevel, const unsigned int, const char *, const char *msg)
{
    OH_LOG_INFO(LOG_APP, "callback: %{public}s", msg);
    // Also by way of the library's own messages.
    OH_LOG_SetLogLevel(LOG_INFO, static_cast<PreferStrategy>(77));
}

void RunLogsItself()
{
    OH_LOG_SetCallback(LogAgain);
    OH_LOG_INFO(LOG_APP, "one");
    std::thread([] { OH_LOG_INFO(LOG_APP, "two"); }).join();
}

void CheckLogsItself(const output *log)
{
    EXPECT(log->count == 6);
    for (size_t at = 0; at < log->count && at < 6; at++) {
        const char *const expected[] = { "callback: one", nullptr, "one", "callback: two", nullptr, "two" };
        const char *message = message_of(log->lines[at]);
        EXPECT(expected[at] ? strcmp(message, expected[at]) == 0 : strstr(message, "77 is no PreferStrategy") != nullptr);
    }
}

void RunOwnMessages()
{
    OH_LOG_SetCallback(Keep);
    OH_LOG_SetLogLevel(LOG_INFO, static_cast<PreferStrategy>(77));
    EXPECT(g_received.size() == 1);
    if (g_received.size() == 1) {
        EXPECT(g_received[0].domain == 0xd001510 && g_received[0].tag == "IPCKit" && g_received[0].level == LOG_WARN);
        EXPECT(g_received[0].message.find("77 is no PreferStrategy") != std::string::npos);
    }
}

void Throw(const LogType, const LogLevel, const unsigned int, const char *, const char *msg)
{
    throw std::runtime_error(msg);
}

std::string Thrown(int (*print)())
{
    try {
        print();
    } catch (const std::runtime_error &error) {
        return error.what();
    }
    return "";
}

void RunThrows()
{
    OH_LOG_SetCallback(Throw);
    EXPECT(Thrown([] { return OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%d", 1); }) == "1");
    EXPECT(Thrown([] { return OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "2"); }) == "2");
    EXPECT(Thrown([] { return OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, "T", 1, "3", 1); }) == "3");
    EXPECT(Thrown([] { return VPrint("%d", 4); }) == "4");
    // It is called again after it has thrown.
    OH_LOG_SetCallback(Keep);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "caught") > 0);
    EXPECT(g_received.size() == 1);
}

void CheckThrows(const output *log)
{
    EXPECT(log->count == 1);
}

void RunThreads()
{
    constexpr int THREADS = 8;
    constexpr int MESSAGES = 1000;
    OH_LOG_SetCallback(Keep);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < THREADS; thread++) {
        threads.emplace_back([thread] {
            for (int number = 0; number < MESSAGES; number++) {
                OH_LOG_INFO(LOG_APP, "%d %d", thread, number);
            }
            EXPECT(g_received.size() == MESSAGES);
            for (size_t number = 0; number < g_received.size(); number++) {
                ExpectReceived(number, LOG_INFO, 0, "T", std::to_string(thread) + " " + std::to_string(number));
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

void CheckThreads(const output *log)
{
    EXPECT(log->count == 8000);
}

// A forked child has its parent's callback.
void RunForked()
{
    OH_LOG_SetCallback(Tell);
    pid_t child = fork();
    if (child == 0) {
        OH_LOG_INFO(LOG_APP, "child");
        _exit(0);
    }
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

void CheckForked(const output *log)
{
    EXPECT(log->count == 2);
    EXPECT(log->count == 2 && strcmp(log->lines[0], "callback: child") == 0);
}

} // namespace

int main(int argc, char **argv)
{
    static const test_case cases[] = {
        { "receives", { nullptr }, RunReceives, CheckReceives },
        { "before the output", { nullptr }, RunBefore, CheckBefore },
        { "logs itself", { nullptr }, RunLogsItself, CheckLogsItself },
        { "own messages", { nullptr }, RunOwnMessages, nullptr },
        { "throws", { nullptr }, RunThrows, CheckThrows },
        { "threads", { nullptr }, RunThreads, CheckThreads },
        { "forked", { nullptr }, RunForked, CheckForked },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
