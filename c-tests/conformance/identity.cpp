// SPDX-License-Identifier: Apache-2.0
// Whom a handler takes for its caller.
#include <cstdlib>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

constexpr char TOKEN_VARIABLE[] = "IPCKIT_TOKEN_ID";

Report ReportOf(const OHIPCRemoteProxy *proxy)
{
    Answer answer = Ask(proxy, "identity");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    return ReadReport(answer.Read());
}

// A wrapper of a stub of this process, as it is read from a parcel.
ProxyPtr WrapperOf(const OHIPCRemoteStub *stub)
{
    Parcel parcel;
    parcel.Stub(stub);
    return parcel.Read().Proxy();
}

Actor &StartActorWithToken(const char *token)
{
    if (token == nullptr) {
        EXPECT_EQ(unsetenv(TOKEN_VARIABLE), 0);
    } else {
        EXPECT_EQ(setenv(TOKEN_VARIABLE, token, 1), 0);
    }
    return StartActor();
}

} // namespace

// name of a kept proxy, name of a report → identity before, during and after a request to it to "keep_report"
BEHAVIOUR(identity_around_a_request)
{
    auto proxy = KeptProxy(request.data.Text());
    std::string name = request.data.Text();
    WriteReport(request.reply, CurrentReport());
    EXPECT_EQ(Ask(proxy.get(), "keep_report", Parcel().Text(name)).result, OH_IPC_SUCCESS);
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// name of a kept proxy → report of this handler, of the next one, …, of this handler again; asks for the same where the
// proxy is, so often
BEHAVIOUR(identity_to_and_fro)
{
    std::string name = request.data.Text();
    int32_t depth = request.data.Int();
    Identity before = CurrentIdentity();
    if (depth > 0) {
        Parcel data;
        data.Text(name).Int(depth - 1);
        Answer answer = Ask(KeptProxy(name).get(), "identity_to_and_fro", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(OH_IPCParcel_Append(request.reply, answer.reply.Get()), OH_IPC_SUCCESS);
        EXPECT_EQ(CurrentIdentity(), before);
    }
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// → as "identity", from a handler of a stub of this process that is called here; and whether it changed anything here
BEHAVIOUR(identity_in_a_direct_call)
{
    StubPtr stub = CreateStub("direct");
    ProxyPtr wrapper = WrapperOf(stub.get());
    Identity before = CurrentIdentity();
    Report report = ReportOf(wrapper.get());
    EXPECT_EQ(CurrentIdentity(), before);
    EXPECT_EQ(report.thread, CurrentThread());
    WriteReport(request.reply, report);
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, name of a report → ; tells the proxy to keep its report
BEHAVIOUR(tell_to_report)
{
    auto proxy = KeptProxy(request.data.Text());
    EXPECT_EQ(Tell(proxy.get(), "keep_report", Parcel().Text(request.data.Text())), OH_IPC_SUCCESS);
    return OH_IPC_SUCCESS;
}

TEST(own_identity_outside_of_handlers, "a process that handles nothing is told a caller, or 0")
{
    unsetenv(TOKEN_VARIABLE);
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    Actor &actor = StartActor();
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_SUCCESS);
    EXPECT_EQ(actor.Tell("pid"), OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    Threads threads;
    threads.Start([] { EXPECT_EQ(CurrentIdentity(), OwnIdentity()); });
    threads.Join();
}

TEST(caller_in_a_sync_handler, "a sync handler is told another process or user than its caller's, or the first token")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &first = StartActor();
    Actor &second = StartActor();
    second.Introduce("first", first.Proxy());
    for (int round = 0; round < 3; round++) {
        EXPECT_EQ(ReportOf(first.Proxy()).identity, CallersIdentity(getpid()));
        Answer answer = second.Ask("ask_kept", Parcel().Text("first").Text("identity"));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(second.Pid()));
    }
}

TEST(callers_of_concurrent_handlers, "the caller is kept for the process and not for each handler's thread")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &server = StartActor();
    Actor &other = StartActor();
    other.Introduce("server", server.Proxy());
    Threads callers;
    for (int index = 0; index < 4; index++) {
        callers.Start([&, index] {
            for (int round = 0; round < 50; round++) {
                if (index % 2 == 0) {
                    EXPECT_EQ(ReportOf(server.Proxy()).identity, CallersIdentity(getpid()));
                } else {
                    Answer answer = other.Ask("ask_kept", Parcel().Text("server").Text("identity"));
                    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
                    EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(other.Pid()));
                }
            }
        });
    }
    callers.Join();
}

TEST(no_pid_in_an_async_handler, "an async handler is told the sender's pid, or not its user")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    Actor &other = StartActor();
    other.Introduce("first", actor.Proxy());
    EXPECT_EQ(actor.Tell("keep_report", Parcel().Text("from the test")), OH_IPC_SUCCESS);
    EXPECT_EQ(other.Ask("tell_to_report", Parcel().Text("first").Text("from the other")).result, OH_IPC_SUCCESS);
    for (const char *name : { "from the test", "from the other" }) {
        Report report = ReadReport(actor.Ask("give_report", Parcel().Text(name)).Read());
        EXPECT_EQ(report.pid, actor.Pid());
        EXPECT_EQ(report.identity, CallersIdentity(0));
    }
}

TEST(callers_of_nested_requests, "a nested handler keeps the outer caller, or the outer handler the nested one")
{
    unsetenv(TOKEN_VARIABLE);
    constexpr int32_t DEPTH = 7;
    Actor &actor = StartActor();
    StubPtr own = CreateStub("own");
    actor.Introduce("other", own.get());
    KeepProxy("other", actor.CreateStub("stub"));
    Answer answer = actor.Ask("identity_to_and_fro", Parcel().Text("other").Int(DEPTH));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    for (int32_t depth = 0; depth <= DEPTH; depth++) {
        Report report = ReadReport(answer.Read());
        bool inActor = (DEPTH - depth) % 2 == 0;
        EXPECT_EQ(report.pid, inActor ? actor.Pid() : getpid());
        EXPECT_EQ(report.identity, CallersIdentity(inActor ? getpid() : actor.Pid()));
    }
    DropKeptProxy("other");
}

TEST(the_caller_is_the_nearest_one, "a handler is told who began the chain of calls")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &first = StartActor();
    Actor &second = StartActor();
    StubPtr own = CreateStub("own");
    first.Introduce("second", second.Proxy());
    second.Introduce("own", own.get());
    Parcel data;
    data.Text("second").Text("identity_around_a_request").Text("own").Text("nested");
    Answer answer = first.Ask("ask_kept", data);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(first.Pid()));
    EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(first.Pid()));
    EXPECT_EQ(AwaitKeptReport("nested").identity, CallersIdentity(second.Pid()));
    EXPECT_EQ(AwaitKeptReport("nested").thread, CurrentThread());
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
}

TEST(async_sent_in_a_handler, "a message sent in a handler carries the identity of that handler's caller")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    StubPtr own = CreateStub("own");
    actor.Introduce("own", own.get());
    EXPECT_EQ(actor.Ask("tell_to_report", Parcel().Text("own").Text("async")).result, OH_IPC_SUCCESS);
    EXPECT_EQ(AwaitKeptReport("async").identity, CallersIdentity(0));
}

TEST(direct_calls_outside_of_handlers, "a direct call counts as a request, or changes what its thread is told")
{
    unsetenv(TOKEN_VARIABLE);
    StubPtr stub = CreateStub("own");
    ProxyPtr wrapper = WrapperOf(stub.get());
    EXPECT_EQ(ReportOf(wrapper.get()).identity, OwnIdentity());
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    EXPECT_EQ(Tell(wrapper.get(), "keep_report", Parcel().Text("async")), OH_IPC_SUCCESS);
    EXPECT_EQ(AwaitKeptReport("async").identity, OwnIdentity());
    EXPECT_EQ(AwaitKeptReport("async").thread, CurrentThread());
}

TEST(direct_calls_in_handlers, "a direct call in a handler hides the handler's caller")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    Answer answer = actor.Ask("identity_in_a_direct_call");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(getpid()));
}

TEST(own_identity_in_callbacks, "a callback that is no request's handler is told a caller")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    auto report = [](void *name) { KeepReport(static_cast<const char *>(name)); };
    static char destroyed[] = "destroyed";
    static char died[] = "died";
    // Its last holder is the actor, so it dies on a thread of the library, in the course of a request.
    StubPtr stub(OH_IPCRemoteStub_Create(
        "conformance.callback", [](uint32_t, const OHIPCParcel *, OHIPCParcel *, void *) { return 0; }, report, destroyed));
    actor.Introduce("stub", stub.get());
    stub.reset();
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text("stub")).result, OH_IPC_SUCCESS);
    EXPECT_EQ(AwaitKeptReport(destroyed).identity, OwnIdentity());
    RecipientPtr recipient(OH_IPCDeathRecipient_Create(report, nullptr, died));
    ProxyPtr proxy = actor.CreateStub("dying");
    EXPECT_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy.get(), recipient.get()), OH_IPC_SUCCESS);
    actor.Kill();
    EXPECT_EQ(AwaitKeptReport(died).identity, OwnIdentity());
}

TEST(token_ids, "a process's token id is not what its variable says, or its peers are told another one")
{
    constexpr uint64_t FIRST = 0x123456789abcdef0;
    constexpr uint64_t LARGEST = UINT64_MAX;
    unsetenv(TOKEN_VARIABLE);
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    // From here on the variable is for the children: this process has none.
    Actor &first = StartActorWithToken("1311768467463790320");
    Actor &second = StartActorWithToken("18446744073709551615");
    Actor &none = StartActorWithToken(nullptr);
    first.Introduce("second", second.Proxy());
    second.Introduce("none", none.Proxy());
    none.Introduce("first", first.Proxy());

    EXPECT_EQ(ReportOf(first.Proxy()).identity, CallersIdentity(getpid(), 0, FIRST));
    EXPECT_EQ(ReportOf(second.Proxy()).identity, CallersIdentity(getpid(), 0, LARGEST));
    EXPECT_EQ(ReportOf(none.Proxy()).identity, CallersIdentity(getpid(), 0, 0));
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    struct {
        const Actor &from;
        const char *to;
        uint64_t fromToken;
        uint64_t toToken;
    } requests[] = { { first, "second", FIRST, LARGEST }, { second, "none", LARGEST, 0 }, { none, "first", 0, FIRST } };
    for (const auto &request : requests) {
        Answer answer = request.from.Ask("ask_kept", Parcel().Text(request.to).Text("identity"));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        EXPECT_EQ(ReadReport(answer.Read()).identity,
            CallersIdentity(request.from.Pid(), request.fromToken, request.toToken));
    }
}

TEST(token_id_in_an_async_handler, "an async handler is not told the sender's token id")
{
    Actor &first = StartActorWithToken("77");
    Actor &second = StartActorWithToken("78");
    first.Introduce("second", second.Proxy());
    EXPECT_EQ(first.Ask("tell_to_report", Parcel().Text("second").Text("async")).result, OH_IPC_SUCCESS);
    Answer answer = second.Ask("give_report", Parcel().Text("async"));
    EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(0, 77, 78));
}

TEST(own_token_id_outside_of_handlers, "a process's own token id is not its calling and first one outside of handlers")
{
    EXPECT_EQ(setenv(TOKEN_VARIABLE, "4242424242424242", 1), 0);
    EXPECT_EQ(CurrentIdentity(), OwnIdentity(4242424242424242));
    StubPtr stub = CreateStub("own");
    EXPECT_EQ(ReportOf(WrapperOf(stub.get()).get()).identity, OwnIdentity(4242424242424242));
    Actor &actor = StartActor();
    // The child has inherited it.
    EXPECT_EQ(ReportOf(actor.Proxy()).identity, CallersIdentity(getpid(), 4242424242424242, 4242424242424242));
}
