/* SPDX-License-Identifier: Apache-2.0 */
/* A module that starts children from a directory of its own. */
#include <AbilityKit/native_child_process.h>

int CreateForCaller(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted);

int CreateForCaller(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted)
{
    int code = OH_Ability_CreateNativeChildProcess(libName, onProcessStarted);
    /* Not a tail call: the return address has to be in this module. */
    __asm__ volatile("" ::: "memory");
    return code;
}
