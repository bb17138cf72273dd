/* SPDX-License-Identifier: Apache-2.0 */
/* What the parcel tests share. */
#ifndef IPCKIT_TESTS_PARCEL_CHECK_H
#define IPCKIT_TESTS_PARCEL_CHECK_H

#include <IPCKit/ipc_cparcel.h>
#include <IPCKit/ipc_cremote_object.h>
#include <IPCKit/ipc_error_code.h>

#include "check.h"

/* Data size, writable bytes, readable bytes, read position and write position, in this order. */
#define CHECK_PARCEL(parcel, size, writable, readable, read_position, write_position) \
    do { \
        CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), size); \
        CHECK_EQ(OH_IPCParcel_GetWritableBytes(parcel), writable); \
        CHECK_EQ(OH_IPCParcel_GetReadableBytes(parcel), readable); \
        CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), read_position); \
        CHECK_EQ(OH_IPCParcel_GetWritePosition(parcel), write_position); \
    } while (0)

/* Reads as many bytes as there are in `expected` and compares them. */
#define CHECK_NEXT_BYTES(parcel, ...) \
    do { \
        const uint8_t expected_bytes[] = {__VA_ARGS__}; \
        const uint8_t *actual_bytes = OH_IPCParcel_ReadBuffer(parcel, (int32_t)sizeof(expected_bytes)); \
        if (CHECK(actual_bytes != NULL)) { \
            CHECK(memcmp(actual_bytes, expected_bytes, sizeof(expected_bytes)) == 0); \
        } \
    } while (0)

/* More bytes than a parcel can hold begin here. */
enum { PARCEL_MAXIMUM = 204800 };

#endif /* IPCKIT_TESTS_PARCEL_CHECK_H */
