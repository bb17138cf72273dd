/* SPDX-License-Identifier: Apache-2.0 */
/* Positions, sizes and capacities. */
#include "parcel_check.h"

#include <stdlib.h>

static void fresh(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
    OH_IPCParcel_Destroy(parcel);
}

static void rewinding(void)
{
    int32_t value = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    for (int32_t i = 0; i < 6; i++) {
        CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, i * 11), OH_IPC_SUCCESS);
    }
    CHECK_PARCEL(parcel, 24, 40, 24, 0, 24);

    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 24), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 24, 40, 0, 24, 24);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 25), OH_IPC_INNER_ERROR);
    CHECK_PARCEL(parcel, 24, 40, 0, 24, 24);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 8), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 22);

    /* The data ends at the write position; what came later is gone, the room for it stays. */
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 25), OH_IPC_INNER_ERROR);
    CHECK_PARCEL(parcel, 24, 40, 12, 12, 24);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 16), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 16, 48, 4, 12, 16);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 99), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 16), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 99);
    OH_IPCParcel_Destroy(parcel);
}

/* The read position stays where it is when the data is cut off before it. */
static void read_position_behind_the_data(void)
{
    int32_t value = 77;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    for (int32_t i = 0; i < 8; i++) {
        OH_IPCParcel_WriteInt32(parcel, i);
    }
    OH_IPCParcel_RewindReadPosition(parcel, 32);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 8), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 8, 56, 0, 32, 8);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(value, 77);
    CHECK(OH_IPCParcel_ReadString(parcel) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 1) == NULL);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 9), OH_IPC_INNER_ERROR);
    CHECK_PARCEL(parcel, 8, 56, 0, 32, 8);
    OH_IPCParcel_Destroy(parcel);
}

/* The capacity after a single write of so many bytes to a fresh parcel. */
static int capacity_for(int bytes)
{
    int capacity;
    uint8_t *zeros = (uint8_t *)calloc((size_t)bytes, 1);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, zeros, bytes), OH_IPC_SUCCESS);
    capacity = OH_IPCParcel_GetWritePosition(parcel) + OH_IPCParcel_GetWritableBytes(parcel);
    OH_IPCParcel_Destroy(parcel);
    free(zeros);
    return capacity;
}

static void growth(void)
{
    CHECK_EQ(capacity_for(4), 64);
    CHECK_EQ(capacity_for(64), 64);
    CHECK_EQ(capacity_for(68), 128);
    CHECK_EQ(capacity_for(2048), 2048);
    CHECK_EQ(capacity_for(2052), 4096);
    CHECK_EQ(capacity_for(4092), 4096);
    CHECK_EQ(capacity_for(4096), 4096);
    CHECK_EQ(capacity_for(4100), 8192);
    CHECK_EQ(capacity_for(8192), 12288);
    CHECK_EQ(capacity_for(200700), 200704);
    CHECK_EQ(capacity_for(200704), PARCEL_MAXIMUM);
    CHECK_EQ(capacity_for(PARCEL_MAXIMUM), PARCEL_MAXIMUM);
}

static void full(void)
{
    int32_t written = 0;
    int32_t value = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    while (OH_IPCParcel_WriteInt32(parcel, written) == OH_IPC_SUCCESS) {
        written++;
    }
    CHECK_EQ(written, 51200);
    CHECK_PARCEL(parcel, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM);
    CHECK_EQ(OH_IPCParcel_WriteInt8(parcel, 0), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteString(parcel, ""), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "t"), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM);

    /* What does not fit leaves the room to what does. */
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, PARCEL_MAXIMUM - 4), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInt64(parcel, 1), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, PARCEL_MAXIMUM - 4, 4, PARCEL_MAXIMUM - 4, 0, PARCEL_MAXIMUM - 4);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, -7), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, PARCEL_MAXIMUM - 8), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 51198);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, -7);
    OH_IPCParcel_Destroy(parcel);
}

/* A write that can never fit changes nothing, on a fresh parcel too. */
static void too_big(void)
{
    uint8_t *bytes = (uint8_t *)calloc(PARCEL_MAXIMUM + 1, 1);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, bytes, PARCEL_MAXIMUM + 1), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 1), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, bytes, PARCEL_MAXIMUM), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, 4, 60, 4, 0, 4);
    OH_IPCParcel_Destroy(parcel);
    free(bytes);
}

int main(void)
{
    fresh();
    rewinding();
    read_position_behind_the_data();
    growth();
    full();
    too_big();
    return check_result();
}
