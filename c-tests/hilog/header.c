/* SPDX-License-Identifier: Apache-2.0 */
/* The header alone, twice, in C and in C++: names, values and types. The declarations must be the only ones it needs. */

#include <hilog/log.h>

#include <hilog/log.h>

#ifdef __cplusplus
#define ASSERT(condition) static_assert(condition, #condition)
#else
#define ASSERT(condition) _Static_assert(condition, #condition)
#endif

ASSERT(LOG_DOMAIN == 0);
ASSERT(LOG_APP == 0);
ASSERT(LOG_DEBUG == 3 && LOG_INFO == 4 && LOG_WARN == 5 && LOG_ERROR == 6 && LOG_FATAL == 7);
ASSERT(UNSET_LOGLEVEL == 0 && PREFER_CLOSE_LOG == 1 && PREFER_OPEN_LOG == 2);
ASSERT(sizeof(LogType) == 4 && sizeof(LogLevel) == 4 && sizeof(PreferStrategy) == 4);

/* A pointer of another type would not take the function's address. */
typedef int print(LogType, LogLevel, unsigned int, const char *, const char *, ...);
typedef int print_message(LogType, LogLevel, unsigned int, const char *, const char *);
typedef int print_by_length(LogType, LogLevel, unsigned int, const char *, size_t, const char *, size_t);
typedef int print_list(LogType, LogLevel, unsigned int, const char *, const char *, va_list);
typedef bool is_loggable(unsigned int, const char *, LogLevel);
typedef void callback(LogType, LogLevel, unsigned int, const char *, const char *);
typedef void set_callback(callback *);
typedef void set_minimum(LogLevel);
typedef void set_level(LogLevel, PreferStrategy);

static print *const print_function = OH_LOG_Print;
static print_message *const print_message_function = OH_LOG_PrintMsg;
static print_by_length *const print_by_length_function = OH_LOG_PrintMsgByLen;
static print_list *const print_list_function = OH_LOG_VPrint;
static is_loggable *const is_loggable_function = OH_LOG_IsLoggable;
static set_callback *const set_callback_function = OH_LOG_SetCallback;
static set_minimum *const set_minimum_function = OH_LOG_SetMinLogLevel;
static set_level *const set_level_function = OH_LOG_SetLogLevel;
static const LogCallback no_callback = NULL;

static const char *const default_tag = LOG_TAG;

#undef LOG_TAG
#undef LOG_DOMAIN
#define LOG_TAG "header"
#define LOG_DOMAIN 0xd0fffff

/* The macros are expressions without a value, and need nothing but what the header gives. */
static void use_macros(int number)
{
    if (number)
        OH_LOG_DEBUG(LOG_APP, "nothing to format");
    else
        OH_LOG_INFO(LOG_APP, "%{public}d", number);
    OH_LOG_WARN(LOG_APP, "%{private}s %d", "text", number), OH_LOG_ERROR(LOG_APP, "%s", "text");
    number ? OH_LOG_FATAL(LOG_APP, "%5.2f", 1.0) : (void)0;
}

static int print_to_list(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = print_list_function(LOG_APP, LOG_INFO, 0, default_tag, format, list);
    va_end(list);
    return result;
}

int main(void)
{
    use_macros(0);
    use_macros(1);
    set_callback_function(no_callback);
    set_minimum_function(LOG_DEBUG);
    set_level_function(LOG_DEBUG, UNSET_LOGLEVEL);
    /* The tag is NULL as long as nobody defines another: nothing is printed. */
    int results = print_function(LOG_APP, LOG_INFO, 0, default_tag, "%d", 1) +
        print_message_function(LOG_APP, LOG_INFO, 0, default_tag, "message") +
        print_by_length_function(LOG_APP, LOG_INFO, 0, default_tag, 0, "message", 7) + print_to_list("%d", 1);
    return results == -4 && !is_loggable_function(0, default_tag, LOG_FATAL) ? 0 : 1;
}
