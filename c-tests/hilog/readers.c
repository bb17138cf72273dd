/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads stderr: a reader that is slow, stops or goes away delays a line for a bounded time, and what is lost is told. */
#define _GNU_SOURCE
#include "harness.h"

#include <hilog/log.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static int print(const char *message)
{
    return OH_LOG_PrintMsg(LOG_APP, LOG_INFO, 0, "T", message);
}

static void check_nothing(const struct output *log)
{
    EXPECT(log->length == 0);
}

/* A pipe with room for so many bytes, as stderr; returns the end to read from. */
static int small_pipe(int size)
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    EXPECT(fcntl(ends[1], F_SETPIPE_SZ, size) == size);
    EXPECT(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

/* Takes what a pipe or a socket holds now. */
static struct output drain(int fd)
{
    char buffer[65536];
    int ends[2];
    EXPECT(pipe(ends) == 0);
    EXPECT(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (ssize_t count; (count = read(fd, buffer, sizeof(buffer))) > 0;) {
        EXPECT(write(ends[1], buffer, (size_t)count) == count);
    }
    close(ends[1]);
    struct output output = read_output(ends[0]);
    close(ends[0]);
    return output;
}

/* Prints more than fits, then has it read, and prints one more. */
static void expect_loss_is_told(int reader)
{
    char text[600];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    size_t printed = 0, lost = 0;
    for (int number = 0; number < 2000; number++) {
        errno = 4242;
        int result = print(text);
        EXPECT(result == 0 || result > (int)sizeof(text));
        EXPECT(errno == 4242);
        printed += result > 0;
        lost += result == 0;
    }
    EXPECT(printed > 0 && lost > 0);
    struct output before = drain(reader);
    EXPECT(before.count == printed);
    for (size_t line = 0; line < before.count; line++) {
        EXPECT(strcmp(message_of(before.lines[line]), text) == 0);
    }
    free_output(&before);
    EXPECT(print("read again") > 0);
    EXPECT(print("and on") > 0);
    struct output after = drain(reader);
    EXPECT(after.count == 3);
    if (after.count == 3) {
        char pattern[512];
        snprintf(pattern, sizeof(pattern), PREFIX "W C01510/IPCKit: %zu lines of the log were lost here.*", lost);
        EXPECT(matches(after.lines[0], pattern));
        EXPECT(strcmp(message_of(after.lines[1]), "read again") == 0);
        EXPECT(strcmp(message_of(after.lines[2]), "and on") == 0);
    }
    free_output(&after);
    close(reader);
}

static void run_full_pipe(void)
{
    expect_loss_is_told(small_pipe(4096));
}

/* From now on a system call fails with this error. */
static void forbid(unsigned int call, unsigned int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
    EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    EXPECT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Linux before 6.4 cannot write to a pipe without waiting by a flag of the call. */
static void run_full_pipe_of_old_kernel(void)
{
    int reader = small_pipe(4096);
    forbid(SYS_pwritev2, EOPNOTSUPP);
    expect_loss_is_told(reader);
}

/* And where there is no way to open it anew. A pipe then has room only when it has room for a page. */
static void run_full_pipe_without_proc(void)
{
    int reader = small_pipe(16384);
    forbid(SYS_pwritev2, ENOSYS);
    forbid(SYS_openat, EACCES);
    expect_loss_is_told(reader);
}

static void run_full_nonblocking_pipe(void)
{
    int reader = small_pipe(4096);
    fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
    expect_loss_is_told(reader);
}

static void run_full_socket(void)
{
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    EXPECT(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    expect_loss_is_told(ends[0]);
}

/* A line that is longer than the room there is gets through in part; what follows does not go on in the same line. */
static void run_cut_line(void)
{
    int reader = small_pipe(4096);
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    EXPECT(print(text) == 0);
    EXPECT(print("lost") == 0);
    char buffer[4096];
    EXPECT(read(reader, buffer, sizeof(buffer)) == sizeof(buffer));
    EXPECT(print("whole") > 0);
    struct output log = drain(reader);
    EXPECT(log.count == 3);
    if (log.count == 3) {
        EXPECT(strcmp(log.lines[0], "") == 0);
        EXPECT(matches(log.lines[1], PREFIX "W C01510/IPCKit: 2 lines of the log were lost here.*"));
        EXPECT(matches(log.lines[2], PREFIX "I A00000/T: whole"));
    }
    free_output(&log);
    close(reader);
}

enum { NUMBERS = 2000, LONGEST = 4000 };

static void *read_all(void *reader)
{
    static struct output log;
    log = read_output((int)(size_t)reader);
    return &log;
}

/* A reader that reads, if in its own time, loses nothing. */
static void run_slow_reader(void)
{
    int reader = small_pipe(4096);
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, read_all, (void *)(size_t)reader) == 0);
    print_numbers(0, NUMBERS, LONGEST);
    close(STDERR_FILENO);
    void *log;
    pthread_join(thread, &log);
    expect_whole_lines(log, 1, NUMBERS, LONGEST);
    free_output(log);
    close(reader);
}

static void run_no_reader(void)
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    EXPECT(print("nobody reads") == 0);
    EXPECT(print("nobody reads") == 0);
    sigset_t pending;
    EXPECT(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));

    /* A signal that the program has blocked and that is there already stays. */
    sigset_t sigpipe;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    EXPECT(sigprocmask(SIG_BLOCK, &sigpipe, NULL) == 0);
    EXPECT(print("nobody reads") == 0);
    EXPECT(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    raise(SIGPIPE);
    EXPECT(print("nobody reads") == 0);
    EXPECT(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE));
}

/* stderr as a terminal that gives what it gets; returns the end to read from. */
static int terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios settings;
    EXPECT(tcgetattr(slave, &settings) == 0);
    cfmakeraw(&settings);
    EXPECT(tcsetattr(slave, TCSANOW, &settings) == 0);
    EXPECT(dup2(slave, STDERR_FILENO) == STDERR_FILENO);
    close(slave);
    return master;
}

static void run_terminal(void)
{
    int master = terminal();
    for (int level = LOG_DEBUG; level <= LOG_FATAL; level++) {
        EXPECT(OH_LOG_PrintMsg(LOG_APP, (LogLevel)level, 0, "T", "seen") > 0);
    }
    struct output log = drain(master);
    EXPECT(log.count == 5);
    for (size_t line = 0; line < log.count; line++) {
        EXPECT(matches(log.lines[line], "\033\\[[0-9;]+m" PREFIX "[DIWEF] A00000/T: seen\033\\[0m"));
        EXPECT(line == 0 || strncmp(log.lines[line], log.lines[line - 1], 8) != 0);
    }
    free_output(&log);
    close(master);
}

static void run_terminal_and_file(void)
{
    int master = terminal();
    char *path = temporary_path("no-colour.log");
    setenv("IPCKIT_LOG_FILE", path, 1);
    EXPECT(print("plain") > 0);
    int file = open(path, O_RDONLY);
    struct output log = read_output(file);
    EXPECT(log.count == 1 && matches(log.lines[0], PREFIX "I A00000/T: plain"));
    free_output(&log);
    close(file);
    unlink(path);
    free(path);
    log = drain(master);
    EXPECT(log.length == 0);
    free_output(&log);
    close(master);
}

static void expect_stopped_terminal_is_told(int master)
{
    EXPECT(tcflow(STDERR_FILENO, TCOOFF) == 0);
    EXPECT(print("stopped") == 0);
    EXPECT(tcflow(STDERR_FILENO, TCOON) == 0);
    EXPECT(print("goes on") > 0);
    struct output log = drain(master);
    EXPECT(log.count == 2);
    if (log.count == 2) {
        EXPECT(strstr(log.lines[0], "1 lines of the log were lost here") != NULL);
        EXPECT(strstr(log.lines[1], "goes on") != NULL);
    }
    free_output(&log);
    close(master);
}

static void run_stopped_terminal(void)
{
    expect_stopped_terminal_is_told(terminal());
}

static void run_stopped_terminal_without_proc(void)
{
    int master = terminal();
    forbid(SYS_openat, EACCES);
    expect_stopped_terminal_is_told(master);
}

static void run_unread_terminal(void)
{
    int master = terminal();
    int lost = 0;
    for (int number = 0; number < 2000 && lost < 10; number++) {
        lost += OH_LOG_Print(LOG_APP, LOG_INFO, 0, "T", "%200d", number) == 0;
    }
    EXPECT(lost == 10);
    close(master);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "full pipe", { NULL }, run_full_pipe, check_nothing },
        { "full pipe of an old kernel", { NULL }, run_full_pipe_of_old_kernel, check_nothing },
        { "full pipe without /proc", { NULL }, run_full_pipe_without_proc, check_nothing },
        { "full non-blocking pipe", { NULL }, run_full_nonblocking_pipe, check_nothing },
        { "full socket", { NULL }, run_full_socket, check_nothing },
        { "cut line", { NULL }, run_cut_line, check_nothing },
        { "slow reader", { NULL }, run_slow_reader, check_nothing },
        { "no reader", { NULL }, run_no_reader, check_nothing },
        { "terminal", { NULL }, run_terminal, check_nothing },
        { "terminal and file", { NULL }, run_terminal_and_file, check_nothing },
        { "stopped terminal", { NULL }, run_stopped_terminal, check_nothing },
        { "stopped terminal without /proc", { NULL }, run_stopped_terminal_without_proc, check_nothing },
        { "unread terminal", { NULL }, run_unread_terminal, check_nothing },
        NO_MORE_CASES,
    };
    return run_cases(argc, argv, cases);
}
