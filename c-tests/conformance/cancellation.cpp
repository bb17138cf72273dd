// SPDX-License-Identifier: Apache-2.0
// A thread that is to end (pthread_cancel) does so between calls of the library, and not within one.
#include <atomic>
#include <climits>
#include <functional>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

struct Call {
    const std::function<void()> &body;
    std::atomic<bool> cameBack{ false };
};

void *RunAsOneThatIsToEnd(void *argument)
{
    auto call = static_cast<Call *>(argument);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    call->body();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    call->cameBack = true;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    pthread_testcancel();
    return nullptr;
}

// Expects that a thread which is to end comes back from the call, and ends after it.
void ExpectWhole(const char *name, const std::function<void()> &body)
{
    Context context(name);
    Call call{ body };
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, RunAsOneThatIsToEnd, &call), 0);
    void *result = nullptr;
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT(call.cameBack);
    EXPECT(result == PTHREAD_CANCELED);
}

} // namespace

// → result of a request back to "client", which ends this thread if it can
BEHAVIOUR(cancel_own_thread)
{
    pthread_cancel(pthread_self());
    pthread_testcancel();
    WriteInt(request.reply, Ask(KeptProxy("client").get(), "pid").result);
    return OH_IPC_SUCCESS;
}

TEST(parcels_are_changed_as_a_whole, "a thread ends within a call that opens, closes or copies descriptors, or that logs")
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OHIPCParcel *copy = OH_IPCParcel_Create();
    OHIPCParcel *read = OH_IPCParcel_Create();
    EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(read, STDERR_FILENO), OH_IPC_SUCCESS);
    int32_t value = 0;
    int own = -1;
    ExpectWhole("WriteFileDescriptor",
        [&] { EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, STDERR_FILENO), OH_IPC_SUCCESS); });
    ExpectWhole("a descriptor that is none",
        [&] { EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, -1), OH_IPC_PARCEL_WRITE_ERROR); });
    ExpectWhole("Append", [&] { EXPECT_EQ(OH_IPCParcel_Append(copy, parcel), OH_IPC_SUCCESS); });
    ExpectWhole("ReadFileDescriptor", [&] { EXPECT_EQ(OH_IPCParcel_ReadFileDescriptor(read, &own), OH_IPC_SUCCESS); });
    ExpectWhole("nothing to read", [&] { EXPECT_EQ(OH_IPCParcel_ReadInt32(read, &value), OH_IPC_PARCEL_READ_ERROR); });
    ExpectWhole("no buffer", [&] { EXPECT(OH_IPCParcel_ReadBuffer(read, INT_MAX) == nullptr); });
    ExpectWhole("no string", [&] { EXPECT(OH_IPCParcel_ReadString(read) == nullptr); });
    ExpectWhole("no parcel", [&] { EXPECT_EQ(OH_IPCParcel_GetDataSize(nullptr), -1); });
    ExpectWhole("RewindWritePosition", [&] { EXPECT_EQ(OH_IPCParcel_RewindWritePosition(copy, 0), OH_IPC_SUCCESS); });
    ExpectWhole("Destroy", [&] { OH_IPCParcel_Destroy(parcel); });
    OH_IPCParcel_Destroy(copy);
    OH_IPCParcel_Destroy(read);
    EXPECT_EQ(close(own), 0);
}

TEST(calls_between_processes_are_whole, "a thread ends within a call that reaches another process")
{
    Actor &actor = StartActor();
    OHIPCRemoteProxy *proxy = actor.CreateStub("stub").release();
    OHIPCRemoteStub *stub = CreateStub("own").release();
    Recipient recipient("actor");
    ExpectWhole("SetMaxWorkThreadNum", [] { EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(3), OH_IPC_SUCCESS); });
    ExpectWhole("a number that is refused",
        [] { EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(0), OH_IPC_CHECK_PARAM_ERROR); });
    ExpectWhole("an identity that is none",
        [] { EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(nullptr), OH_IPC_CHECK_PARAM_ERROR); });
    ExpectWhole("a request", [&] {
        Parcel data;
        data.Stub(stub).Descriptor(STDERR_FILENO);
        EXPECT_EQ(Ask(proxy, "pid", data).result, OH_IPC_SUCCESS);
    });
    ExpectWhole("a message", [&] {
        Parcel data;
        data.Stub(stub).Descriptor(STDERR_FILENO);
        EXPECT_EQ(Tell(proxy, "pid", data), OH_IPC_SUCCESS);
    });
    ExpectWhole("a code that is refused", [&] {
        Parcel data;
        Parcel reply;
        int result = OH_IPCRemoteProxy_SendRequest(proxy, 0, data.Get(), reply.Get(), nullptr);
        EXPECT_EQ(result, OH_IPC_CODE_OUT_OF_RANGE);
    });
    ExpectWhole("AddDeathRecipient", [&] { EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS); });
    ExpectWhole("RemoveDeathRecipient", [&] { EXPECT_EQ(recipient.RemoveFrom(proxy), OH_IPC_SUCCESS); });
    ExpectWhole("removed again", [&] { EXPECT_EQ(recipient.RemoveFrom(proxy), OH_IPC_INNER_ERROR); });
    ExpectWhole("IsRemoteDead", [&] { EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0); });
    ExpectWhole("a recipient's end", [&] { recipient.Destroy(); });
    ExpectWhole("a proxy's end", [&] { OH_IPCRemoteProxy_Destroy(proxy); });
    ExpectWhole("a stub's end", [&] { OH_IPCRemoteStub_Destroy(stub); });
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(workers_are_not_cancelled, "a handler that has its own thread cancelled ends the process")
{
    Actor &actor = StartActor();
    StubPtr client = CreateStub("client");
    actor.Introduce("client", client.get());
    Answer answer = actor.Ask("cancel_own_thread");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Ask("pid").Read().Int(), actor.Pid());
}
