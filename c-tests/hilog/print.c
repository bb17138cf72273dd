/* SPDX-License-Identifier: Apache-2.0 */
/* The four functions that print: formats, lines, results. */
#define _GNU_SOURCE
#include "harness.h"

#include <hilog/log.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef LOG_DOMAIN
#undef LOG_TAG
#define LOG_DOMAIN 0x0201
#define LOG_TAG "Sample"

/* What printf cannot be asked to compile. */
#pragma GCC diagnostic ignored "-Wformat"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wformat-non-iso"
#endif

#define PRINT(...) OH_LOG_Print(LOG_APP, LOG_INFO, LOG_DOMAIN, LOG_TAG, __VA_ARGS__)

static int print_list(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = OH_LOG_VPrint(LOG_APP, LOG_WARN, LOG_DOMAIN, LOG_TAG, format, list);
    va_end(list);
    return result;
}

static void expect_messages(const struct output *log, const char *const *messages)
{
    size_t count = 0;
    for (; messages[count] != NULL; count++) {
        if (count < log->count && strcmp(message_of(log->lines[count]), messages[count]) != 0) {
            printf("line %zu: <%s>, expected <%s>\n", count, message_of(log->lines[count]), messages[count]);
            EXPECT(!"the expected message");
        }
    }
    EXPECT(log->count == count);
}

/* How long a prefix of this thread is that ends so. */
static int prefix_length(const char *end)
{
    return snprintf(NULL, 0, "01-02 03:04:05.678 %5d %5ld I %s", getpid(), syscall(SYS_gettid), end);
}

static void run_lines(void)
{
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0x0201, "Sample", "one") == prefix_length("A00201/Sample: ") + 4);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_ERROR, 0xd0ffffe, "T", "50% %s %n") > 0);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_FATAL, 0, "tagged", 3, "message", 4) > 0);
    EXPECT(print_list("%s-%d", "list", 7) > 0);
    OH_LOG_DEBUG(LOG_APP, "%{public}d", 1);
    OH_LOG_INFO(LOG_APP, "%{public}d", 2);
    OH_LOG_WARN(LOG_APP, "%{public}d", 3);
    OH_LOG_ERROR(LOG_APP, "%{public}d", 4);
    OH_LOG_FATAL(LOG_APP, "%{public}d", 5);
}

static void check_lines(const struct output *log)
{
    static const char *const ends[] = { "I A00201/Sample: one", "E Affffe/T: 50% %s %n", "F A00000/tag: mess",
        "W A00201/Sample: list-7", "D A00201/Sample: 1", "I A00201/Sample: 2", "W A00201/Sample: 3",
        "E A00201/Sample: 4", "F A00201/Sample: 5" };
    size_t count = sizeof(ends) / sizeof(ends[0]);
    EXPECT(log->count == count);
    for (size_t line = 0; line < log->count && line < count; line++) {
        char pattern[512];
        snprintf(pattern, sizeof(pattern), PREFIX "%s", ends[line]);
        EXPECT(matches(log->lines[line], pattern));
    }
}

static void run_stamp(void)
{
    char before[32], after[32];
    char line[128];
    int stderr_pipe[2];
    EXPECT(pipe(stderr_pipe) == 0);
    dup2(stderr_pipe[1], STDERR_FILENO);
    time_t time_before = time(NULL);
    strftime(before, sizeof(before), "%m-%d %H:%M:%S", localtime(&time_before));
    OH_LOG_INFO(LOG_APP, "now");
    time_t time_after = time(NULL);
    strftime(after, sizeof(after), "%m-%d %H:%M:%S", localtime(&time_after));
    ssize_t length = read(stderr_pipe[0], line, sizeof(line) - 1);
    EXPECT(length > 0);
    line[length > 0 ? length : 0] = '\0';
    EXPECT(strncmp(before, line, 14) <= 0 && strncmp(line, after, 14) <= 0);
    char origin[64];
    snprintf(origin, sizeof(origin), "%5d %5ld I A00201/Sample: now\n", getpid(), syscall(SYS_gettid));
    EXPECT(strcmp(line + 19, origin) == 0);
}

static void run_formats(void)
{
    PRINT("%d %i %u %x %X %o %#x %c %%", -1, 2, 3u, 255, 255, 8, 255, 'c');
    PRINT("%hhd %hu %ld %lld %jd %zu %td", (signed char)-3, (unsigned short)65535, -4L, INT64_MIN, (intmax_t)5, (size_t)6,
        (ptrdiff_t)-7);
    PRINT("%f %.2f %e %g %a %8.3f|%-8.1f|", 1.5, 2.345, 0.5, 1e10, 1.0, -1.0, 2.25);
    PRINT("%Lf %.3Le", 1.25L, -2.5L);
    PRINT("%1$Lf %2$s %1$Lf", 0.5L, "x");
    PRINT("%s %10s %-10s| %.3s %.*s", "text", "right", "left", "prefix", 2, "xyz");
    PRINT("%*d %-*d| %.*f", 5, 1, 5, 2, 3, 1.0 / 3.0);
    PRINT("%ls %lc %S", L"wide \x20ac", (wint_t)0x20ac, L"S");
    PRINT("%p %p", (void *)0x1234, NULL);
    PRINT("%3$s %1$d %2$*4$d", 1, 2, "three", 4);
    PRINT("%{public}d %{private}s %{public}5.1f %{public}%", 1, "two", 3.0);
    PRINT("%d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %s", 1, 1.0, 2, 2.0, 3, 3.0, 4, 4.0, 5, 5.0, 6, 6.0, 7, 7.0, 8,
        8.0, 9, 9.0, "end");
    errno = ENOENT;
    PRINT("%m");
    PRINT("%s", (const char *)NULL);
    print_list("%d %Lf %s %f %ls", 1, 2.0L, "three", 4.0, L"five");
}

static void check_formats(const struct output *log)
{
    static const char *const messages[] = { "-1 2 3 ff FF 10 0xff c %", "-3 65535 -4 -9223372036854775808 5 6 -7",
        "1.500000 2.35 5.000000e-01 1e+10 0x1p+0   -1.000|2.2     |", "1.250000 -2.500e+00", "0.500000 x 0.500000",
        "text      right left      | pre xy", "    1 2    | 0.333", "wide \xe2\x82\xac \xe2\x82\xac S", "0x1234 (nil)",
        "three 1    2", "1 two   3.0 %",
        "1 1.000000 2 2.000000 3 3.000000 4 4.000000 5 5.000000 6 6.000000 7 7.000000 8 8.000000 9 9.000000 end",
        "No such file or directory", "(null)", "1 2.000000 three 4.000000 five", NULL };
    expect_messages(log, messages);
}

static void run_odd_formats(void)
{
    volatile int target = 7;
    PRINT("trailing %");
    PRINT("%y %-5y %l, %{public}, %{public", 1);
    /* Not through OH_LOG_Print: clang does not compile it. */
    print_list("before%n after %d", (int *)&target, 1);
    print_list("%1$n%2$d", (int *)&target, 2);
    EXPECT(target == 7);
    PRINT("%{unheard-of}d %{Public}d", 1, 2);
    PRINT("%1$d %d %1$s", 5);
    PRINT("%2147483647d", 1);
    PRINT("%.2147483647f", 0.5);
    PRINT("%99999999999999999999d", 1);
    PRINT("%*s|", INT32_MIN, "left");
    PRINT("%65$d");
    PRINT("%0$d");
    /* Up to the end of what can be read. */
    long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(pages != MAP_FAILED && mprotect(pages + page, (size_t)page, PROT_NONE) == 0);
    memcpy(pages + page - 4, "edge", 4);
    PRINT("%.4s", pages + page - 4);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, LOG_DOMAIN, pages + page - 4, 4, pages + page - 4, 4) > 0);
    munmap(pages, (size_t)page * 2);
}

static void check_odd_formats(const struct output *log)
{
    EXPECT(log->count == 17);
    if (log->count != 17) {
        return;
    }
    char spaces[4096], zeros[4096], left[4096];
    memset(spaces, ' ', 4095);
    memset(zeros, '0', 4095);
    memcpy(zeros, "0.5", 3);
    memset(left, ' ', 4095);
    memcpy(left, "left", 4);
    spaces[4095] = zeros[4095] = left[4095] = '\0';
    const char *const messages[] = { "trailing %", "%y %-5y %l, %{public}, %{public", "before%n after 1", "%1$n2",
        "1 2", "5 %d %1$s", spaces, zeros, spaces, left, "%65$d", "%0$d", "edge", "edge" };
    size_t line = 0;
    for (size_t message = 0; message < sizeof(messages) / sizeof(messages[0]); message++) {
        /* The library's warnings come first. */
        while (line < log->count && strstr(log->lines[line], " W C01510/IPCKit: ") != NULL) {
            line++;
        }
        if (line < log->count && strcmp(message_of(log->lines[line]), messages[message]) != 0) {
            printf("<%s>, expected <%s>\n", message_of(log->lines[line]), messages[message]);
            EXPECT(!"the expected message");
        }
        line++;
    }
    size_t warnings = 0;
    for (size_t at = 0; at < log->count; at++) {
        warnings += strstr(log->lines[at], " W C01510/IPCKit: ") != NULL;
    }
    EXPECT(warnings == 3);
}

static void run_private(void)
{
    PRINT("%d %{private}s %{public}d %{public}s %% %*f", 1, "two", 3, "four", 5, 6.0);
    PRINT("%2$d %{public}1$d", 1, 2);
    OH_LOG_PrintMsg(LOG_APP, LOG_INFO, LOG_DOMAIN, LOG_TAG, "%{private}d");
}

static void check_private(const struct output *log)
{
    static const char *const messages[] = { "<private> <private> 3 four % <private>", "<private> 1", "%{private}d", NULL };
    expect_messages(log, messages);
}

static void run_sizes(void)
{
    char *text = malloc(10001);
    memset(text, 'x', 10000);
    text[10000] = '\0';
    int longest = OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, text, text);
    EXPECT(longest == prefix_length("A00000/: ") + 31 + 4095 + 1);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, text, "%s%s", text, text) == longest);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, text, 10000, text, 10000) == longest);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, text, 32, text, 4095) == longest);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, "tag\0hidden", 10, "text\0hidden", 11) > 0);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, "", 0, "no tag", 100) > 0);
    free(text);
}

static void check_sizes(const struct output *log)
{
    EXPECT(log->count == 6);
    for (size_t line = 0; line < log->count && line < 4; line++) {
        EXPECT(strlen(message_of(log->lines[line])) == 4095);
        EXPECT(strspn(message_of(log->lines[line]), "x") == 4095);
    }
    if (log->count == 6) {
        EXPECT(matches(log->lines[4], PREFIX "I A00000/tag: text"));
        EXPECT(matches(log->lines[5], PREFIX "I A00000/: no tag"));
    }
}

static void run_line_breaks(void)
{
    int one = OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "one");
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "one\ntwo") == 2 * one);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "\n\nfirst\n%s\n", "\nlast") > 0);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "") == 0);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%s", "\n\n") == 0);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, "T", 1, "x", 0) == 0);
}

static void check_line_breaks(const struct output *log)
{
    static const char *const messages[] = { "one", "one", "two", "first", "last", NULL };
    expect_messages(log, messages);
    for (size_t line = 0; line < log->count; line++) {
        EXPECT(matches(log->lines[line], PREFIX "I A00000/T: [a-z]+"));
    }
}

static void run_refused(void)
{
    const char *volatile null = NULL;
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, NULL, "no tag") == -1);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", null) == -1);
    EXPECT(OH_LOG_Print(LOG_APP, (LogLevel)0, 0, "T", "level") == -1);
    EXPECT(OH_LOG_Print(LOG_APP, (LogLevel)8, 0, "T", "level") == -1);
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0xd0fffff, "T", "domain %s", "x") == -1);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, NULL, "no tag") == -1);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", NULL) == -1);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, NULL, 1, "no tag", 6) == -1);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0, "T", 1, NULL, 6) == -1);
    EXPECT(OH_LOG_PrintMsgByLen(LOG_APP, LOG_INFO, 0xffffffff, "T", 1, "x", 1) == -1);
    EXPECT(print_list(null) == -1);
#undef LOG_TAG
#define LOG_TAG NULL
    OH_LOG_FATAL(LOG_APP, "no tag");
}

static void check_nothing(const struct output *log)
{
    EXPECT(log->length == 0);
}

static void run_errno(void)
{
    errno = 4242;
    EXPECT(OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%.3000f %m", 1e300) > 0);
    EXPECT(errno == 4242);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "text") > 0);
    EXPECT(errno == 4242);
    close(STDERR_FILENO);
    EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", "nowhere to go") == 0);
    EXPECT(errno == 4242);
    EXPECT(OH_LOG_IsLoggable(0, "T", LOG_INFO));
    OH_LOG_SetLogLevel((LogLevel)0, PREFER_OPEN_LOG);
    EXPECT(errno == 4242);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "lines", { NULL }, run_lines, check_lines },
        { "stamp", { NULL }, run_stamp, check_nothing },
        { "stamp in a time zone", { "TZ=Asia/Kathmandu", NULL }, run_stamp, check_nothing },
        { "stamp in a time zone by rule", { "TZ=XXX+3:30YYY,0/0,364/23", NULL }, run_stamp, check_nothing },
        { "formats", { NULL }, run_formats, check_formats },
        { "formats in another locale", { "LC_ALL=C.UTF-8", NULL }, run_formats, check_formats },
        { "odd formats", { NULL }, run_odd_formats, check_odd_formats },
        { "private", { "IPCKIT_LOG_PRIVACY=1", NULL }, run_private, check_private },
        { "not private", { "IPCKIT_LOG_PRIVACY=0", NULL }, run_formats, check_formats },
        { "sizes", { NULL }, run_sizes, check_sizes },
        { "line breaks", { NULL }, run_line_breaks, check_line_breaks },
        { "refused", { NULL }, run_refused, check_nothing },
        { "errno", { NULL }, run_errno, NULL },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
