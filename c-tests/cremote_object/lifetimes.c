/* SPDX-License-Identifier: Apache-2.0 */
/* How long stubs and death recipients live, and what a proxy of the own process's stub says of it. */
#include "local_object.h"

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

static int handle_nothing(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)data;
    (void)reply;
    (void)userData;
    return OH_IPC_SUCCESS;
}

static void count_call(void *userData)
{
    (*(int *)userData)++;
}

static void destroyed_before_destroy_returns(void)
{
    int destroyed = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("alone", handle_nothing, count_call, &destroyed);
    CHECK_EQ(destroyed, 0);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(destroyed, 1);
}

/* The last holder counts, whoever it is. */
static void held_by_proxies(void)
{
    int destroyed = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("held", handle_nothing, count_call, &destroyed);
    OHIPCRemoteProxy *first = proxy_of(stub);
    OHIPCRemoteProxy *second = proxy_of(stub);
    OH_IPCRemoteProxy_Destroy(first);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(destroyed, 0);
    OH_IPCRemoteProxy_Destroy(second);
    CHECK_EQ(destroyed, 1);

    stub = OH_IPCRemoteStub_Create("held", handle_nothing, count_call, &destroyed);
    first = proxy_of(stub);
    OH_IPCRemoteProxy_Destroy(first);
    CHECK_EQ(destroyed, 1);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(destroyed, 2);
}

/* A handler that lets the last holds go: the stub lives until it has returned. */
struct LastHold {
    OHIPCRemoteStub *stub;
    OHIPCRemoteProxy *proxy;
    int destroyed;
    int destroyed_inside;
};

static int let_go(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    struct LastHold *hold = (struct LastHold *)userData;
    (void)code;
    (void)data;
    OH_IPCRemoteStub_Destroy(hold->stub);
    OH_IPCRemoteProxy_Destroy(hold->proxy);
    hold->destroyed_inside = hold->destroyed;
    return OH_IPCParcel_WriteInt32(reply, 5);
}

static void mark_destroyed(void *userData)
{
    ((struct LastHold *)userData)->destroyed++;
}

static void let_go_by_its_handler(void)
{
    struct LastHold hold = {NULL, NULL, 0, 0};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    hold.stub = OH_IPCRemoteStub_Create("let.go", let_go, mark_destroyed, &hold);
    hold.proxy = proxy_of(hold.stub);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(hold.proxy, 1, data, reply, NULL), OH_IPC_SUCCESS);
    CHECK_EQ(hold.destroyed_inside, 0);
    CHECK_EQ(hold.destroyed, 1);
    CHECK_EQ(OH_IPCParcel_GetDataSize(reply), 4);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

static void check_descriptor(const char *expected)
{
    char *descriptor = NULL;
    int32_t length = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create(expected, handle_nothing, NULL, NULL);
    OHIPCRemoteProxy *proxy = proxy_of(stub);
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &descriptor, &length, refuse), OH_IPC_MEM_ALLOCATOR_ERROR);
    CHECK_EQ(allocated, strlen(expected) + 1);
    allocated = 0;
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &descriptor, &length, allocate), OH_IPC_SUCCESS);
    CHECK_TEXT(descriptor, expected);
    CHECK_EQ(length, strlen(expected) + 1);
    CHECK_EQ(allocated, strlen(expected) + 1);
    free(descriptor);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
}

/* A recipient that is registered nowhere ends with its owner's hold. */
static void recipients(void)
{
    int told = 0;
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(count_call, count_call, &told);
    CHECK(recipient != NULL);
    CHECK_EQ(told, 0);
    OH_IPCDeathRecipient_Destroy(recipient);
    CHECK_EQ(told, 1);
}

/* The own process does not die before the program does: there is nothing to wait for. */
static void recipients_of_a_local_stub(void)
{
    int died = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("local", handle_nothing, NULL, NULL);
    OHIPCRemoteProxy *proxy = proxy_of(stub);
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(count_call, NULL, &died);
    CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_INNER_ERROR);
    CHECK_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, recipient), OH_IPC_INNER_ERROR);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCDeathRecipient_Destroy(recipient);
    CHECK_EQ(died, 0);
}

/* A refused registration holds nothing. */
static void refused_recipient_is_let_go(void)
{
    int destroyed = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("local", handle_nothing, NULL, NULL);
    OHIPCRemoteProxy *proxy = proxy_of(stub);
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(count_call, count_call, &destroyed);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_INNER_ERROR);
    OH_IPCDeathRecipient_Destroy(recipient);
    CHECK_EQ(destroyed, 1);
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCRemoteStub_Destroy(stub);
}

int main(void)
{
    destroyed_before_destroy_returns();
    held_by_proxies();
    let_go_by_its_handler();
    check_descriptor("d");
    check_descriptor("OHOS.IPC.TestInterface");
    check_descriptor("caf\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80");
    recipients();
    recipients_of_a_local_stub();
    refused_recipient_is_let_go();
    return check_result();
}
