/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file log.h
 * Logging, as OpenHarmony's native code does it; libhilog_ndk.z.so.
 *
 * A message has a level, a domain (a number that names the module), a tag and a text. On plain Linux it is printed on
 * stderr, a line for each of its lines:
 *
 *     MM-DD hh:mm:ss.mmm <pid> <tid> <D|I|W|E|F> A<domain>/<tag>: <text>
 *
 * Three variables of the environment are read, each once, when they are first needed:
 * - IPCKIT_LOG_LEVEL=D, I, W, E or F: the system's lowest level (D unless set);
 * - IPCKIT_LOG_PRIVACY=1: private arguments are printed as `<private>`, as a device does;
 * - IPCKIT_LOG_FILE=/a/file: lines are appended to this file, and do not go to stderr. Several processes can share it.
 *
 * Every function may be called from any thread at any time: before main, in static destructors, in a forked child. None
 * changes errno. None takes a lock that another thread could hold. A line is written whole, by one system call; when the
 * reader of stderr (a pipe, a terminal) does not read, a line waits for half a second and is then lost, and the next that
 * gets through is preceded by one that says how many were lost.
 *
 * It includes stdarg.h, stdbool.h and stddef.h.
 */
#ifndef IPCKIT_HILOG_LOG_H
#define IPCKIT_HILOG_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What clang calls os_log is printf with words in braces. gcc has no such format, and its printf would reject them. */
#if defined(__clang__)
#define IPCKIT_LOG_FORMAT(format, first) __attribute__((__format__(os_log, format, first)))
#else
#define IPCKIT_LOG_FORMAT(format, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The domain that the macros below log with: 0 … 0xFFFF are for applications. Define it before this header, or
 * `#undef` and define it after.
 *
 * @since 8
 */
#ifndef LOG_DOMAIN
#define LOG_DOMAIN 0
#endif

/**
 * The tag that the macros below log with: a string, of which 31 bytes are kept. Define it before this header, or
 * `#undef` and define it after. As long as it is NULL, nothing is logged.
 *
 * @since 8
 */
#ifndef LOG_TAG
#define LOG_TAG NULL
#endif

/**
 * Whose log a message belongs to.
 *
 * @since 8
 */
typedef enum {
    /** An application's. */
    LOG_APP = 0
} LogType;

/**
 * How grave a message is.
 *
 * @since 8
 */
typedef enum {
    /** Helps to find a fault. */
    LOG_DEBUG = 3,
    /** Worth knowing. */
    LOG_INFO = 4,
    /** Not as it should be, but the program goes on. */
    LOG_WARN = 5,
    /** Something failed. */
    LOG_ERROR = 6,
    /** The program cannot go on. */
    LOG_FATAL = 7
} LogLevel;

/**
 * How a level that a program sets combines with the system's.
 *
 * @since 21
 */
typedef enum {
    /** What was set is dropped; the system's level is in force. */
    UNSET_LOGLEVEL = 0,
    /** The higher of the two is in force. */
    PREFER_CLOSE_LOG = 1,
    /** The lower of the two is in force. */
    PREFER_OPEN_LOG = 2
} PreferStrategy;

/**
 * Formats a message and prints it.
 *
 * @param type LOG_APP.
 * @param level The level.
 * @param domain The domain, below 0xD0FFFFF.
 * @param tag The tag, of which 31 bytes are kept; not NULL.
 * @param fmt A format as printf's. Between the percent sign and the rest of a directive can stand `{public}` or
 *     `{private}`; without either an argument is private. The text is cut after 4095 bytes. `%n`, and what is no
 *     directive of printf's, is printed as it stands.
 * @return How many bytes were written, prefixes and line ends included. -1 when fmt is NULL, or OH_LOG_IsLoggable says
 *     no. 0 when there was nothing to print (the text is empty or has only line breaks), or when it could not be written
 *     anywhere.
 * @note Thread-safe.
 * @since 8
 */
int OH_LOG_Print(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *fmt, ...)
    IPCKIT_LOG_FORMAT(5, 6);

/**
 * Prints a message as it is: a `%` in it means nothing.
 *
 * @param type LOG_APP.
 * @param level The level.
 * @param domain The domain, below 0xD0FFFFF.
 * @param tag The tag, of which 31 bytes are kept; not NULL.
 * @param message The text, of which 4095 bytes are kept.
 * @return As for OH_LOG_Print; -1 when message is NULL, too.
 * @note Thread-safe.
 * @since 18
 */
int OH_LOG_PrintMsg(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *message);

/**
 * Prints a message as it is, of a given length: neither tag nor message needs a NUL at its end. What follows a NUL is not
 * printed.
 *
 * @param type LOG_APP.
 * @param level The level.
 * @param domain The domain, below 0xD0FFFFF.
 * @param tag The tag, of which 31 bytes are kept; not NULL.
 * @param tagLen How many bytes of tag can be read.
 * @param message The text, of which 4095 bytes are kept.
 * @param messageLen How many bytes of message can be read.
 * @return As for OH_LOG_Print; -1 when message is NULL, too.
 * @note Thread-safe.
 * @since 18
 */
int OH_LOG_PrintMsgByLen(LogType type, LogLevel level, unsigned int domain, const char *tag, size_t tagLen,
    const char *message, size_t messageLen);

/**
 * Formats a message and prints it, as OH_LOG_Print does, with the arguments in a list.
 *
 * @param type LOG_APP.
 * @param level The level.
 * @param domain The domain, below 0xD0FFFFF.
 * @param tag The tag, of which 31 bytes are kept; not NULL.
 * @param fmt The format.
 * @param ap The arguments. As after vprintf, the list is of no further use to the caller, who ends it with va_end.
 * @return As for OH_LOG_Print.
 * @note Thread-safe.
 * @since 18
 */
int OH_LOG_VPrint(LogType type, LogLevel level, unsigned int domain, const char *tag, const char *fmt, va_list ap)
    IPCKIT_LOG_FORMAT(5, 0);

/**
 * Says whether a message would be printed.
 *
 * @param domain The domain.
 * @param tag The tag.
 * @param level The level.
 * @return true when level is not below the lowest level in force for the domain; false when tag is NULL, level is not
 *     one of 1 … 7, or domain is 0xD0FFFFF or more.
 * @note Thread-safe.
 * @since 8
 */
bool OH_LOG_IsLoggable(unsigned int domain, const char *tag, LogLevel level);

/**
 * Gets a message of the process. tag and msg are valid during the call, and msg can have line breaks.
 *
 * It is called by the thread that logs, before the message is printed and before the call that logs returns. What it logs
 * itself is printed, but does not come to it again.
 *
 * The messages of the libraries themselves come to it too: their type is none of LogType, their domain is 0xD001510.
 *
 * @param type The type.
 * @param level The level.
 * @param domain The domain.
 * @param tag The tag.
 * @param msg The text, formatted.
 * @since 11
 */
typedef void (*LogCallback)(const LogType type, const LogLevel level, const unsigned int domain, const char *tag,
    const char *msg);

/**
 * Sets the one function that gets every message of this process that is not filtered out.
 *
 * @param callback The function, which must be able to be called by several threads at a time; NULL for none. The one
 *     before it can still be running in other threads when this call returns.
 * @note Thread-safe.
 * @since 11
 */
void OH_LOG_SetCallback(LogCallback callback);

/**
 * OH_LOG_SetLogLevel(level, PREFER_CLOSE_LOG).
 *
 * @param level The level.
 * @note Thread-safe.
 * @since 15
 */
void OH_LOG_SetMinLogLevel(LogLevel level);

/**
 * Sets the lowest level of this process for the domains of applications, 0 … 0xFFFF.
 *
 * @param level The level, 1 … 7; with UNSET_LOGLEVEL it does not matter. Any other changes nothing but for a warning in
 *     the log.
 * @param prefer How it combines with the system's. A value that is none of PreferStrategy changes nothing but for a
 *     warning in the log.
 * @note Thread-safe.
 * @since 21
 */
void OH_LOG_SetLogLevel(LogLevel level, PreferStrategy prefer);

/**
 * Log at one level each, with LOG_DOMAIN and LOG_TAG as they are defined where the macro is used. The arguments are the
 * type (LOG_APP), a format and what it needs, as for OH_LOG_Print. They have no result.
 *
 * @since 8
 */
#define OH_LOG_DEBUG(type, ...) ((void)OH_LOG_Print((type), LOG_DEBUG, LOG_DOMAIN, LOG_TAG, __VA_ARGS__))
#define OH_LOG_INFO(type, ...) ((void)OH_LOG_Print((type), LOG_INFO, LOG_DOMAIN, LOG_TAG, __VA_ARGS__))
#define OH_LOG_WARN(type, ...) ((void)OH_LOG_Print((type), LOG_WARN, LOG_DOMAIN, LOG_TAG, __VA_ARGS__))
#define OH_LOG_ERROR(type, ...) ((void)OH_LOG_Print((type), LOG_ERROR, LOG_DOMAIN, LOG_TAG, __VA_ARGS__))
#define OH_LOG_FATAL(type, ...) ((void)OH_LOG_Print((type), LOG_FATAL, LOG_DOMAIN, LOG_TAG, __VA_ARGS__))

#ifdef __cplusplus
}
#endif

#undef IPCKIT_LOG_FORMAT

#endif /* IPCKIT_HILOG_LOG_H */
