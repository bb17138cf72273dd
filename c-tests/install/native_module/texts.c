/* SPDX-License-Identifier: Apache-2.0 */
#define __NEED_size_t
#include <bits/alltypes.h>
#include <string.h>

/* Of each function: what fits, what is cut, and no room at all. */
int TextsAreRight(void)
{
    char text[6] = "?????";
    int right = strlcpy(text, "abc", sizeof(text)) == 3 && strcmp(text, "abc") == 0;
    right = right && strlcat(text, "de", sizeof(text)) == 5 && strcmp(text, "abcde") == 0;
    right = right && strlcat(text, "fg", sizeof(text)) == 7 && strcmp(text, "abcde") == 0;
    right = right && strlcpy(text, "uvwxyz", sizeof(text)) == 6 && strcmp(text, "uvwxy") == 0;
    right = right && strlcpy(text, "longer than that", sizeof(text)) == 16 && strcmp(text, "longe") == 0;
    right = right && strlcpy(text, "", sizeof(text)) == 0 && text[0] == '\0' && text[1] == 'o';
    right = right && strlcpy(text, "x", 0) == 1 && text[0] == '\0';
    memset(text, 'z', sizeof(text));
    right = right && strlcat(text, "abc", 3) == 6 && text[3] == 'z';
    return right && strlcpy(text, "abc", 1) == 3 && text[0] == '\0';
}
