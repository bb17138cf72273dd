/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in a parcel: their bytes, their round trip, and what happens where they are not there. */
#include "parcel_check.h"

#include <float.h>
#include <math.h>

/* Writes each of some values, and reads them back bit for bit. */
#define ROUND_TRIP(name, type, bytes, ...) \
    do { \
        const type values[] = {__VA_ARGS__}; \
        const int count = (int)(sizeof(values) / sizeof(values[0])); \
        OHIPCParcel *parcel = OH_IPCParcel_Create(); \
        for (int i = 0; i < count; i++) { \
            CHECK_EQ(OH_IPCParcel_Write##name(parcel, values[i]), OH_IPC_SUCCESS); \
        } \
        CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), count * (bytes)); \
        for (int i = 0; i < count; i++) { \
            type value; \
            memset(&value, 0x5a, sizeof(value)); \
            CHECK_EQ(OH_IPCParcel_Read##name(parcel, &value), OH_IPC_SUCCESS); \
            CHECK(memcmp(&value, &values[i], sizeof(value)) == 0); \
            CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), (i + 1) * (bytes)); \
        } \
        /* One more than there is: nothing moves, neither the cursor nor the value. */ \
        { \
            type value = values[0]; \
            CHECK_EQ(OH_IPCParcel_Read##name(parcel, &value), OH_IPC_PARCEL_READ_ERROR); \
            CHECK(memcmp(&value, &values[0], sizeof(value)) == 0); \
            CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), count * (bytes)); \
        } \
        OH_IPCParcel_Destroy(parcel); \
    } while (0)

static void round_trips(void)
{
    ROUND_TRIP(Int8, int8_t, 4, INT8_MIN, -1, 0, 1, INT8_MAX);
    ROUND_TRIP(Int16, int16_t, 4, INT16_MIN, -1, 0, 1, INT16_MAX);
    ROUND_TRIP(Int32, int32_t, 4, INT32_MIN, -1, 0, 1, INT32_MAX);
    ROUND_TRIP(Int64, int64_t, 8, INT64_MIN, -1, 0, 1, INT64_MAX);
    ROUND_TRIP(Uint8, uint8_t, 4, 0, 1, 0x80, UINT8_MAX);
    ROUND_TRIP(Uint16, uint16_t, 4, 0, 1, 0x8000, UINT16_MAX);
    ROUND_TRIP(Uint32, uint32_t, 4, 0, 1, 0x80000000U, UINT32_MAX);
    ROUND_TRIP(Uint64, uint64_t, 8, 0, 1, UINT64_C(0x8000000000000000), UINT64_MAX);
    ROUND_TRIP(Float, float, 4, 0.0F, -0.0F, 1.5F, FLT_MIN, FLT_MAX, -INFINITY, NAN);
    ROUND_TRIP(Double, double, 8, 0.0, -0.0, 1.5, DBL_MIN, DBL_MAX, -(double)INFINITY, (double)NAN);
}

static void bytes_of_each_type(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt8(parcel, -2);
    OH_IPCParcel_WriteInt16(parcel, -3);
    OH_IPCParcel_WriteInt32(parcel, 0x01020304);
    OH_IPCParcel_WriteInt64(parcel, INT64_C(0x0102030405060708));
    OH_IPCParcel_WriteUint8(parcel, 0xfe);
    OH_IPCParcel_WriteUint16(parcel, 0xfefd);
    OH_IPCParcel_WriteUint32(parcel, 0xfefdfcfbU);
    OH_IPCParcel_WriteUint64(parcel, UINT64_C(0xfefdfcfbfaf9f8f7));
    OH_IPCParcel_WriteFloat(parcel, 1.0F);
    OH_IPCParcel_WriteDouble(parcel, -2.0);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 52);

    CHECK_NEXT_BYTES(parcel, 0xfe, 0xff, 0xff, 0xff);
    CHECK_NEXT_BYTES(parcel, 0xfd, 0xff, 0xff, 0xff);
    CHECK_NEXT_BYTES(parcel, 4, 3, 2, 1);
    CHECK_NEXT_BYTES(parcel, 8, 7, 6, 5, 4, 3, 2, 1);
    CHECK_NEXT_BYTES(parcel, 0xfe, 0, 0, 0);
    CHECK_NEXT_BYTES(parcel, 0xfd, 0xfe, 0, 0);
    CHECK_NEXT_BYTES(parcel, 0xfb, 0xfc, 0xfd, 0xfe);
    CHECK_NEXT_BYTES(parcel, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe);
    CHECK_NEXT_BYTES(parcel, 0, 0, 0x80, 0x3f);
    CHECK_NEXT_BYTES(parcel, 0, 0, 0, 0, 0, 0, 0, 0xc0);
    OH_IPCParcel_Destroy(parcel);
}

/* Nothing in the data says what was written: a narrow read takes the low bytes of a wide one. */
static void reading_as_another_type(void)
{
    int8_t narrow = 0;
    uint16_t half = 0;
    int32_t word = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(parcel, 0x01020384);
    OH_IPCParcel_WriteInt32(parcel, 0x7fff8001);
    OH_IPCParcel_WriteInt64(parcel, INT64_C(0x1111111122222222));

    CHECK_EQ(OH_IPCParcel_ReadInt8(parcel, &narrow), OH_IPC_SUCCESS);
    CHECK_EQ(narrow, -124);
    CHECK_EQ(OH_IPCParcel_ReadUint16(parcel, &half), OH_IPC_SUCCESS);
    CHECK_EQ(half, 0x8001);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &word), OH_IPC_SUCCESS);
    CHECK_EQ(word, 0x22222222);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &word), OH_IPC_SUCCESS);
    CHECK_EQ(word, 0x11111111);
    OH_IPCParcel_Destroy(parcel);
}

/* No alignment is inserted, so wide numbers lie at offsets that are no multiple of 8, and after a rewind at odd ones. */
static void unaligned(void)
{
    double number = 0;
    int64_t wide = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(parcel, 1);
    OH_IPCParcel_WriteDouble(parcel, 0.1);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 12);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 4), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadDouble(parcel, &number), OH_IPC_SUCCESS);
    CHECK(number == 0.1);

    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 3), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInt64(parcel, INT64_C(-81985529216486896)), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 11);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 3), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt64(parcel, &wide), OH_IPC_SUCCESS);
    CHECK_EQ(wide, INT64_C(-81985529216486896));
    OH_IPCParcel_Destroy(parcel);
}

/* A number that is there only in part is not there. */
static void cut_short(void)
{
    int8_t narrow = 5;
    int64_t wide = 6;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt64(parcel, -1);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 7), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt64(parcel, &wide), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(wide, 6);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 4), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt8(parcel, &narrow), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(narrow, 5);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 4);
    OH_IPCParcel_Destroy(parcel);
}

int main(void)
{
    round_trips();
    bytes_of_each_type();
    reading_as_another_type();
    unaligned();
    cut_short();
    return check_result();
}
