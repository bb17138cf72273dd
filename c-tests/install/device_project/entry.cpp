// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <thread>

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <hilog/log.h>
#include "ipc_cparcel.h"

// The square root of 1764 through a parcel that another thread fills; a negative number where something fails.
extern "C" int32_t AskEachLibrary(double square)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    if (parcel == nullptr) {
        return -1;
    }
    int written = OH_IPC_INNER_ERROR;
    std::thread writer([&] { written = OH_IPCParcel_WriteInt32(parcel, static_cast<int32_t>(std::sqrt(square))); });
    writer.join();
    int32_t value = -2;
    if (written != OH_IPC_SUCCESS || OH_IPCParcel_ReadInt32(parcel, &value) != OH_IPC_SUCCESS) {
        value = -3;
    }
    OH_IPCParcel_Destroy(parcel);
    if (OH_Ability_CreateNativeChildProcess(nullptr, nullptr) != NCP_ERR_INVALID_PARAM) {
        value = -4;
    }
    OH_LOG_INFO(LOG_APP, "value %{public}d", value);
    return value;
}
