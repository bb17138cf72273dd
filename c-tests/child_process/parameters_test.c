/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that OH_Ability_CreateNativeChildProcess refuses at once, seen from C. */
#include <AbilityKit/native_child_process.h>

#include <stddef.h>
#include <stdio.h>

static int g_callbacks = 0;

static void OnStarted(int errCode, OHIPCRemoteProxy *remoteProxy)
{
    (void)errCode;
    (void)remoteProxy;
    g_callbacks++;
}

static int Expect(const char *what, const char *libName, OH_Ability_OnNativeChildProcessStarted onStarted)
{
    int code = OH_Ability_CreateNativeChildProcess(libName, onStarted);
    if (code == NCP_ERR_INVALID_PARAM) {
        return 0;
    }
    fprintf(stderr, "%s: %d, not %d\n", what, code, NCP_ERR_INVALID_PARAM);
    return 1;
}

int main(void)
{
    int failures = 0;
    failures += Expect("no name", NULL, OnStarted);
    failures += Expect("an empty name", "", OnStarted);
    failures += Expect("no callback", "libchild_library.so", NULL);
    failures += Expect("nothing", NULL, NULL);
    failures += Expect("a way up at the start", "../libchild_library.so", OnStarted);
    failures += Expect("a way up in the middle", "a/../libchild_library.so", OnStarted);
    failures += Expect("a way up in an absolute path", "/tmp/../libchild_library.so", OnStarted);
    failures += Expect("a way up at the end", "a/../", OnStarted);
    if (g_callbacks != 0) {
        fprintf(stderr, "%d callbacks for starts that were refused\n", g_callbacks);
        failures++;
    }
    return failures == 0 ? 0 : 1;
}
