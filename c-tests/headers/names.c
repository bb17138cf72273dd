/* SPDX-License-Identifier: Apache-2.0 */
/* Programs written for a device use these names of the C library after including nothing but the IPC headers. It is C and
 * C++ alike: compiling it as either is the test. */
#include <IPCKit/ipc_kit.h>

void *zeroed(int32_t length);

void *zeroed(int32_t length)
{
    void *memory = malloc((size_t)length);
    if (memory != NULL) {
        memset(memory, 0, (size_t)length);
    }
    return memory;
}

size_t length_and_free(char *text);

size_t length_and_free(char *text)
{
    size_t length = strlen(text);
    free(text);
    return length;
}
