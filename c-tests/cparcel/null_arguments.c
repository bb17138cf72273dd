/* SPDX-License-Identifier: Apache-2.0 */
/* NULL, and numbers out of range, for every function of ipc_cparcel.h that takes an argument. */
#include "parcel_check.h"

#include <stdlib.h>

static int allocations;

static void *allocate(int32_t length)
{
    allocations++;
    return malloc((size_t)length);
}

static int handle_nothing(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)data;
    (void)reply;
    (void)userData;
    return OH_IPC_SUCCESS;
}

static void lifetime_and_cursors(OHIPCParcel *parcel)
{
    OH_IPCParcel_Destroy(NULL);
    CHECK_EQ(OH_IPCParcel_GetDataSize(NULL), -1);
    CHECK_EQ(OH_IPCParcel_GetWritableBytes(NULL), -1);
    CHECK_EQ(OH_IPCParcel_GetReadableBytes(NULL), -1);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(NULL), -1);
    CHECK_EQ(OH_IPCParcel_GetWritePosition(NULL), -1);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(NULL, 0), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(NULL, 0), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 1), OH_IPC_INNER_ERROR);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 1), OH_IPC_INNER_ERROR);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, UINT32_MAX), OH_IPC_INNER_ERROR);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, UINT32_MAX), OH_IPC_INNER_ERROR);
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
}

#define SCALARS(F) \
    F(Int8, int8_t) F(Int16, int16_t) F(Int32, int32_t) F(Int64, int64_t) F(Uint8, uint8_t) F(Uint16, uint16_t) \
    F(Uint32, uint32_t) F(Uint64, uint64_t) F(Float, float) F(Double, double)

static void scalars(OHIPCParcel *parcel)
{
#define NULL_SCALAR(name, type) \
    do { \
        type value = 42; \
        CHECK_EQ(OH_IPCParcel_Write##name(NULL, value), OH_IPC_CHECK_PARAM_ERROR); \
        CHECK_EQ(OH_IPCParcel_Read##name(NULL, &value), OH_IPC_CHECK_PARAM_ERROR); \
        CHECK_EQ(OH_IPCParcel_Read##name(NULL, NULL), OH_IPC_CHECK_PARAM_ERROR); \
        CHECK_EQ(OH_IPCParcel_Write##name(parcel, value), OH_IPC_SUCCESS); \
        CHECK_EQ(OH_IPCParcel_Read##name(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR); \
        CHECK(value == 42); \
        CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 0); \
        CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS); \
    } while (0);
    SCALARS(NULL_SCALAR)
}

static void text_and_bytes(OHIPCParcel *parcel)
{
    const uint8_t byte = 7;
    CHECK_EQ(OH_IPCParcel_WriteString(NULL, "text"), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteString(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK(OH_IPCParcel_ReadString(NULL) == NULL);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(NULL, &byte, 1), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, NULL, 1), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, &byte, 0), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, &byte, -1), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, &byte, INT32_MIN), OH_IPC_CHECK_PARAM_ERROR);
    CHECK(OH_IPCParcel_ReadBuffer(NULL, 1) == NULL);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 0);

    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 1), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 0) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, -1) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, INT32_MIN) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 5) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, INT32_MAX) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 0);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
}

static void interface_tokens(OHIPCParcel *parcel)
{
    char *token = NULL;
    int32_t length = 0;
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(NULL, "token"), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, ""), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 0);

    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "token"), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(NULL, &token, &length, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, NULL, &length, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &token, NULL, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &token, &length, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(allocations, 0);
    CHECK(token == NULL);
    CHECK_EQ(length, 0);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 0);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
}

static void objects(OHIPCParcel *parcel)
{
    int32_t fd = -99;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("null.arguments", handle_nothing, NULL, NULL);
    OHIPCRemoteProxy *proxy = NULL;
    CHECK(stub != NULL);

    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(NULL, stub), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK(OH_IPCParcel_ReadRemoteStub(NULL) == NULL);
    CHECK(OH_IPCParcel_ReadRemoteProxy(NULL) == NULL);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel, stub), OH_IPC_SUCCESS);
    proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
    CHECK(proxy != NULL);
    CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(NULL, proxy), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);

    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(NULL, 0), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, -1), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, INT32_MIN), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, INT32_MAX), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(NULL, &fd), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(NULL, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(fd, -99);

    CHECK_EQ(OH_IPCParcel_Append(NULL, parcel), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_Append(parcel, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_Append(NULL, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 24);
}

int main(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK(parcel != NULL);
    lifetime_and_cursors(parcel);
    scalars(parcel);
    text_and_bytes(parcel);
    interface_tokens(parcel);
    objects(parcel);
    OH_IPCParcel_Destroy(parcel);
    return check_result();
}
