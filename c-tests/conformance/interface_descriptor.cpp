// SPDX-License-Identifier: Apache-2.0
// OH_IPCRemoteProxy_GetInterfaceDescriptor.
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

thread_local int32_t g_allocated;

void *Allocate(int32_t length)
{
    g_allocated = length;
    return length > 0 ? std::malloc(static_cast<size_t>(length)) : nullptr;
}

void *AllocateNothing(int32_t length)
{
    g_allocated = length;
    return nullptr;
}

struct Descriptor {
    int result;
    std::string text;
};

// Asks for the descriptor and looks that all that comes with it fits.
Descriptor AskDescriptor(OHIPCRemoteProxy *proxy)
{
    char *text = nullptr;
    int32_t length = -7;
    g_allocated = -7;
    int result = OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy, &text, &length, Allocate);
    Descriptor descriptor{ result, "" };
    if (result == OH_IPC_SUCCESS && EXPECT(text != nullptr)) {
        EXPECT_EQ(length, g_allocated);
        EXPECT_EQ(std::strlen(text) + 1, static_cast<size_t>(length));
        descriptor.text = text;
    } else {
        EXPECT(text == nullptr);
    }
    std::free(text);
    return descriptor;
}

// Counts every request that comes to its handler.
int CountRequest(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    Counter("handler ran").Add();
    return OH_IPC_SUCCESS;
}

// descriptor → a stub with that descriptor, which counts what its handler gets
BEHAVIOUR(create_described_stub)
{
    StubPtr stub(OH_IPCRemoteStub_Create(request.data.Text().c_str(), CountRequest, nullptr, nullptr));
    if (!EXPECT(stub != nullptr)) {
        return OH_IPC_INNER_ERROR;
    }
    return OH_IPCParcel_WriteRemoteStub(request.reply, stub.get());
}

ProxyPtr CreateDescribed(const Actor &actor, const std::string &descriptor)
{
    Answer answer = actor.Ask("create_described_stub", Parcel().Text(descriptor));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    ProxyPtr proxy = answer.Read().Proxy();
    REQUIRE(proxy != nullptr);
    return proxy;
}

// object → descriptor of it, as this process sees it
BEHAVIOUR(describe)
{
    ProxyPtr proxy = request.data.Proxy();
    Descriptor descriptor = AskDescriptor(proxy.get());
    WriteText(request.reply, descriptor.text);
    return descriptor.result;
}

} // namespace

TEST(the_stub_answers, "the descriptor is lost or cut, or its length lacks the NUL")
{
    Actor &actor = StartActor();
    for (const std::string &text : { std::string("svc"), std::string("svc.data"), std::string("a"),
        std::string(5000, 'd'), std::string("Gr\xc3\xbc\xc3\x9f" "e \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80") }) {
        Context context("descriptor ", text.substr(0, 20));
        ProxyPtr proxy = CreateDescribed(actor, text);
        Descriptor descriptor = AskDescriptor(proxy.get());
        EXPECT_EQ(descriptor.result, OH_IPC_SUCCESS);
        EXPECT_EQ(descriptor.text, text);
        EXPECT_EQ(g_allocated, static_cast<int>(text.size()) + 1);
    }
}

TEST(the_handler_does_not_see_it, "the question for the descriptor goes to the user's handler")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = CreateDescribed(actor, "svc");
    EXPECT_EQ(AskDescriptor(proxy.get()).text, "svc");
    EXPECT_EQ(Counter("handler ran").Value(), 0u);
    Parcel data;
    Parcel reply;
    EXPECT_EQ(SendSync(proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("handler ran").Value(), 1u);
}

TEST(null_arguments, "a NULL argument is not looked at, or its call asks the stub all the same")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = CreateDescribed(actor, "svc");
    char *text = nullptr;
    int32_t length = -7;
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(nullptr, &text, &length, Allocate), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), nullptr, &length, Allocate),
        OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), &text, nullptr, Allocate),
        OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), &text, &length, nullptr),
        OH_IPC_CHECK_PARAM_ERROR);
    EXPECT(text == nullptr);
    EXPECT_EQ(length, -7);
}

TEST(an_allocator_without_memory, "an allocator's NULL is written to, or spoils the next call")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = CreateDescribed(actor, "svc.data");
    for (int round = 0; round < 2; round++) {
        char *text = nullptr;
        int32_t length = -7;
        EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), &text, &length, AllocateNothing),
            OH_IPC_MEM_ALLOCATOR_ERROR);
        EXPECT(text == nullptr);
        EXPECT_EQ(g_allocated, 9);
        EXPECT_EQ(AskDescriptor(proxy.get()).text, "svc.data");
    }
}

TEST(it_is_remembered, "the stub's process is asked each time, so that nobody answers when it is dead")
{
    Actor &actor = StartActor();
    ProxyPtr asked = CreateDescribed(actor, "svc.z");
    EXPECT_EQ(AskDescriptor(asked.get()).text, "svc.z");
    actor.Kill();
    actor.AwaitEnd();
    for (int round = 0; round < 2; round++) {
        Descriptor descriptor = AskDescriptor(asked.get());
        EXPECT_EQ(descriptor.result, OH_IPC_SUCCESS);
        EXPECT_EQ(descriptor.text, "svc.z");
    }
}

TEST(all_wrappers_of_an_object_remember_it, "each wrapper of a remote object asks for itself")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("two wrappers");
    Answer answer = actor.Ask("give_stub", Parcel().Text("two wrappers"));
    ProxyPtr second = answer.Read().Proxy();
    EXPECT(stub.get() != second.get());
    EXPECT_EQ(AskDescriptor(stub.get()).text, "conformance.two wrappers");
    actor.Kill();
    actor.AwaitEnd();
    EXPECT_EQ(AskDescriptor(second.get()).result, OH_IPC_SUCCESS);
    stub.reset();
    EXPECT_EQ(AskDescriptor(second.get()).text, "conformance.two wrappers");
}

TEST(a_dead_one_that_was_never_asked, "documented: a dead object answers with nothing; device: it is told to be dead")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = CreateDescribed(actor, "svc");
    actor.Kill();
    actor.AwaitEnd();
    for (int round = 0; round < 2; round++) {
        Descriptor descriptor = AskDescriptor(proxy.get());
        EXPECT_EQ(descriptor.text, "");
        if (DeviceMode()) {
            EXPECT_EQ(descriptor.result, OH_IPC_SUCCESS);
            EXPECT_EQ(g_allocated, 1);
        } else {
            EXPECT_EQ(descriptor.result, OH_IPC_DEAD_REMOTE_OBJECT);
            EXPECT_EQ(g_allocated, -7);
        }
    }
}

TEST(a_dead_one_is_told_once, "the log keeps silent about the descriptor of a dead object, or repeats itself")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = CreateDescribed(actor, "svc");
    actor.Kill();
    actor.AwaitEnd();
    for (int round = 0; round < 3; round++) {
        AskDescriptor(proxy.get());
    }
    EXPECT_EQ(CountInOutput("IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
}

TEST(a_stub_of_the_own_process, "the descriptor of a stub of the own process is asked for elsewhere, or lost")
{
    StubPtr stub(OH_IPCRemoteStub_Create("cli.local", CountRequest, nullptr, nullptr));
    ProxyPtr proxy = Parcel().Stub(stub.get()).Read().Proxy();
    Descriptor descriptor = AskDescriptor(proxy.get());
    EXPECT_EQ(descriptor.result, OH_IPC_SUCCESS);
    EXPECT_EQ(descriptor.text, "cli.local");
    EXPECT_EQ(g_allocated, 10);
    EXPECT_EQ(Counter("handler ran").Value(), 0u);
}

TEST(a_third_process_asks, "a proxy that was passed on answers with the middleman's descriptor, or not at all")
{
    Actor &owner = StartActor();
    Actor &third = StartActor();
    ProxyPtr proxy = CreateDescribed(owner, "of the owner");
    Answer answer = third.Ask("describe", Parcel().Proxy(proxy.get()));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Text(), "of the owner");
    // To its owner it is a stub of the own process.
    answer = owner.Ask("describe", Parcel().Proxy(proxy.get()));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Text(), "of the owner");
}

TEST(it_is_answered_while_async_handlers_block, "the question waits behind async messages of the stub")
{
    Actor &actor = StartActor();
    ProxyPtr stub = actor.CreateStub("busy");
    for (int index = 0; index < 3; index++) {
        EXPECT_EQ(Tell(stub.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    }
    Counter("entered").AwaitAtLeast(1);
    EXPECT_EQ(AskDescriptor(stub.get()).text, "conformance.busy");
    Counter("gate").Add();
}

TEST(many_ask_at_once, "two questions for one descriptor at once get in each other's way")
{
    Actor &actor = StartActor();
    for (int round = 0; round < 10; round++) {
        ProxyPtr proxy = CreateDescribed(actor, "asked by many");
        std::vector<std::thread> threads;
        for (int index = 0; index < 4; index++) {
            threads.emplace_back([&proxy] { EXPECT_EQ(AskDescriptor(proxy.get()).text, "asked by many"); });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }
}

TEST(ill_formed_text_comes_back_changed, "a descriptor does not pass through UTF-16")
{
    Actor &actor = StartActor();
    // A byte that begins nothing, in the middle of good text.
    const std::string text = "a\xff" "bcde";
    ProxyPtr proxy = CreateDescribed(actor, text);
    Descriptor descriptor = AskDescriptor(proxy.get());
    EXPECT_EQ(descriptor.result, OH_IPC_SUCCESS);
    EXPECT(descriptor.text != text);

    // The same as a token's text becomes.
    Parcel token;
    EXPECT_EQ(OH_IPCParcel_WriteInterfaceToken(token.Get(), text.c_str()), OH_IPC_SUCCESS);
    char *changed = nullptr;
    int32_t length = 0;
    EXPECT_EQ(OH_IPCParcel_ReadInterfaceToken(token.Get(), &changed, &length, Allocate), OH_IPC_SUCCESS);
    EXPECT_EQ(descriptor.text, std::string(changed));
    std::free(changed);
}
