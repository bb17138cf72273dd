/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a stub of the same process: its handler is called on the spot, with the caller's own parcels. */
#include "local_object.h"

#include <pthread.h>

/* What the handler below does and has seen. */
struct Handling {
    int returns;
    int writes;
    int called;
    uint32_t code;
    pthread_t thread;
    int32_t read;
    int reply_was_null;
    int wrote_to_data;
};

static int handle(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    struct Handling *handling = (struct Handling *)userData;
    handling->called++;
    handling->code = code;
    handling->thread = pthread_self();
    handling->reply_was_null = reply == NULL;
    handling->read = -1;
    OH_IPCParcel_ReadInt32(data, &handling->read);
    /* A received parcel would refuse it. */
    handling->wrote_to_data = OH_IPCParcel_WriteInt32((OHIPCParcel *)data, 1000) == OH_IPC_SUCCESS;
    for (int i = 0; i < handling->writes; i++) {
        CHECK_EQ(OH_IPCParcel_WriteInt32(reply, 7700 + i), OH_IPC_SUCCESS);
    }
    return handling->returns;
}

static void check_handled(const struct Handling *handling, int called, uint32_t code, int32_t read)
{
    CHECK_EQ(handling->called, called);
    CHECK_EQ(handling->code, code);
    CHECK(pthread_equal(handling->thread, pthread_self()));
    CHECK_EQ(handling->read, read);
    CHECK(!handling->reply_was_null);
    CHECK(handling->wrote_to_data);
}

/* The parcels are the caller's: cursors and contents count, and stay. */
static void parcels_are_handed_over(const OHIPCRemoteProxy *proxy, struct Handling *handling)
{
    int32_t value = 0;
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(data, 1);
    OH_IPCParcel_WriteInt32(data, 2);
    OH_IPCParcel_WriteInt32(reply, 31337);
    CHECK_EQ(OH_IPCParcel_ReadInt32(data, &value), OH_IPC_SUCCESS);

    *handling = (struct Handling){.writes = 1};
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 5, data, reply, NULL), OH_IPC_SUCCESS);
    check_handled(handling, 1, 5, 2);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(data), 8);
    CHECK_EQ(OH_IPCParcel_GetDataSize(data), 12);
    CHECK_EQ(OH_IPCParcel_GetDataSize(reply), 8);
    CHECK_EQ(OH_IPCParcel_ReadInt32(reply, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 31337);
    CHECK_EQ(OH_IPCParcel_ReadInt32(reply, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 7700);
    CHECK_EQ(OH_IPCParcel_WriteInt32(reply, 1), OH_IPC_SUCCESS);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

/* Asynchronous requests too are handled before the call returns, and their result comes back. */
static void asynchronous(const OHIPCRemoteProxy *proxy, struct Handling *handling)
{
    OH_IPC_MessageOption option = {OH_IPC_REQUEST_MODE_ASYNC, 0, NULL};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(data, 3);
    *handling = (struct Handling){.writes = 2};
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 6, data, NULL, &option), OH_IPC_SUCCESS);
    check_handled(handling, 1, 6, 3);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 7, data, reply, &option), OH_IPC_SUCCESS);
    check_handled(handling, 2, 7, 1000);
    CHECK_EQ(OH_IPCParcel_GetDataSize(reply), 8);
    *handling = (struct Handling){.returns = 42};
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 8, data, NULL, &option), OH_IPC_INVALID_USER_ERROR_CODE);
    check_handled(handling, 1, 8, 1000);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

/* What the sender gets for a handler's code; what the handler wrote stays in the reply either way. */
static void check_code(const OHIPCRemoteProxy *proxy, struct Handling *handling, int returned, int expected)
{
    for (int writes = 0; writes < 2; writes++) {
        int32_t value = -9;
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        *handling = (struct Handling){.returns = returned, .writes = writes};
        CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, NULL), expected);
        CHECK_EQ(handling->called, 1);
        CHECK_EQ(OH_IPCParcel_GetDataSize(reply), 4 * writes);
        CHECK_EQ(OH_IPCParcel_ReadInt32(reply, &value), writes > 0 ? OH_IPC_SUCCESS : OH_IPC_PARCEL_READ_ERROR);
        CHECK_EQ(value, writes > 0 ? 7700 : -9);
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
    }
}

static void codes(const OHIPCRemoteProxy *proxy, struct Handling *handling)
{
    const int invalid[] = {-1, 1, 42, 1900999, 1901008, 1902000, 1908999, 1910000, INT32_MAX, INT32_MIN};
    check_code(proxy, handling, 0, 0);
    for (int code = OH_IPC_CHECK_PARAM_ERROR; code <= OH_IPC_INNER_ERROR; code++) {
        check_code(proxy, handling, code, code);
    }
    check_code(proxy, handling, OH_IPC_USER_ERROR_CODE_MIN, OH_IPC_USER_ERROR_CODE_MIN);
    check_code(proxy, handling, OH_IPC_USER_ERROR_CODE_MIN + 1, OH_IPC_USER_ERROR_CODE_MIN + 1);
    check_code(proxy, handling, OH_IPC_USER_ERROR_CODE_MAX, OH_IPC_USER_ERROR_CODE_MAX);
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        check_code(proxy, handling, invalid[i], OH_IPC_INVALID_USER_ERROR_CODE);
    }
}

/* One parcel as data and reply: the handler appends to what it reads. */
static void one_parcel_for_both(const OHIPCRemoteProxy *proxy, struct Handling *handling)
{
    int32_t value = 0;
    OHIPCParcel *both = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(both, 12);
    *handling = (struct Handling){.writes = 1};
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 9, both, both, NULL), OH_IPC_SUCCESS);
    check_handled(handling, 1, 9, 12);
    CHECK_EQ(OH_IPCParcel_ReadInt32(both, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 1000);
    CHECK_EQ(OH_IPCParcel_ReadInt32(both, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 7700);
    CHECK_EQ(OH_IPCParcel_GetReadableBytes(both), 0);
    OH_IPCParcel_Destroy(both);
}

/* The stub serves through its proxy after its owner has destroyed it. */
static void after_the_stub_was_destroyed(void)
{
    struct Handling handling = {.returns = 0};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("direct.calls", handle, NULL, &handling);
    OHIPCRemoteProxy *proxy = proxy_of(stub);
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCParcel_WriteInt32(data, 4);
    CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, NULL), OH_IPC_SUCCESS);
    check_handled(&handling, 1, 1, 4);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

int main(void)
{
    struct Handling handling = {.returns = 0};
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("direct.calls", handle, NULL, &handling);
    OHIPCRemoteProxy *proxy = proxy_of(stub);
    parcels_are_handed_over(proxy, &handling);
    asynchronous(proxy, &handling);
    codes(proxy, &handling);
    one_parcel_for_both(proxy, &handling);
    after_the_stub_was_destroyed();
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
    return check_result();
}
