/* SPDX-License-Identifier: Apache-2.0 */
/* A module that starts children from a directory of its own. */
#include <AbilityKit/native_child_process.h>

int CreateForCaller(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted);
int PassToCreate(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted);

static volatile int g_calls;

int CreateForCaller(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted)
{
    int code = OH_Ability_CreateNativeChildProcess(libName, onProcessStarted);
    g_calls++;
    return code;
}

/* Optimized, as it is built, it leaves the call to return to its own caller, which is in another module. */
int PassToCreate(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted)
{
    return OH_Ability_CreateNativeChildProcess(libName, onProcessStarted);
}
