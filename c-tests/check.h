/* SPDX-License-Identifier: Apache-2.0 */
/* Checks for the test programs, in C11 and C++11. A check that fails says where and what, and the program goes on; main
 * ends with `return check_result();`. They may be used on any thread. */
#ifndef IPCKIT_TESTS_CHECK_H
#define IPCKIT_TESTS_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int check_count;
static int check_failures;

static inline int check_record(int holds)
{
    __atomic_add_fetch(&check_count, 1, __ATOMIC_RELAXED);
    if (!holds) {
        __atomic_add_fetch(&check_failures, 1, __ATOMIC_RELAXED);
    }
    return holds;
}

static inline int check_true(const char *file, int line, const char *text, int holds)
{
    if (!check_record(holds)) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
    }
    return holds;
}

static inline int check_number(const char *file, int line, const char *text, int64_t actual, int64_t expected)
{
    int holds = check_record(actual == expected);
    if (!holds) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, text, (long long)actual, (long long)expected);
    }
    return holds;
}

static inline int check_text(const char *file, int line, const char *text, const char *actual, const char *expected)
{
    int holds = check_record(actual != NULL && strcmp(actual, expected) == 0);
    if (!holds) {
        fprintf(stderr, "%s:%d: %s is %s%s%s, not \"%s\"\n", file, line, text, actual == NULL ? "" : "\"",
            actual == NULL ? "NULL" : actual, actual == NULL ? "" : "\"", expected);
    }
    return holds;
}

/* Each yields whether it holds, for checks that only make sense then. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition) ? 1 : 0)
#define CHECK_EQ(actual, expected) \
    check_number(__FILE__, __LINE__, #actual, (int64_t)(actual), (int64_t)(expected))
#define CHECK_TEXT(actual, expected) check_text(__FILE__, __LINE__, #actual, (actual), (expected))

/* A program that checked nothing has not passed. */
static inline int check_result(void)
{
    int count = __atomic_load_n(&check_count, __ATOMIC_RELAXED);
    int failures = __atomic_load_n(&check_failures, __ATOMIC_RELAXED);
    printf("%d checks, %d failed\n", count, failures);
    return count > 0 && failures == 0 ? 0 : 1;
}

#endif /* IPCKIT_TESTS_CHECK_H */
