/* SPDX-License-Identifier: Apache-2.0 */
/* Each case of a test program runs in a process of its own, since the library reads its environment once. What the case
 * writes on stderr is the log, and is checked; what fails is said on stdout. */
#ifndef IPCKIT_TESTS_HILOG_HARNESS_H
#define IPCKIT_TESTS_HILOG_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was written, and its lines. */
struct output {
    char *text;
    size_t length;
    char **lines;
    size_t count;
};

struct test_case {
    const char *name;
    /* NAME=value, up to NULL. */
    const char *environment[4];
    /* In the process of the case. */
    void (*run)(void);
    /* In the first process, when it has ended well; can be NULL. */
    void (*check)(const struct output *log);
};

/* The end of a table of cases. */
#define NO_MORE_CASES { NULL, { NULL }, NULL, NULL }

/* main's work: all cases of the table, or the one that an argument names. Returns main's result. */
int run_cases(int argc, char **argv, const struct test_case *cases);

/* Says what failed, and lets the program fail at its end. */
void expectation(bool holds, const char *what, const char *file, int line);
#define EXPECT(condition) expectation((condition), #condition, __FILE__, __LINE__)

/* Whether the whole text matches an extended regular expression; says so if not. */
bool matches(const char *text, const char *pattern);

/* The part of a line after the first ": ", or the whole if there is none. */
const char *message_of(const char *line);

/* Reads all there is up to the end; free_output() frees it. */
struct output read_output(int fd);
void free_output(struct output *output);

/* Logs messages of several lengths, "<writer> <number> xxx...", all of which must get out. */
void print_numbers(int writer, int numbers, size_t longest);

/* Expects the messages of so many writers, each whole, once and in order. */
void expect_whole_lines(const struct output *log, int writers, int numbers, size_t longest);

/* A path for a file of this process, in the directory of temporary files; free() frees it. */
char *temporary_path(const char *name);

/* What a line begins with: time, pid, tid, and the rest as a regular expression. */
#define STAMP "[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3} "
#define PREFIX STAMP "( *[0-9]{1,5}|[0-9]{6,}) ( *[0-9]{1,5}|[0-9]{6,}) "

#ifdef __cplusplus
}
#endif

#endif
