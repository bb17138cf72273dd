/* SPDX-License-Identifier: Apache-2.0 */
/* Names by which rustc has the C library's functions called in code that is built for a thread sanitizer, and which g++'s runtime does
 * not have: there the functions themselves are watched. */
#include <stddef.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN void *__tsan_memcpy(void *to, const void *from, size_t length) { return memcpy(to, from, length); }
HIDDEN void *__tsan_memmove(void *to, const void *from, size_t length) { return memmove(to, from, length); }
HIDDEN void *__tsan_memset(void *to, int byte, size_t length) { return memset(to, byte, length); }
