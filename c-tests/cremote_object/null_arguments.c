/* SPDX-License-Identifier: Apache-2.0 */
/* NULL, and values out of range, for every function of ipc_cremote_object.h; and which error comes first. */
#include "local_object.h"

#include <stdlib.h>

static int requests;
static int stubs_destroyed;
static int recipients_destroyed;
static int allocations;

static int count_request(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)data;
    (void)reply;
    (void)userData;
    requests++;
    return OH_IPC_SUCCESS;
}

static void count_stub(void *userData)
{
    (void)userData;
    stubs_destroyed++;
}

static void count_recipient(void *userData)
{
    (void)userData;
    recipients_destroyed++;
}

static void ignore_death(void *userData)
{
    (void)userData;
}

static void *allocate(int32_t length)
{
    allocations++;
    return malloc((size_t)length);
}

static void creating_stubs(void)
{
    enum { LONGEST = 204800 };
    OHIPCRemoteStub *stub = NULL;
    char *longest = (char *)malloc(LONGEST + 2);
    memset(longest, 'd', LONGEST + 1);
    longest[LONGEST + 1] = '\0';
    CHECK(OH_IPCRemoteStub_Create(NULL, count_request, count_stub, NULL) == NULL);
    CHECK(OH_IPCRemoteStub_Create("", count_request, count_stub, NULL) == NULL);
    CHECK(OH_IPCRemoteStub_Create("descriptor", NULL, count_stub, NULL) == NULL);
    CHECK(OH_IPCRemoteStub_Create(NULL, NULL, NULL, NULL) == NULL);
    CHECK(OH_IPCRemoteStub_Create(longest, count_request, count_stub, NULL) == NULL);
    CHECK(OH_IPCRemoteStub_Create("cut short \xe4\xbd", count_request, count_stub, NULL) == NULL);
    CHECK_EQ(stubs_destroyed, 0);
    OH_IPCRemoteStub_Destroy(NULL);
    OH_IPCRemoteProxy_Destroy(NULL);

    longest[LONGEST] = '\0';
    stub = OH_IPCRemoteStub_Create(longest, count_request, count_stub, NULL);
    CHECK(stub != NULL);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(stubs_destroyed, 1);
    stub = OH_IPCRemoteStub_Create("without user data and destroy callback", count_request, NULL, NULL);
    CHECK(stub != NULL);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(stubs_destroyed, 1);
    free(longest);
}

static void sending(const OHIPCRemoteProxy *proxy)
{
    int anything = 0;
    OH_IPC_MessageOption sync = {OH_IPC_REQUEST_MODE_SYNC, 0, NULL};
    OH_IPC_MessageOption async = {OH_IPC_REQUEST_MODE_ASYNC, 0, NULL};
    OH_IPC_MessageOption reserved = {OH_IPC_REQUEST_MODE_SYNC, 0, &anything};
    OH_IPC_MessageOption reserved_async = {OH_IPC_REQUEST_MODE_ASYNC, 0, &anything};
    OH_IPC_MessageOption unknown_mode = {(OH_IPC_RequestMode)7, 0, NULL};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(data, 1);

    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(NULL, 1, data, reply, &sync), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, NULL, reply, &sync), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, NULL, NULL, &async), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, &reserved), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, &reserved_async), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, NULL, &sync), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, NULL, NULL), OH_IPC_CHECK_PARAM_ERROR);

    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0, data, reply, &sync), OH_IPC_CODE_OUT_OF_RANGE);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0x01000000, data, reply, &sync), OH_IPC_CODE_OUT_OF_RANGE);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, UINT32_MAX, data, reply, NULL), OH_IPC_CODE_OUT_OF_RANGE);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0, data, NULL, &async), OH_IPC_CODE_OUT_OF_RANGE);

    /* Missing arguments are said before a wrong code, that before a missing reply. */
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(NULL, 0, data, reply, &sync), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0, NULL, reply, &sync), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0, data, reply, &reserved), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0, data, NULL, &sync), OH_IPC_CODE_OUT_OF_RANGE);
    CHECK_EQ(requests, 0);

    /* The codes at either end of the range, and the ways to say "synchronous". */
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0x01, data, reply, &sync), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 0x00ffffff, data, reply, NULL), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, &unknown_mode), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, NULL, &async), OH_IPC_SUCCESS);
    /* An unknown mode is synchronous, but only the real one insists on a reply: a device does not check it there. */
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, NULL, &unknown_mode), OH_IPC_SUCCESS);
    CHECK_EQ(requests, 5);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

static void asking_for_the_descriptor(OHIPCRemoteProxy *proxy)
{
    char *descriptor = NULL;
    int32_t length = -77;
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(NULL, &descriptor, &length, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, NULL, &length, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &descriptor, NULL, allocate), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &descriptor, &length, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK(descriptor == NULL);
    CHECK_EQ(length, -77);
    CHECK_EQ(allocations, 0);
}

static void death_recipients(OHIPCRemoteProxy *proxy)
{
    OHIPCDeathRecipient *recipient = NULL;
    CHECK(OH_IPCDeathRecipient_Create(NULL, count_recipient, NULL) == NULL);
    CHECK(OH_IPCDeathRecipient_Create(NULL, NULL, NULL) == NULL);
    CHECK_EQ(recipients_destroyed, 0);
    OH_IPCDeathRecipient_Destroy(NULL);

    recipient = OH_IPCDeathRecipient_Create(ignore_death, count_recipient, NULL);
    CHECK(recipient != NULL);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(NULL, recipient), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(NULL, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(NULL, recipient), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(NULL, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(recipients_destroyed, 0);
    OH_IPCDeathRecipient_Destroy(recipient);
    CHECK_EQ(recipients_destroyed, 1);
    recipient = OH_IPCDeathRecipient_Create(ignore_death, NULL, NULL);
    CHECK(recipient != NULL);
    OH_IPCDeathRecipient_Destroy(recipient);

    CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(NULL), 1);
}

int main(void)
{
    OHIPCRemoteStub *stub = NULL;
    OHIPCRemoteProxy *proxy = NULL;
    creating_stubs();
    stub = OH_IPCRemoteStub_Create("null.arguments", count_request, NULL, NULL);
    proxy = proxy_of(stub);
    sending(proxy);
    asking_for_the_descriptor(proxy);
    death_recipients(proxy);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
    return check_result();
}
