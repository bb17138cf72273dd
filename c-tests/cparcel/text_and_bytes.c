/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, buffers and interface tokens. */
#include "parcel_check.h"

#include <stdlib.h>

static int32_t allocated;

static void *allocate(int32_t length)
{
    allocated = length;
    return malloc((size_t)length);
}

static void *refuse(int32_t length)
{
    allocated = length;
    return NULL;
}

static void strings(void)
{
    const char *const texts[] = {"", "a", "ab", "abc", "abcd", "hello world", "\xe4\xbd\xa0\xe5\xa5\xbd", "\xff\xfe\x80"};
    const int count = (int)(sizeof(texts) / sizeof(texts[0]));
    int32_t position = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK(OH_IPCParcel_ReadString(parcel) == NULL);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(OH_IPCParcel_WriteString(parcel, texts[i]), OH_IPC_SUCCESS);
    }
    for (int i = 0; i < count; i++) {
        CHECK_TEXT(OH_IPCParcel_ReadString(parcel), texts[i]);
        position += ((int32_t)strlen(texts[i]) + 1 + 3) / 4 * 4;
        CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), position);
    }
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), position);
    CHECK(OH_IPCParcel_ReadString(parcel) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), position);

    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 4), OH_IPC_SUCCESS);
    CHECK_NEXT_BYTES(parcel, 'a', 0, 0, 0, 'a', 'b', 0, 0, 'a', 'b', 'c', 0, 'a', 'b', 'c', 'd', 0, 0, 0, 0);
    OH_IPCParcel_Destroy(parcel);
}

static void longest_string(void)
{
    char *text = (char *)malloc(PARCEL_MAXIMUM + 1);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    memset(text, 'x', PARCEL_MAXIMUM);
    text[PARCEL_MAXIMUM] = '\0';
    CHECK_EQ(OH_IPCParcel_WriteString(parcel, text), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
    text[PARCEL_MAXIMUM - 1] = '\0';
    CHECK_EQ(OH_IPCParcel_WriteString(parcel, text), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM, 0, PARCEL_MAXIMUM);
    CHECK_TEXT(OH_IPCParcel_ReadString(parcel), text);
    OH_IPCParcel_Destroy(parcel);
    free(text);
}

/* A string is only there with its NUL, and its padding may be cut off. */
static void ends_of_strings(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, (const uint8_t *)"abcd", 4), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadString(parcel) == NULL);
    CHECK_PARCEL(parcel, 4, 60, 4, 0, 4);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 0), OH_IPC_SUCCESS);
    CHECK_TEXT(OH_IPCParcel_ReadString(parcel), "abcd");
    CHECK_PARCEL(parcel, 8, 56, 0, 8, 8);

    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 6), OH_IPC_SUCCESS);
    CHECK_TEXT(OH_IPCParcel_ReadString(parcel), "abcd");
    CHECK_PARCEL(parcel, 6, 58, 0, 64, 6);
    OH_IPCParcel_Destroy(parcel);
}

/* The bytes are padded, reading them steps over no padding. */
static void buffers(void)
{
    const uint8_t bytes[] = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5};
    const uint8_t *first = NULL;
    int32_t value = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel, bytes, 5), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 8, 56, 8, 0, 8);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 0x0c0d0e0f), OH_IPC_SUCCESS);

    first = OH_IPCParcel_ReadBuffer(parcel, 5);
    if (CHECK(first != NULL)) {
        CHECK(memcmp(first, bytes, 5) == 0);
    }
    CHECK_PARCEL(parcel, 12, 52, 7, 5, 12);
    CHECK_NEXT_BYTES(parcel, 0, 0, 0);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 0x0c0d0e0f);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 1) == NULL);

    /* What a read gives lies in the parcel: reading it again gives the same place. */
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 12) == first);
    OH_IPCParcel_Destroy(parcel);
}

/* What was read stays readable as long as the parcel is only read. */
static void pointers_into_the_parcel(void)
{
    const char *text = NULL;
    const uint8_t *bytes = NULL;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteString(parcel, "first");
    OH_IPCParcel_WriteBuffer(parcel, (const uint8_t *)"second", 6);
    OH_IPCParcel_WriteString(parcel, "third");
    text = OH_IPCParcel_ReadString(parcel);
    bytes = OH_IPCParcel_ReadBuffer(parcel, 8);
    CHECK_TEXT(OH_IPCParcel_ReadString(parcel), "third");
    CHECK_TEXT(text, "first");
    if (CHECK(bytes != NULL)) {
        CHECK(memcmp(bytes, "second\0\0", 8) == 0);
    }
    OH_IPCParcel_Destroy(parcel);
}

static void check_token(const char *token)
{
    char *read = NULL;
    int32_t length = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, token), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel, 119), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &read, &length, allocate), OH_IPC_SUCCESS);
    CHECK_TEXT(read, token);
    CHECK_EQ(length, strlen(token) + 1);
    CHECK_EQ(allocated, strlen(token) + 1);
    CHECK_EQ(OH_IPCParcel_GetReadableBytes(parcel), 4);
    free(read);
    OH_IPCParcel_Destroy(parcel);
}

static void tokens(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "ab\xc3\xa9"), OH_IPC_SUCCESS);
    CHECK_NEXT_BYTES(parcel, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 'a', 0, 'b', 0, 0xe9, 0, 0, 0);
    CHECK_PARCEL(parcel, 20, 44, 0, 20, 20);
    OH_IPCParcel_Destroy(parcel);

    check_token("a");
    check_token("ab");
    check_token("OHOS.IPC.TestInterface");
    check_token("caf\xc3\xa9");
    check_token("\xe4\xbd\xa0\xe5\xa5\xbd");
    check_token("a\xf0\x9f\x98\x80z");
}

static void refused_tokens(void)
{
    char *text = (char *)malloc(PARCEL_MAXIMUM + 2);
    char *read = text;
    int32_t length = -77;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(parcel, 1);

    memset(text, 'x', PARCEL_MAXIMUM + 1);
    text[PARCEL_MAXIMUM + 1] = '\0';
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, text), OH_IPC_CHECK_PARAM_ERROR);
    /* Short enough for a token, but its UTF-16 does not fit. */
    text[PARCEL_MAXIMUM] = '\0';
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, text), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 4);
    CHECK_EQ(OH_IPCParcel_GetWritePosition(parcel), 4);
    /* The last character lacks its last byte. */
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "caf\xc3"), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_GetDataSize(parcel), 4);

    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel, "token"), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &read, &length, refuse), OH_IPC_MEM_ALLOCATOR_ERROR);
    CHECK_EQ(allocated, 6);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 0);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &read, &length, allocate), OH_IPC_SUCCESS);
    CHECK_TEXT(read, "token");
    free(read);
    OH_IPCParcel_Destroy(parcel);
    free(text);
}

/* Where no token lies the answer is "", and the callers' comparison fails. */
static void no_token(void)
{
    char *read = NULL;
    int32_t length = 0;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &read, &length, allocate), OH_IPC_SUCCESS);
    CHECK_TEXT(read, "");
    CHECK_EQ(length, 1);
    free(read);

    read = NULL;
    OH_IPCParcel_WriteInt32(parcel, 1);
    OH_IPCParcel_WriteInt32(parcel, 2);
    OH_IPCParcel_WriteInt32(parcel, -1);
    OH_IPCParcel_WriteInt32(parcel, 9);
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel, &read, &length, allocate), OH_IPC_SUCCESS);
    CHECK_TEXT(read, "");
    CHECK_EQ(length, 1);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 12);
    free(read);
    OH_IPCParcel_Destroy(parcel);
}

int main(void)
{
    strings();
    longest_string();
    ends_of_strings();
    buffers();
    pointers_into_the_parcel();
    tokens();
    refused_tokens();
    no_token();
    return check_result();
}
