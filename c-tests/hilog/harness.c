/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "harness.h"

#include <hilog/log.h>

#include <errno.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A case that has not ended by then hangs. */
enum { PATIENCE_SECONDS = 60 };

static int failures;

void expectation(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        printf("%s:%d: does not hold: %s\n", file, line, what);
        fflush(stdout);
    }
}

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(2);
}

bool matches(const char *text, const char *pattern)
{
    regex_t compiled;
    char anchored[1024];
    snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
    if (regcomp(&compiled, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
        printf("not a regular expression: %s\n", pattern);
        return false;
    }
    bool result = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    if (!result) {
        printf("<%s>\n    does not match <%s>\n", text, pattern);
    }
    return result;
}

const char *message_of(const char *line)
{
    const char *colon = strstr(line, ": ");
    return colon ? colon + 2 : line;
}

char *temporary_path(const char *name)
{
    const char *directory = getenv("TMPDIR");
    char *path;
    if (asprintf(&path, "%s/ipckit-hilog-%d-%s", directory ? directory : "/tmp", (int)getpid(), name) < 0) {
        die("asprintf");
    }
    return path;
}

/* Ends early, with what there is, when the writer hangs. */
struct output read_output(int fd)
{
    struct output output = { NULL, 0, NULL, 0 };
    size_t capacity = 0;
    for (;;) {
        if (capacity - output.length < 4096) {
            capacity = capacity * 2 + 65536;
            output.text = realloc(output.text, capacity + 1);
            if (output.text == NULL) {
                die("realloc");
            }
        }
        struct pollfd readable = { fd, POLLIN, 0 };
        if (poll(&readable, 1, 2 * PATIENCE_SECONDS * 1000) == 0) {
            printf("nothing more was written, but the end does not come\n");
            failures++;
            break;
        }
        ssize_t count = read(fd, output.text + output.length, capacity - output.length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        output.length += (size_t)count;
    }
    output.text[output.length] = '\0';
    for (char *line = output.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        output.lines = realloc(output.lines, (output.count + 1) * sizeof(char *));
        if (output.lines == NULL) {
            die("realloc");
        }
        output.lines[output.count++] = line;
    }
    return output;
}

void free_output(struct output *output)
{
    free(output->lines);
    free(output->text);
}

void expect_whole_lines(const struct output *log, int writers, int numbers, size_t longest)
{
    int next[16] = { 0 };
    EXPECT(log->count == (size_t)writers * (size_t)numbers);
    for (size_t line = 0; line < log->count; line++) {
        const char *message = message_of(log->lines[line]);
        int writer = -1, number = -1, length = 0;
        int read = sscanf(message, "%d %d %n", &writer, &number, &length);
        bool whole = read == 2 && writer >= 0 && writer < writers && number == next[writer]++ &&
            strspn(message + length, "x") == (size_t)number % longest && strlen(message) == (size_t)length + (size_t)number % longest;
        if (!whole) {
            printf("line %zu: <%.100s>\n", line, log->lines[line]);
            EXPECT(whole);
            return;
        }
    }
}

void print_numbers(int writer, int numbers, size_t longest)
{
    char *text = malloc(longest + 64);
    for (int number = 0; number < numbers; number++) {
        int length = sprintf(text, "%d %d ", writer, number);
        size_t extra = (size_t)number % longest;
        memset(text + length, 'x', extra);
        text[(size_t)length + extra] = '\0';
        EXPECT(OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", text) > 0);
    }
    free(text);
}

static void run_in_process(const struct test_case *test, char *program)
{
    int log_pipe[2];
    if (pipe(log_pipe) != 0) {
        die("pipe");
    }
    pid_t child = fork();
    if (child < 0) {
        die("fork");
    }
    if (child == 0) {
        close(log_pipe[0]);
        dup2(log_pipe[1], STDERR_FILENO);
        close(log_pipe[1]);
        unsetenv("IPCKIT_LOG_LEVEL");
        unsetenv("IPCKIT_LOG_PRIVACY");
        unsetenv("IPCKIT_LOG_FILE");
        for (const char *const *variable = test->environment; *variable != NULL; variable++) {
            putenv((char *)*variable);
        }
        /* Its signal ends a case that hangs. */
        alarm(PATIENCE_SECONDS);
        char *arguments[] = { program, (char *)test->name, NULL };
        execvp(program, arguments);
        die("execvp");
    }
    close(log_pipe[1]);
    int before = failures;
    struct output log = read_output(log_pipe[0]);
    close(log_pipe[0]);
    if (failures != before) {
        kill(child, SIGKILL);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        printf("the case ended with %s %d\n", WIFSIGNALED(status) ? "signal" : "result",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        failures++;
    } else if (test->check != NULL) {
        test->check(&log);
    }
    if (failures != before) {
        printf("failed: %s. Its log has %zu lines:\n", test->name, log.count);
        for (size_t line = 0; line < log.count && line < 20; line++) {
            printf("    %.200s\n", log.lines[line]);
        }
    }
    free_output(&log);
}

int run_cases(int argc, char **argv, const struct test_case *cases)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    int run = 0;
    for (const struct test_case *test = cases; test->name != NULL; test++) {
        if (argc > 1 && strcmp(argv[1], test->name) == 0) {
            test->run();
            return failures == 0 ? 0 : 1;
        }
        if (argc == 1) {
            run_in_process(test, argv[0]);
            run++;
        }
    }
    if (argc > 1) {
        printf("no such case: %s\n", argv[1]);
        return 2;
    }
    printf("%d cases, %d failures\n", run, failures);
    return failures == 0 ? 0 : 1;
}
