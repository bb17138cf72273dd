/* SPDX-License-Identifier: Apache-2.0
 * Some sources bring their own, and mean that one. */
#include <string.h>

size_t strlcpy(char *destination, const char *source, size_t size);

size_t strlcpy(char *destination, const char *source, size_t size)
{
    (void)source;
    if (size > 0) {
        destination[0] = '!';
    }
    return 99;
}

int OwnFunctionIsUsed(void)
{
    char text[2] = "";
    return strlcpy(text, "a", sizeof(text)) == 99 && text[0] == '!';
}
