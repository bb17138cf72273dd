/* SPDX-License-Identifier: Apache-2.0 */
/* What Rust has no stable way for: variable arguments, long double, and thread-local data that needs no allocation. */

#include "hilog/log.h"

#include <stdint.h>
#include <stdio.h>

_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(intmax_t) == 8 && sizeof(size_t) == 8 &&
        sizeof(ptrdiff_t) == 8 && sizeof(void *) == 8,
    "the format engine takes all of these for 64 bits");
_Static_assert(sizeof(wchar_t) == 4, "the format engine takes wide characters for 32 bits");

/* As a struct, a list is passed on in the same way on every architecture. */
struct ipckit_arguments {
    va_list list;
};

/* The order is that of the Rust enum Kind. */
enum ipckit_kind { KIND_INT, KIND_LONG, KIND_DOUBLE, KIND_LONG_DOUBLE, KIND_POINTER };

union ipckit_value {
    int int_value;
    long long long_value;
    double double_value;
    long double long_double_value;
    const void *pointer_value;
};
_Static_assert(sizeof(union ipckit_value) == 16, "the Rust side has a long double in 16 bytes");

/* In Rust. */
int ipckit_log_vprint(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *fmt,
    struct ipckit_arguments *arguments);

/* For Rust. OH_LOG_Print and OH_LOG_VPrint jump to the first two, whose types the header says. */
__typeof__(OH_LOG_Print) ipckit_print_variadic;
__typeof__(OH_LOG_VPrint) ipckit_print_list;
void ipckit_next_argument(struct ipckit_arguments *arguments, enum ipckit_kind kind, union ipckit_value *value);
int ipckit_print_long_double(char *buffer, size_t size, const char *directive, const union ipckit_value *value);
bool *ipckit_in_callback(void);

int ipckit_print_variadic(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *fmt, ...)
{
    struct ipckit_arguments arguments;
    va_start(arguments.list, fmt);
    int result = ipckit_log_vprint(type, level, domain, tag, fmt, &arguments);
    va_end(arguments.list);
    return result;
}

int ipckit_print_list(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *fmt, va_list ap)
{
    struct ipckit_arguments arguments;
    va_copy(arguments.list, ap);
    int result = ipckit_log_vprint(type, level, domain, tag, fmt, &arguments);
    va_end(arguments.list);
    return result;
}

void ipckit_next_argument(struct ipckit_arguments *arguments, enum ipckit_kind kind, union ipckit_value *value)
{
    switch (kind) {
        case KIND_INT:
            value->int_value = va_arg(arguments->list, int);
            break;
        case KIND_LONG:
            value->long_value = va_arg(arguments->list, long long);
            break;
        case KIND_DOUBLE:
            value->double_value = va_arg(arguments->list, double);
            break;
        case KIND_LONG_DOUBLE:
            value->long_double_value = va_arg(arguments->list, long double);
            break;
        case KIND_POINTER:
            value->pointer_value = va_arg(arguments->list, const void *);
            break;
    }
}

int ipckit_print_long_double(char *buffer, size_t size, const char *directive, const union ipckit_value *value)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    /* The directive is built by the format engine: one for a long double. */
    return snprintf(buffer, size, directive, value->long_double_value);
#pragma GCC diagnostic pop
}

bool *ipckit_in_callback(void)
{
    /* In the dynamic model the first use by a thread would allocate, and abort where there is no memory. */
    static _Thread_local bool in_callback __attribute__((tls_model("initial-exec")));
    return &in_callback;
}
