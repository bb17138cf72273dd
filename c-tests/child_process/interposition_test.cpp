// SPDX-License-Identifier: Apache-2.0
// A program that defines OH_Ability_CreateNativeChildProcess itself and passes calls on to the library's.
#include "support.hpp"

#include <dlfcn.h>

namespace {

int g_calls = 0;

}

extern "C" int OH_Ability_CreateNativeChildProcess(const char *libName, OH_Ability_OnNativeChildProcessStarted onStarted)
{
    g_calls++;
    void *library = dlopen("libchild_process.so", RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != nullptr);
    const auto original = reinterpret_cast<decltype(&OH_Ability_CreateNativeChildProcess)>(
        dlsym(library, "OH_Ability_CreateNativeChildProcess"));
    CHECK(original != nullptr && original != &OH_Ability_CreateNativeChildProcess);
    const int code = original(libName, onStarted);
    // Unloads nothing.
    dlclose(library);
    dlclose(library);
    return code;
}

int main()
{
    // Nothing else in this program needs the library.
    CHECK(dlopen("libchild_process.so", RTLD_NOW) != nullptr);
    Behave("wait");
    OH_IPCRemoteProxy_Destroy(StartWell("libchild_library.so"));
    CHECK_EQUAL(g_calls, 1);
    return 0;
}
