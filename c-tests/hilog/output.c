/* SPDX-License-Identifier: Apache-2.0 */
/* Where lines go, and that they get there whole; what is done about files that take none. */
#define _GNU_SOURCE
#include "harness.h"

#include <hilog/log.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int print(const char *message)
{
    return OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", message);
}

static void check_nothing(const struct output *log)
{
    EXPECT(log->length == 0);
}

enum { THREADS = 8, LINES_OF_THREAD = 2000, LONGEST_OF_THREAD = 100 };

static void *print_in_thread(void *writer)
{
    print_numbers((int)(size_t)writer, LINES_OF_THREAD, LONGEST_OF_THREAD);
    return NULL;
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    for (size_t thread = 0; thread < THREADS; thread++) {
        EXPECT(pthread_create(&threads[thread], NULL, print_in_thread, (void *)thread) == 0);
    }
    for (size_t thread = 0; thread < THREADS; thread++) {
        pthread_join(threads[thread], NULL);
    }
}

static void check_threads(const struct output *log)
{
    expect_whole_lines(log, THREADS, LINES_OF_THREAD, LONGEST_OF_THREAD);
}

enum { PROCESSES = 4, LINES_OF_PROCESS = 4000, LONGEST_OF_PROCESS = 4000 };

static void print_in_processes(void)
{
    for (int process = 0; process < PROCESSES; process++) {
        if (fork() == 0) {
            print_numbers(process, LINES_OF_PROCESS, LONGEST_OF_PROCESS);
            _exit(0);
        }
    }
    int status;
    while (wait(&status) > 0) {
        EXPECT(status == 0);
    }
}

static void run_file_of_processes(void)
{
    char *path = temporary_path("processes.log");
    setenv("IPCKIT_LOG_FILE", path, 1);
    print_in_processes();
    int file = open(path, O_RDONLY);
    struct output log = read_output(file);
    expect_whole_lines(&log, PROCESSES, LINES_OF_PROCESS, LONGEST_OF_PROCESS);
    struct stat status;
    EXPECT(fstat(file, &status) == 0 && (status.st_mode & 0777) == 0600);
    free_output(&log);
    close(file);
    unlink(path);
    free(path);
}

static void check_processes(const struct output *log)
{
    expect_whole_lines(log, PROCESSES, LINES_OF_PROCESS, LONGEST_OF_PROCESS);
}

static void run_file(void)
{
    char *path = temporary_path("appended.log");
    int file = open(path, O_RDWR | O_CREAT, 0644);
    EXPECT(write(file, "kept\n", 5) == 5);
    setenv("IPCKIT_LOG_FILE", path, 1);
    EXPECT(print("one\ntwo") > 0);
    /* Read once, when it was first needed. */
    setenv("IPCKIT_LOG_FILE", "/nowhere/else", 1);
    EXPECT(print("three") > 0);
    /* No descriptor stays open: the next one is the one that was free. */
    int next = dup(0);
    EXPECT(next == file + 1);
    close(next);
    lseek(file, 0, SEEK_SET);
    struct output log = read_output(file);
    EXPECT(log.count == 4);
    if (log.count == 4) {
        EXPECT(strcmp(log.lines[0], "kept") == 0);
        EXPECT(matches(log.lines[1], PREFIX "I A00000/T: one"));
        EXPECT(matches(log.lines[2], PREFIX "I A00000/T: two"));
        EXPECT(matches(log.lines[3], PREFIX "I A00000/T: three"));
    }
    free_output(&log);
    /* A file that is taken away is made anew. */
    unlink(path);
    EXPECT(print("four") > 0);
    EXPECT(access(path, R_OK) == 0);
    unlink(path);
    free(path);
    close(file);
}

static void run_two(void)
{
    EXPECT(print("one") > 0);
    EXPECT(print("two") > 0);
}

static void expect_two_after_a_warning(const struct output *log, const char *warning)
{
    EXPECT(log->count == 3);
    if (log->count == 3) {
        char pattern[512];
        snprintf(pattern, sizeof(pattern), PREFIX "W C01510/IPCKit: %s", warning);
        EXPECT(matches(log->lines[0], pattern));
        EXPECT(matches(log->lines[1], PREFIX "I A00000/T: one"));
        EXPECT(matches(log->lines[2], PREFIX "I A00000/T: two"));
    }
}

static void check_relative(const struct output *log)
{
    expect_two_after_a_warning(log, ".*IPCKIT_LOG_FILE=log/file\\.txt is relative.*");
    EXPECT(access("log/file.txt", F_OK) != 0);
}

static void check_unopenable(const struct output *log)
{
    expect_two_after_a_warning(log, ".*IPCKIT_LOG_FILE=/nowhere/a\\.log cannot be opened: No such file or directory.*");
}

static void check_directory(const struct output *log)
{
    expect_two_after_a_warning(log, ".*IPCKIT_LOG_FILE=/ cannot be opened: Is a directory.*");
}

static void check_full(const struct output *log)
{
    expect_two_after_a_warning(log, ".*IPCKIT_LOG_FILE=/dev/full cannot be written: No space left on device.*");
}

static void run_file_limit(void)
{
    char *path = temporary_path("limited.log");
    struct rlimit limit = { 100, 100 };
    setenv("IPCKIT_LOG_FILE", path, 1);
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    EXPECT(print("in the file") > 0);
    EXPECT(print("one") > 0);
    EXPECT(print("two") > 0);
    sigset_t pending;
    EXPECT(sigpending(&pending) == 0 && !sigismember(&pending, SIGXFSZ));
    unlink(path);
    free(path);
}

static void check_file_limit(const struct output *log)
{
    expect_two_after_a_warning(log, ".*IPCKIT_LOG_FILE=.*-limited\\.log cannot be written: File too large.*");
}

static void run_no_descriptors(void)
{
    char *path = temporary_path("no-descriptors.log");
    setenv("IPCKIT_LOG_FILE", path, 1);
    struct rlimit limit, before;
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    limit.rlim_cur = 3;
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    run_two();
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EXPECT(access(path, F_OK) != 0);
    free(path);
}

static void check_no_descriptors(const struct output *log)
{
    expect_two_after_a_warning(log, ".*-no-descriptors\\.log cannot be opened: Too many open files.*");
}

static void run_closed(void)
{
    close(STDERR_FILENO);
    errno = 4242;
    EXPECT(print("nowhere") == 0);
    EXPECT(errno == 4242);
    EXPECT(print("nowhere") == 0);
    char *path = temporary_path("late-stderr.log");
    EXPECT(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) == STDERR_FILENO);
    EXPECT(print("somewhere") > 0);
    lseek(STDERR_FILENO, 0, SEEK_SET);
    struct output log = read_output(STDERR_FILENO);
    EXPECT(log.count == 2);
    if (log.count == 2) {
        EXPECT(matches(log.lines[0], PREFIX "W C01510/IPCKit: 2 lines of the log were lost here.*"));
        EXPECT(matches(log.lines[1], PREFIX "I A00000/T: somewhere"));
    }
    free_output(&log);
    unlink(path);
    free(path);
}

/* The offset of the file is shared with stdout, as after 2>&1. */
static void run_stderr_as_file(void)
{
    char *path = temporary_path("stderr.log");
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    EXPECT(print("one") > 0);
    EXPECT(write(file, "between\n", 8) == 8);
    EXPECT(print("two") > 0);
    lseek(file, 0, SEEK_SET);
    struct output log = read_output(file);
    EXPECT(log.count == 3);
    if (log.count == 3) {
        EXPECT(matches(log.lines[0], PREFIX "I A00000/T: one"));
        EXPECT(strcmp(log.lines[1], "between") == 0);
        EXPECT(matches(log.lines[2], PREFIX "I A00000/T: two"));
    }
    free_output(&log);
    close(file);
    unlink(path);
    free(path);
}

/* Cancelling a thread does not stop it in the middle of the library. */
static void *print_until_cancelled(void *unused)
{
    (void)unused;
    for (;;) {
        print("until cancelled");
        pthread_testcancel();
    }
    return NULL;
}

static void run_cancelled(void)
{
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        void *result;
        EXPECT(pthread_create(&thread, NULL, print_until_cancelled, NULL) == 0);
        EXPECT(print("cancels") > 0);
        EXPECT(pthread_cancel(thread) == 0);
        EXPECT(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "threads", { NULL }, run_threads, check_threads },
        { "processes", { NULL }, print_in_processes, check_processes },
        { "file of processes", { NULL }, run_file_of_processes, check_nothing },
        { "file", { NULL }, run_file, check_nothing },
        { "relative file", { "IPCKIT_LOG_FILE=log/file.txt", NULL }, run_two, check_relative },
        { "unopenable file", { "IPCKIT_LOG_FILE=/nowhere/a.log", NULL }, run_two, check_unopenable },
        { "directory as file", { "IPCKIT_LOG_FILE=/", NULL }, run_two, check_directory },
        { "full disk", { "IPCKIT_LOG_FILE=/dev/full", NULL }, run_two, check_full },
        { "limit of the file's size", { NULL }, run_file_limit, check_file_limit },
        { "no descriptors", { NULL }, run_no_descriptors, check_no_descriptors },
        { "closed", { NULL }, run_closed, check_nothing },
        { "stderr as file", { NULL }, run_stderr_as_file, check_nothing },
        { "cancelled", { NULL }, run_cancelled, NULL },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
