/* SPDX-License-Identifier: Apache-2.0 */
/* A shared library for the tests of check_symbols.sh. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int specimen_first(void);
EXPORTED int specimen_second(void);
EXPORTED int ipckit_specimen_private(void);

int specimen_first(void)
{
    return 1;
}

int specimen_second(void)
{
    return 2;
}

int ipckit_specimen_private(void)
{
    return 3;
}
