/* SPDX-License-Identifier: Apache-2.0 */
/* What is loggable, and how to change it. */
#define _GNU_SOURCE
#include "harness.h"

#include <hilog/log.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Which of the levels -1 … 9 are loggable, as digits. */
static const char *loggable(unsigned int domain)
{
    static char digits[16];
    size_t count = 0;
    for (int level = -1; level < 10; level++) {
        if (OH_LOG_IsLoggable(domain, "tag", (LogLevel)level)) {
            digits[count++] = (char)('0' + level);
        }
    }
    digits[count] = '\0';
    return digits;
}

#define EXPECT_LOGGABLE(domain, levels) EXPECT(strcmp(loggable(domain), levels) == 0)

static void run_loggable(void)
{
    EXPECT_LOGGABLE(0, "34567");
    EXPECT_LOGGABLE(0xffff, "34567");
    EXPECT_LOGGABLE(0xd0ffffe, "34567");
    EXPECT_LOGGABLE(0xd0fffff, "");
    EXPECT_LOGGABLE(UINT_MAX, "");
    EXPECT(!OH_LOG_IsLoggable(0, NULL, LOG_FATAL));
    EXPECT(OH_LOG_IsLoggable(0, "", LOG_DEBUG));
    EXPECT(!OH_LOG_IsLoggable(0, "tag", (LogLevel)INT_MIN));
}

static void run_set(void)
{
    OH_LOG_SetMinLogLevel(LOG_WARN);
    EXPECT_LOGGABLE(0, "567");
    EXPECT_LOGGABLE(0xffff, "567");
    EXPECT_LOGGABLE(0x10000, "34567");
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 1, "T", "below") == -1);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 1, "T", "below") == -1);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 1, "T", 1, "below", 5) == -1);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_WARN, 1, "T", "in force") > 0);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0x10000, "T", "another's domain") > 0);
    OH_LOG_SetLogLevel(LOG_FATAL, UNSET_LOGLEVEL);
    EXPECT_LOGGABLE(0, "34567");
    OH_LOG_SetLogLevel(LOG_ERROR, PREFER_CLOSE_LOG);
    EXPECT_LOGGABLE(0, "67");
    OH_LOG_SetLogLevel(LOG_ERROR, PREFER_OPEN_LOG);
    EXPECT_LOGGABLE(0, "34567");
    OH_LOG_SetLogLevel((LogLevel)1, PREFER_OPEN_LOG);
    EXPECT_LOGGABLE(0, "1234567");
    EXPECT(OH_LOG_PrintMsg(LOG_APP, (LogLevel)1, 1, "T", "lower than debug") > 0);
    OH_LOG_SetMinLogLevel((LogLevel)1);
    EXPECT_LOGGABLE(0, "34567");
}

static void check_set(const struct output *log)
{
    static const char *const ends[] = { "W A00001/T: in force", "I A10000/T: another's domain",
        "D A00001/T: lower than debug" };
    EXPECT(log->count == 3);
    for (size_t line = 0; line < log->count && line < 3; line++) {
        char pattern[512];
        snprintf(pattern, sizeof(pattern), PREFIX "%s", ends[line]);
        EXPECT(matches(log->lines[line], pattern));
    }
}

static void run_not_set(void)
{
    OH_LOG_SetMinLogLevel(LOG_ERROR);
    OH_LOG_SetLogLevel(LOG_DEBUG, (PreferStrategy)3);
    OH_LOG_SetLogLevel((LogLevel)0, PREFER_OPEN_LOG);
    OH_LOG_SetLogLevel((LogLevel)8, PREFER_CLOSE_LOG);
    OH_LOG_SetMinLogLevel((LogLevel)INT_MIN);
    EXPECT_LOGGABLE(0, "67");
    OH_LOG_SetLogLevel((LogLevel)99, UNSET_LOGLEVEL);
    EXPECT_LOGGABLE(0, "34567");
}

static void check_not_set(const struct output *log)
{
    EXPECT(log->count == 4);
    for (size_t line = 0; line < log->count; line++) {
        EXPECT(matches(log->lines[line], PREFIX "W C01510/IPCKit: OH_LOG_SetLogLevel: -?[0-9]+ is no .*"));
    }
}

static void run_system_error(void)
{
    EXPECT_LOGGABLE(0, "67");
    EXPECT_LOGGABLE(0xd001510, "67");
    OH_LOG_SetMinLogLevel(LOG_INFO);
    EXPECT_LOGGABLE(0, "67");
    OH_LOG_SetMinLogLevel(LOG_FATAL);
    EXPECT_LOGGABLE(0, "7");
    EXPECT_LOGGABLE(0xd001510, "67");
    OH_LOG_SetLogLevel(LOG_INFO, PREFER_OPEN_LOG);
    EXPECT_LOGGABLE(0, "4567");
    OH_LOG_SetLogLevel(LOG_INFO, UNSET_LOGLEVEL);
    EXPECT_LOGGABLE(0, "67");
    /* Own messages keep to the system's level. */
    OH_LOG_SetMinLogLevel((LogLevel)0);
}

static void check_nothing(const struct output *log)
{
    EXPECT(log->length == 0);
}

static void run_system_fatal(void)
{
    EXPECT_LOGGABLE(0, "7");
}

static void run_unknown_values(void)
{
    EXPECT_LOGGABLE(0, "34567");
    EXPECT(OH_LOG_Print(LOG_APP, LOG_DEBUG, 0, "T", "%d", 1) > 0);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_DEBUG, 0, "T", "%{public}d", 2) > 0);
}

static void check_unknown_values(const struct output *log)
{
    EXPECT(log->count == 4);
    if (log->count == 4) {
        EXPECT(matches(log->lines[0], PREFIX "W C01510/IPCKit: IPCKIT_LOG_LEVEL=VERBOSE\\\\n is not .*"));
        EXPECT(matches(log->lines[1], PREFIX "W C01510/IPCKit: IPCKIT_LOG_PRIVACY=yes is not .*"));
        EXPECT(matches(log->lines[2], PREFIX "D A00000/T: <private>"));
        EXPECT(matches(log->lines[3], PREFIX "D A00000/T: 2"));
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "loggable", { NULL }, run_loggable, check_nothing },
        { "set", { NULL }, run_set, check_set },
        { "not set", { NULL }, run_not_set, check_not_set },
        { "the system's level is debug", { "IPCKIT_LOG_LEVEL=D", NULL }, run_loggable, check_nothing },
        { "the system's level is error", { "IPCKIT_LOG_LEVEL=E", NULL }, run_system_error, check_nothing },
        { "the system's level is fatal", { "IPCKIT_LOG_LEVEL=F", NULL }, run_system_fatal, check_nothing },
        { "unknown values", { "IPCKIT_LOG_LEVEL=VERBOSE\n", "IPCKIT_LOG_PRIVACY=yes", NULL }, run_unknown_values,
            check_unknown_values },
        { "no values", { "IPCKIT_LOG_LEVEL=", "IPCKIT_LOG_PRIVACY=", "IPCKIT_LOG_FILE=", NULL }, run_set, check_set },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
