/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into the libraries when they are built for a thread sanitizer, between what rustc makes and g++'s runtime. */
#include <stddef.h>
#include <string.h>

/* Names by which rustc has the C library's functions called, and which that runtime does not have: it watches the functions themselves. */
#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN void *__tsan_memcpy(void *to, const void *from, size_t length) { return memcpy(to, from, length); }
HIDDEN void *__tsan_memmove(void *to, const void *from, size_t length) { return memmove(to, from, length); }
HIDDEN void *__tsan_memset(void *to, int byte, size_t length) { return memset(to, byte, length); }

/* The last to let go of an Arc has a fence after its decrement, which no thread sanitizer understands; the standard library as it is
 * delivered has it all the same. So a decrement that releases acquires too. (The linker wraps the runtime's function in this one.) */
long __real___tsan_atomic64_fetch_sub(volatile long *counter, long number, int order);

HIDDEN long __wrap___tsan_atomic64_fetch_sub(volatile long *counter, long number, int order)
{
    return __real___tsan_atomic64_fetch_sub(counter, number, order == __ATOMIC_RELEASE ? __ATOMIC_ACQ_REL : order);
}
