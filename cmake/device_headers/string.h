/* SPDX-License-Identifier: Apache-2.0
 * The host's string.h, and strlcpy and strlcat where it has none (glibc before 2.38). A program's own functions of these
 * names replace those below, as they would a library's (in C++ not with older versions of clang). */
#pragma GCC system_header
#include_next <string.h>

#ifndef IPCKIT_DEVICE_STRING_H
#define IPCKIT_DEVICE_STRING_H
#if defined(__GLIBC__) && defined(__USE_MISC) && !__GLIBC_PREREQ(2, 38)

#ifdef __cplusplus
extern "C" {
#endif

/* Of gnu_inline functions there is no code outside of their callers, and a definition may follow. */
#define IPCKIT_REPLACEABLE extern __inline __attribute__((__gnu_inline__, __always_inline__, __unused__))

/* Copies what fits into size bytes, with a NUL unless size is 0; returns the length of source. */
IPCKIT_REPLACEABLE size_t strlcpy(char *destination, const char *source, size_t size)
{
    size_t length = strlen(source);
    if (size != 0) {
        size_t fits = length < size ? length : size - 1;
        memcpy(destination, source, fits);
        destination[fits] = '\0';
    }
    return length;
}

/* Appends what fits into size bytes in all, with a NUL where destination has one within them; returns the length that was
 * asked for. */
IPCKIT_REPLACEABLE size_t strlcat(char *destination, const char *source, size_t size)
{
    size_t length = strnlen(destination, size);
    size_t more = strlen(source);
    if (length < size) {
        size_t room = size - length - 1;
        size_t fits = more < room ? more : room;
        memcpy(destination + length, source, fits);
        destination[length + fits] = '\0';
    }
    return length + more;
}

#undef IPCKIT_REPLACEABLE

#ifdef __cplusplus
}
#endif

#endif
#endif
