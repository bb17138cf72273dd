// SPDX-License-Identifier: Apache-2.0
// What wrappers of one object share, what each has of its own, and what an object becomes in the process of its stub.
#include <cstdlib>
#include <unistd.h>
#include <vector>

#include "lifetimes.h"

using namespace conformance;

namespace {

void *Allocate(int32_t size)
{
    return std::malloc(static_cast<size_t>(size));
}

std::string DescriptorOf(const ProxyPtr &proxy)
{
    char *text = nullptr;
    int32_t length = 0;
    EXPECT_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), &text, &length, Allocate), OH_IPC_SUCCESS);
    std::string descriptor = text == nullptr ? "" : text;
    std::free(text);
    return descriptor;
}

constexpr int MANY = 600;

} // namespace

// → name of the stub that serves
BEHAVIOUR(name_of_stub)
{
    WriteText(request.reply, request.stub);
    return OH_IPC_SUCCESS;
}

// → own thread (long), whether the request is one of another process
BEHAVIOUR(thread_and_handling)
{
    WriteLong(request.reply, CurrentThread());
    WriteInt(request.reply, OH_IPCSkeleton_IsHandlingTransaction());
    return OH_IPC_SUCCESS;
}

// number, prefix of names, so many objects → how many of them are the stubs prefix + 0, prefix + 1, …
BEHAVIOUR(ask_all_for_their_names)
{
    int32_t number = request.data.Int();
    std::string prefix = request.data.Text();
    std::vector<ProxyPtr> proxies;
    for (int32_t index = 0; index < number; index++) {
        proxies.push_back(request.data.Proxy());
    }
    int32_t right = 0;
    for (int32_t index = 0; index < number; index++) {
        Answer answer = Ask(proxies[static_cast<size_t>(index)].get(), "name_of_stub");
        right += answer.result == OH_IPC_SUCCESS && answer.Read().Text() == prefix + std::to_string(index) ? 1 : 0;
    }
    WriteInt(request.reply, right);
    return OH_IPC_SUCCESS;
}

// number, prefix of names → so many new stubs
BEHAVIOUR(give_many_stubs)
{
    int32_t number = request.data.Int();
    std::string prefix = request.data.Text();
    for (int32_t index = 0; index < number; index++) {
        StubPtr stub = CreateStub(prefix);
        EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(request.reply, stub.get()), OH_IPC_SUCCESS);
    }
    return OH_IPC_SUCCESS;
}

// stub's name → the stub twice
BEHAVIOUR(give_stub_twice)
{
    OHIPCRemoteStub *stub = KeptStub(request.data.Text());
    EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(request.reply, stub), OH_IPC_SUCCESS);
    return OH_IPCParcel_WriteRemoteStub(request.reply, stub);
}

// object → whether ReadRemoteStub reads it, then the object, written from that
BEHAVIOUR(read_as_stub_and_return)
{
    StubPtr stub(OH_IPCParcel_ReadRemoteStub(request.data.Get()));
    if (!EXPECT(stub != nullptr)) {
        return OH_IPC_INNER_ERROR;
    }
    return OH_IPCParcel_WriteRemoteStub(request.reply, stub.get());
}

// object of a stub of this process → whether the request through it was a direct call
BEHAVIOUR(call_back_home)
{
    ProxyPtr home = request.data.Proxy();
    Answer answer = Ask(home.get(), "thread_and_handling");
    WriteInt(request.reply, answer.result);
    WriteInt(request.reply, answer.Read().Long() == CurrentThread());
    return OH_IPC_SUCCESS;
}

TEST(two_reads_of_one_object_give_two_wrappers,
    "a second read gives the first one's wrapper, or its destruction takes the other")
{
    Actor &actor = StartActor();
    ProxyPtr kept = actor.CreateStub("twice");
    Answer answer = actor.Ask("give_stub_twice", Parcel().Text("twice"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 48, 48, 48, 0, 0 }));
    Reader reader = answer.Read();
    ProxyPtr first = reader.Proxy();
    ProxyPtr second = reader.Proxy();
    EXPECT(first.get() != second.get());
    EXPECT(first.get() != kept.get());
    ExpectServedBy(first, actor.Pid());
    first.reset();
    ExpectServedBy(second, actor.Pid());
    second.reset();
    ExpectServedBy(kept, actor.Pid());
}

TEST(reading_one_place_twice_gives_two_wrappers, "an object can be read only once")
{
    Actor &actor = StartActor();
    ProxyPtr kept = actor.CreateStub("place");
    Answer answer = actor.Ask("give_stub", Parcel().Text("place"));
    ProxyPtr first = answer.Read().Proxy();
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(answer.reply.Get(), 0), OH_IPC_SUCCESS);
    ProxyPtr second = answer.Read().Proxy();
    EXPECT(first.get() != second.get());
    first.reset();
    ExpectServedBy(second, actor.Pid());
}

TEST(wrappers_of_one_object_share_its_death_recipients, "each wrapper has a list of recipients of its own")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("shared");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("shared")).Read().Proxy();
    Recipient recipient("shared");
    EXPECT_EQ(recipient.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(second), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(first), OH_IPC_INNER_ERROR);
    recipient.ExpectToldInAll(0);
}

TEST(wrappers_of_different_objects_share_nothing, "the recipients of all objects of a process are in one list")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("first");
    ProxyPtr second = actor.CreateStub("second");
    Recipient recipient("one");
    EXPECT_EQ(recipient.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(recipient.RemoveFrom(second), OH_IPC_INNER_ERROR);
    EXPECT_EQ(recipient.RemoveFrom(first), OH_IPC_SUCCESS);
    EXPECT_EQ(Ask(first.get(), "name_of_stub").Read().Text(), "first");
    EXPECT_EQ(Ask(second.get(), "name_of_stub").Read().Text(), "second");
    recipient.ExpectToldInAll(0);
}

TEST(wrappers_of_one_object_share_its_dead_flag,
    "a wrapper that had no recipient of its own says that the remote lives")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("flag");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("flag")).Read().Proxy();
    Recipient recipient("flag");
    EXPECT_EQ(recipient.AddTo(first), OH_IPC_SUCCESS);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(second.get()), 0);
    actor.Kill();
    recipient.AwaitTold();
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(first.get()), 1);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(second.get()), 1);
}

TEST(wrappers_of_one_object_share_its_descriptor, "each wrapper asks for the descriptor again")
{
    Actor &actor = StartActor();
    ProxyPtr first = actor.CreateStub("described");
    ProxyPtr second = actor.Ask("give_stub", Parcel().Text("described")).Read().Proxy();
    EXPECT_EQ(DescriptorOf(first), "conformance.described");
    actor.Kill();
    actor.AwaitEnd();
    EXPECT_EQ(DescriptorOf(second), "conformance.described");
}

TEST(either_read_works_on_a_remote_object, "ReadRemoteStub refuses a proxy's object, or what it gave cannot be written")
{
    Actor &owner = StartActor();
    Actor &reader = StartActor();
    ProxyPtr proxy = owner.CreateStub("either");
    Answer answer = reader.Ask("read_as_stub_and_return", Parcel().Proxy(proxy.get()));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    ExpectServedBy(answer.Read().Proxy(), owner.Pid());
    StubPtr own = CreateStub("own");
    Answer ownAnswer = reader.Ask("read_as_stub_and_return", Parcel().Stub(own.get()));
    REQUIRE_EQ(ownAnswer.result, OH_IPC_SUCCESS);
    ExpectServedBy(ownAnswer.Read().Proxy(), getpid());
}

TEST(a_remote_object_read_as_a_stub_holds_it, "a stub's wrapper of a remote object holds no reference")
{
    Actor &actor = StartActor();
    Answer answer = actor.Ask("give_new_stub", Parcel().Text("foreign"));
    StubPtr foreign(OH_IPCParcel_ReadRemoteStub(answer.reply.Get()));
    REQUIRE(foreign != nullptr);
    answer.reply = Parcel();
    ProxyPtr proxy = WrapperOf(foreign.get());
    ExpectServedBy(proxy, actor.Pid());
    proxy.reset();
    ExpectServedBy(actor.Proxy(), actor.Pid());
    EXPECT_EQ(Destroyed("foreign").Value(), 0u);
    foreign.reset();
    ExpectDestroyed("foreign");
}

TEST(a_proxy_that_comes_home_is_the_stub_itself,
    "an object that comes back to its owner makes a proxy that goes through the transport")
{
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("home");
    actor.Introduce("home", stub.get());
    Answer answer = actor.Ask("give_proxy", Parcel().Text("home"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 24, 24, 24, 0, 0 }));
    ProxyPtr home = answer.Read().Proxy();
    Answer call = Ask(home.get(), "thread_and_handling");
    REQUIRE_EQ(call.result, OH_IPC_SUCCESS);
    Reader reader = call.Read();
    EXPECT_EQ(reader.Long(), CurrentThread());
    EXPECT_EQ(reader.Int(), 0);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(home.get()), 0);
    // It is the same object: the reply parcel of a direct call is appended to, and it has no death.
    Recipient recipient("home");
    EXPECT_EQ(recipient.AddTo(home), OH_IPC_INNER_ERROR);

    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(answer.reply.Get(), 0), OH_IPC_SUCCESS);
    StubPtr asStub(OH_IPCParcel_ReadRemoteStub(answer.reply.Get()));
    REQUIRE(asStub != nullptr);
    stub.reset();
    home.reset();
    answer.reply = Parcel();
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("home")).result, OH_IPC_SUCCESS);
    AwaitReleasesOf(actor);
    EXPECT_EQ(Destroyed("home").Value(), 0u);
    asStub.reset();
    ExpectDestroyed("home");
}

TEST(a_proxy_that_comes_home_in_a_request_is_the_stub_itself,
    "a handler's data makes a proxy of the process's own stub")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("visitor");
    Answer answer = actor.Ask("call_back_home", Parcel().Proxy(proxy.get()));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), 1);
}

TEST(a_request_may_carry_the_object_that_it_goes_to, "the receiver of a request cannot be among its objects")
{
    Actor &actor = StartActor();
    ProxyPtr proxy = actor.CreateStub("itself");
    Answer answer = Ask(proxy.get(), "call_back_home", Parcel().Proxy(proxy.get()));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), 1);
}

TEST(six_hundred_stubs_in_one_request, "a message holds only so many objects, mixes them up, or keeps some of them")
{
    Actor &actor = StartActor();
    {
        Parcel data;
        data.Int(MANY).Text("many ");
        std::vector<StubPtr> stubs;
        for (int index = 0; index < MANY; index++) {
            // One counter for all of them, but a name of its own for each.
            auto *name = new std::string("many " + std::to_string(index));
            stubs.emplace_back(OH_IPCRemoteStub_Create(
                name->c_str(),
                [](uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *userData) {
                    WriteText(reply, *static_cast<std::string *>(userData));
                    return static_cast<int>(OH_IPC_SUCCESS);
                },
                [](void *userData) {
                    delete static_cast<std::string *>(userData);
                    Counter("destroyed many").Add();
                },
                name));
            data.Stub(stubs.back().get());
        }
        Answer answer = actor.Ask("ask_all_for_their_names", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), MANY);
        EXPECT_EQ(Counter("destroyed many").Value(), 0u);
    }
    Counter("destroyed many").AwaitAtLeast(MANY);
    AwaitReleasesOf(actor);
    EXPECT_EQ(Counter("destroyed many").Value(), static_cast<uint32_t>(MANY));
}

TEST(six_hundred_stubs_in_one_reply, "a reply holds only so many objects, or keeps some of them when it is destroyed")
{
    Actor &actor = StartActor();
    {
        Answer answer = actor.Ask("give_many_stubs", Parcel().Int(MANY).Text("many"));
        REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
        Reader reader = answer.Read();
        std::vector<ProxyPtr> proxies;
        // The others stay unread.
        for (int index = 0; index < MANY / 2; index++) {
            proxies.push_back(reader.Proxy());
        }
        for (const ProxyPtr &proxy : proxies) {
            ExpectServedBy(proxy, actor.Pid());
        }
        EXPECT_EQ(Destroyed("many").Value(), 0u);
    }
    Destroyed("many").AwaitAtLeast(MANY);
    ExpectServedBy(actor.Proxy(), actor.Pid());
    EXPECT_EQ(Destroyed("many").Value(), static_cast<uint32_t>(MANY));
}

TEST(the_same_data_with_a_stub_can_be_sent_twice, "the objects of a request go away with its first sending")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    StubPtr stub = CreateStub("twice");
    Parcel data;
    data.Text("twice").Stub(stub.get());
    EXPECT_EQ(first.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
    EXPECT_EQ(first.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
    EXPECT_EQ(second.Ask("keep_proxy", data).result, OH_IPC_SUCCESS);
    ExpectKeptServedBy(first, "twice", getpid());
    ExpectKeptServedBy(second, "twice", getpid());
}

TEST(destroying_nothing_does_nothing, "a Destroy function does not expect NULL")
{
    OH_IPCRemoteStub_Destroy(nullptr);
    OH_IPCRemoteProxy_Destroy(nullptr);
    OH_IPCDeathRecipient_Destroy(nullptr);
    OH_IPCParcel_Destroy(nullptr);
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(nullptr), 1);
}
