// SPDX-License-Identifier: Apache-2.0
#include <bits/alltypes.h>
#include <cstring>
#include <string>

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <hilog/log.h>

#include "napi/native_api.h"

static napi_value Init(napi_env, napi_value exports)
{
    return exports;
}

static napi_module g_module = { 1, 0, nullptr, Init, "entry", nullptr, { nullptr } };

extern "C" __attribute__((constructor)) void RegisterEntryModule(void)
{
    napi_module_register(&g_module);
}

// How many of the four libraries answer as they should where there is no Node.
extern "C" int AskEachLibrary(void)
{
    char text[8] = "";
    strlcpy(text, "parcel and more", sizeof(text));
    int answers = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    if (parcel != nullptr && OH_IPCParcel_WriteString(parcel, text) == OH_IPC_SUCCESS) {
        const char *read = OH_IPCParcel_ReadString(parcel);
        answers += read != nullptr && std::string(read) == "parcel " ? 1 : 0;
    }
    OH_IPCParcel_Destroy(parcel);
    answers += OH_Ability_CreateNativeChildProcess(nullptr, nullptr) == NCP_ERR_INVALID_PARAM ? 1 : 0;
    answers += OH_LOG_Print(LOG_APP, LOG_INFO, LOG_DOMAIN, "Entry", "%{public}s", text) > 0 ? 1 : 0;
    napi_value number = nullptr;
    answers += napi_create_double(nullptr, 1.5, &number) == napi_generic_failure ? 1 : 0;
    return answers;
}
