// SPDX-License-Identifier: Apache-2.0
// Handlers that throw, that unwind, and that destroy what they run on.
#include <csetjmp>
#include <pthread.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

jmp_buf &JumpTarget()
{
    static jmp_buf target;
    return target;
}

// anything → never
BEHAVIOUR(throw_exception)
{
    throw std::runtime_error("thrown by a handler");
}

// anything → never; what is thrown is no std::exception
BEHAVIOUR(throw_number)
{
    throw 42;
}

// anything → never; unwinds the thread
BEHAVIOUR(exit_thread)
{
    pthread_exit(nullptr);
}

// name of a behaviour → ; runs it as a direct call in this process
BEHAVIOUR(run_directly)
{
    std::string behaviour = request.data.Text();
    StubPtr stub = CreateStub("direct");
    ProxyPtr proxy = Parcel().Stub(stub.get()).Read().Proxy();
    return Ask(proxy.get(), behaviour).result;
}

// → 2; destroys the wrapper of the stub that it runs on and goes on
BEHAVIOUR(destroy_own_stub)
{
    if (Counter("own destructions").Add() == 1) {
        DestroyKeptStub(request.stub);
    }
    EXPECT_EQ(Counter("destroyed " + request.stub).Value(), 0u);
    WriteInt(request.reply, 2);
    return OH_IPC_SUCCESS;
}

// object → ; reads it as two wrappers and destroys each before the next is used
BEHAVIOUR(destroy_the_parcels_proxy)
{
    ProxyPtr first = request.data.Proxy();
    EXPECT_EQ(Ask(first.get(), "pid").result, OH_IPC_SUCCESS);
    first.reset();
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(const_cast<OHIPCParcel *>(request.data.Get()), 0), OH_IPC_SUCCESS);
    ProxyPtr second = request.data.Proxy();
    EXPECT_EQ(Ask(second.get(), "pid").result, OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(request.reply, second.get()), OH_IPC_SUCCESS);
    second.reset();
    return OH_IPC_SUCCESS;
}

// → result of asking the kept proxy "caller" to drop the proxy by which this request came
BEHAVIOUR(have_the_caller_drop_its_proxy)
{
    WriteInt(request.reply, Ask(KeptProxy("caller").get(), "destroy_the_callers_proxy").result);
    WriteInt(request.reply, 11);
    return OH_IPC_SUCCESS;
}

// The proxy with which the test's main thread makes a call, for its handler to destroy.
OHIPCRemoteProxy *g_callersProxy;

// → ; runs on the thread that waits for the reply to a request through that proxy
BEHAVIOUR(destroy_the_callers_proxy)
{
    OH_IPCRemoteProxy_Destroy(g_callersProxy);
    g_callersProxy = nullptr;
    Counter("proxy destroyed").Add();
    return OH_IPC_SUCCESS;
}

// That the process of the actor has ended and has said why.
void ExpectEndedWithMessage(Actor &actor)
{
    actor.AwaitEnd();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    std::string output = OutputSoFar();
    size_t message = output.find("request callback of a stub was left by an exception");
    EXPECT(message != std::string::npos);
    // The log names the process.
    size_t line = output.rfind('\n', message) + 1;
    EXPECT(output.substr(line, message - line).find(" " + std::to_string(actor.Pid()) + " ") != std::string::npos);
}

void *AllocateNothing(int32_t)
{
    return nullptr;
}

// Calls every function of the interface that can be called anywhere.
void CallEverything(const OHIPCRemoteProxy *other)
{
    EXPECT_EQ(Ask(other, "pid").result, OH_IPC_SUCCESS);
    EXPECT_EQ(Tell(other, "count", Parcel().Text("told")), OH_IPC_SUCCESS);
    StubPtr stub = CreateStub("made inside");
    ProxyPtr own = Parcel().Stub(stub.get()).Read().Proxy();
    EXPECT_EQ(Ask(own.get(), "pid").Read().Int(), getpid());
    StubPtr again(OH_IPCParcel_ReadRemoteStub(Parcel().Proxy(other).Get()));
    EXPECT(again != nullptr);
    ProxyPtr copy = Parcel().Stub(again.get()).Read().Proxy();
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(copy.get()), 0);
    RecipientPtr recipient(OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr));
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(copy.get(), recipient.get()), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCRemoteProxy_RemoveDeathRecipient(copy.get(), recipient.get()), OH_IPC_SUCCESS);
    char *text = nullptr;
    int32_t length = 0;
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(copy.get(), &text, &length, AllocateNothing),
        OH_IPC_MEM_ALLOCATOR_ERROR);
    OH_IPCSkeleton_ResetCallingIdentity(&text, &length, AllocateNothing);
    OH_IPCSkeleton_SetCallingIdentity("<000000000000000000000000000000000000000055");
    EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(16), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCSkeleton_IsLocalCalling(), 1);
    OH_IPCSkeleton_GetCallingPid();
    OH_IPCSkeleton_GetCallingUid();
    OH_IPCSkeleton_GetCallingTokenId();
    OH_IPCSkeleton_GetFirstTokenId();
    OH_IPCSkeleton_GetSelfTokenId();
}

// → ; has the kept proxy "other"
BEHAVIOUR(call_everything)
{
    CallEverything(KeptProxy("other").get());
    Counter("called everything").Add();
    return OH_IPC_SUCCESS;
}

int DoNothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return OH_IPC_SUCCESS;
}

// → a stub whose destroyCallback calls everything
BEHAVIOUR(give_stub_that_dies_loudly)
{
    auto onDestroy = [](void *) {
        CallEverything(KeptProxy("other").get());
        Counter("called everything").Add();
    };
    StubPtr stub(OH_IPCRemoteStub_Create("loud", DoNothing, onDestroy, nullptr));
    return OH_IPCParcel_WriteRemoteStub(request.reply, stub.get());
}

// name → ; adds a recipient of that name to the kept proxy "watched", whose callbacks call everything
BEHAVIOUR(watch_loudly)
{
    auto callEverything = [](void *) {
        CallEverything(KeptProxy("other").get());
        Counter("called everything").Add();
    };
    RecipientPtr recipient(OH_IPCDeathRecipient_Create(callEverything, callEverything, nullptr));
    return OH_IPCRemoteProxy_AddDeathRecipient(KeptProxy("watched").get(), recipient.get());
}

} // namespace

// → ; starts a thread that joins when it is let, until a handler jumps out
BEHAVIOUR(join_to_jump)
{
    std::thread([] {
        Counter("join to jump").AwaitAtLeast(1);
        if (setjmp(JumpTarget()) == 0) {
            OH_IPCSkeleton_JoinWorkThread();
        }
        Counter("jumped").Add();
        for (;;) {
            pause();
        }
    }).detach();
    return OH_IPC_SUCCESS;
}

// → ; leaves the handler by longjmp, on the thread of join_to_jump
BEHAVIOUR(jump)
{
    longjmp(JumpTarget(), 1);
}

TEST(a_handler_that_throws, "an exception goes through the library, or its caller is left waiting")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("throw_exception").result, OH_IPC_DEAD_REMOTE_OBJECT);
    ExpectEndedWithMessage(actor);
}

TEST(a_handler_that_throws_a_number, "only a std::exception ends the process")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("throw_number").result, OH_IPC_DEAD_REMOTE_OBJECT);
    ExpectEndedWithMessage(actor);
}

TEST(an_async_handler_that_throws, "an exception of an async handler is swallowed")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Tell("throw_exception"), OH_IPC_SUCCESS);
    ExpectEndedWithMessage(actor);
}

TEST(a_direct_handler_that_throws, "an exception of a direct call reaches its caller through the library")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("run_directly", Parcel().Text("throw_exception")).result, OH_IPC_DEAD_REMOTE_OBJECT);
    ExpectEndedWithMessage(actor);
}

TEST(a_nested_handler_that_throws, "an exception goes up the waiting thread that runs a nested handler")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    first.Introduce("second", second.Proxy());
    second.Introduce("first", first.Proxy());
    Parcel inner;
    inner.Text("second").Text("ask_kept").Text("first").Text("throw_exception");
    EXPECT_EQ(first.Ask("ask_kept", inner).result, OH_IPC_DEAD_REMOTE_OBJECT);
    ExpectEndedWithMessage(first);
    // The one in the middle was told of the death and goes on.
    EXPECT_EQ(second.Ask("pid").Read().Int(), second.Pid());
}

TEST(a_handler_that_ends_its_thread, "pthread_exit in a handler leaves a caller waiting, or a worker less")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("exit_thread").result, OH_IPC_DEAD_REMOTE_OBJECT);
    ExpectEndedWithMessage(actor);
}

TEST(other_callers_of_a_thrower, "only the caller of the handler that threw is told")
{
    Actor &actor = StartActor();
    std::thread waiting([&actor] {
        Answer answer = actor.Ask("block", Parcel().Text("entered").Text("gate").Int(1));
        EXPECT_EQ(answer.result, OH_IPC_DEAD_REMOTE_OBJECT);
    });
    Counter("entered").AwaitAtLeast(1);
    EXPECT_EQ(actor.Ask("throw_exception").result, OH_IPC_DEAD_REMOTE_OBJECT);
    waiting.join();
}

TEST(a_handler_destroys_its_own_stub, "a stub that others hold is gone when its handler has destroyed the wrapper")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("own");
    for (int round = 0; round < 2; round++) {
        Answer answer = Ask(stub.get(), "destroy_own_stub");
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), 2);
    }
    EXPECT_EQ(Counter("destroyed own").Value(), 0u);
    stub.reset();
    Counter("destroyed own").AwaitAtLeast(1);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(a_stub_loses_its_last_holder_in_its_handler, "a stub dies under its own handler")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("own");
    EXPECT_EQ(Tell(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    EXPECT_EQ(Tell(stub.get(), "destroy_own_stub"), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    // Queued and running requests hold the stub.
    stub.reset();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("destroyed own").Value(), 0u);
    Counter("gate").Add();
    Counter("destroyed own").AwaitAtLeast(1);
    EXPECT_EQ(Counter("own destructions").Value(), 1u);
}

TEST(a_handler_destroys_its_parcels_proxy, "destroying a wrapper read from data destroys what the parcel holds")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("sent");
    Parcel data;
    data.Stub(stub.get());
    for (int round = 0; round < 3; round++) {
        Answer answer = actor.Ask("destroy_the_parcels_proxy", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        ProxyPtr home = answer.Read().Proxy();
        EXPECT_EQ(Ask(home.get(), "pid").Read().Int(), getpid());
    }
    stub.reset();
    EXPECT_EQ(Counter("destroyed sent").Value(), 0u);
    data = Parcel();
    Counter("destroyed sent").AwaitAtLeast(1);
}

TEST(a_nested_handler_destroys_the_callers_proxy, "a proxy is freed while a request through it is under way")
{
    Actor &actor = StartActor();
    StubPtr self = CreateStub("caller");
    actor.Introduce("caller", self.get());
    g_callersProxy = actor.CreateStub("called").release();
    Answer answer = Ask(g_callersProxy, "have_the_caller_drop_its_proxy");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), 11);
    EXPECT_EQ(Counter("proxy destroyed").Value(), 1u);
    EXPECT_EQ(Counter("destroyed called").Value(), 0u);
    EXPECT_EQ(actor.Ask("destroy_stub", Parcel().Text("called")).result, OH_IPC_SUCCESS);
    Counter("destroyed called").AwaitAtLeast(1);
}

TEST(a_handler_calls_everything, "a function of the interface waits for the handler that calls it")
{
    Actor &actor = StartActor();
    Actor &other = StartActor();
    actor.Introduce("other", other.Proxy());
    EXPECT_EQ(actor.Ask("call_everything").result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Tell("call_everything"), OH_IPC_SUCCESS);
    Counter("called everything").AwaitAtLeast(2);
    Counter("told").AwaitAtLeast(2);
    EXPECT_EQ(Counter("destroyed made inside").Value(), 2u);
}

TEST(a_destroy_callback_calls_everything, "a function of the interface waits for the destroyCallback that calls it")
{
    Actor &actor = StartActor();
    Actor &other = StartActor();
    actor.Introduce("other", other.Proxy());
    ProxyPtr loud = actor.Ask("give_stub_that_dies_loudly").Read().Proxy();
    EXPECT_EQ(Counter("called everything").Value(), 0u);
    loud.reset();
    Counter("called everything").AwaitAtLeast(1);
    Counter("told").AwaitAtLeast(1);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(the_callbacks_of_a_recipient_call_everything, "a function of the interface waits for a callback of the recipient that calls it")
{
    Actor &actor = StartActor();
    Actor &other = StartActor();
    Actor &watched = StartActor();
    actor.Introduce("other", other.Proxy());
    actor.Introduce("watched", watched.Proxy());
    EXPECT_EQ(actor.Ask("watch_loudly").result, OH_IPC_SUCCESS);
    watched.Kill();
    // Its handle is gone: what it is told is its last.
    Counter("called everything").AwaitAtLeast(2);
    Counter("told").AwaitAtLeast(2);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}

TEST(a_handler_that_jumps_out, "what a handler leaves behind by longjmp harms another process, or keeps its caller for ever")
{
    Actor &jumper = StartActorWithMaxThreads(1);
    Actor &other = StartActor();
    other.Introduce("jumper", jumper.Proxy());
    Threads callers;
    EXPECT_EQ(jumper.Ask("join_to_jump").result, OH_IPC_SUCCESS);
    for (int index = 0; index < 2; index++) {
        callers.Start([&] {
            int result = jumper.Ask("block", Parcel().Text("entered").Text("gate").Int(1)).result;
            EXPECT_EQ(result, OH_IPC_DEAD_REMOTE_OBJECT);
        });
    }
    Counter("entered").AwaitAtLeast(2);
    Counter("join to jump").Add();
    callers.Start([&] { EXPECT_EQ(jumper.Ask("jump").result, OH_IPC_DEAD_REMOTE_OBJECT); });
    Counter("jumped").AwaitAtLeast(1);
    // Others do not notice, and its callers do not wait longer than it lives.
    EXPECT_EQ(other.Ask("pid").Read().Int(), other.Pid());
    jumper.Kill();
    callers.Join();
    Answer answer = other.Ask("ask_kept", Parcel().Text("jumper").Text("pid"));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_DEAD_REMOTE_OBJECT);
    Actor &next = StartActor();
    EXPECT_EQ(next.Ask("pid").Read().Int(), next.Pid());
}

TEST(a_thread_inside_the_library_is_not_cancelled, "a thread that is to end does so halfway through a call, or not at all")
{
    Actor &actor = StartActor();
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, [](void *actor) -> void * {
        auto proxy = static_cast<Actor *>(actor)->Proxy();
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
        // What has descriptors goes through system calls at which a thread would end.
        Parcel data;
        data.Descriptor(STDERR_FILENO);
        Counter("cancelled").AwaitAtLeast(1);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
        int result = Ask(proxy, "pid", data).result;
        Counter("came back").Add(result == OH_IPC_SUCCESS ? 1 : 0);
        for (;;) {
            pause();
        }
    }, &actor), 0);
    EXPECT_EQ(pthread_cancel(thread), 0);
    Counter("cancelled").Add();
    void *result = nullptr;
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT(result == PTHREAD_CANCELED);
    EXPECT_EQ(Counter("came back").Value(), 1u);
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
}
