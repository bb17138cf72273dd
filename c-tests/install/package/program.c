// SPDX-License-Identifier: Apache-2.0
// Uses a function of each library.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <hilog/log.h>

static int WriteAndReadBack(OHIPCParcel *parcel)
{
    int32_t value = 0;
    return OH_IPCParcel_WriteInt32(parcel, 42) == OH_IPC_SUCCESS &&
        OH_IPCParcel_ReadInt32(parcel, &value) == OH_IPC_SUCCESS && value == 42;
}

int main(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    if (parcel == NULL) {
        return 1;
    }
    int same = WriteAndReadBack(parcel);
    OH_IPCParcel_Destroy(parcel);
    if (!same) {
        return 2;
    }
    if (OH_Ability_CreateNativeChildProcess(NULL, NULL) != NCP_ERR_INVALID_PARAM) {
        return 3;
    }
    OH_LOG_INFO(LOG_APP, "%{public}s", "all three libraries answer");
    return 0;
}
