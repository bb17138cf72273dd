// SPDX-License-Identifier: Apache-2.0
// Handlers that put their caller's identity off, and another one on.
#include <cstdlib>
#include <iomanip>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

namespace {

constexpr char TOKEN_VARIABLE[] = "IPCKIT_TOKEN_ID";
// A made-up identity.
constexpr char FORGED[] = "sid<00000000000000000009000000000000000000124294967299";

void *Allocate(int32_t length)
{
    return std::malloc(static_cast<size_t>(length));
}

void *AllocateNothing(int32_t)
{
    return nullptr;
}

std::string Digits(uint64_t number)
{
    std::ostringstream text;
    text << std::setw(20) << std::setfill('0') << number;
    return text.str();
}

// What ResetCallingIdentity gives for such a caller, 0 for no token.
std::string TextOf(uint64_t token, uint64_t pid, uint64_t uid)
{
    return "<" + Digits(token) + Digits(pid) + std::to_string(uid << 32 | pid);
}

// Puts the identity off, and yields the text.
std::string Reset()
{
    char *identity = nullptr;
    int32_t length = -7;
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, Allocate), OH_IPC_SUCCESS);
    if (!EXPECT(identity != nullptr)) {
        return "nothing";
    }
    std::string text = identity;
    EXPECT_EQ(length, static_cast<int32_t>(text.size() + 1));
    std::free(identity);
    return text;
}

// A process that handles a request, and acts for itself.
Identity OwnIdentityInHandler()
{
    Identity identity = OwnIdentity();
    identity.firstToken = 0;
    identity.handling = 1;
    return identity;
}

Identity Made(uint64_t pid, uint64_t uid, uint64_t token, const Identity &before)
{
    Identity identity = before;
    identity.callingPid = pid;
    identity.callingUid = uid;
    identity.callingToken = token != 0 ? token : uid;
    return identity;
}

struct Attempt {
    const char *text;
    bool accepted;
    uint64_t pid;
    uint64_t uid;
    uint64_t token;
};

// 20 characters of token id, 20 of pid, then uid << 32 | pid in decimal.
const Attempt ATTEMPTS[] = {
    // As they were tried on a device.
    { "", false, 0, 0, 0 },
    { "x", false, 0, 0, 0 },
    { "<", false, 0, 0, 0 },
    { "00000000000000000000", false, 0, 0, 0 },
    { "000000000000000000000", false, 0, 0, 0 },
    { "<000000000000000000000000000000000000000000", true, 0, 0, 0 },
    { "<0000000000000000000000000000000000000000", false, 0, 0, 0 },
    { "<00000000000000000007000000000000000000081234", true, 1234, 0, 7 },
    { "<00000000000000000000000000000000000000055", true, 5, 0, 0 },
    { "<0000000000000000000000000000000000000005x", false, 0, 0, 0 },
    { "<000000000000000000000000000000000000000-1", false, 0, 0, 0 },
    { FORGED, true, 3, 1, 9 },
    { "<00000000000000000000-00000000000000000055", false, 0, 0, 0 },
    { "<0000000000000000000x000000000000000000055", false, 0, 0, 0 },
    { "<00000000000000000000000000000000000000000099999999999999999999999", false, 0, 0, 0 },
    { "<0000000000000000000000000000000000000000-5", false, 0, 0, 0 },
    { "no separator but quite long, longer than twenty", false, 0, 0, 0 },
    { "<000000000000000000000000000000000000000018446744073709551615", false, 0, 0, 0 },
    { "<00000000000000000000000000000000000000009223372036854775807", false, 0, 0, 0 },
    { "< 0000000000000000000                   55", true, 5, 0, 0 },
    // The edges of what is a number.
    { "<00000000000000000001000000000000000000029223372034707292159", true, 2147483647, 2147483647, 1 },
    { "<00000000000000000001000000000000000000029223372036854775808", false, 0, 0, 0 },
    { "<00000000000000000001000000000000000000022147483648", false, 0, 0, 0 },
    { "<00000000000000000001000000000021474836475", true, 5, 0, 1 },
    { "<00000000000000000001000000000021474836485", false, 0, 0, 0 },
    { "<184467440737095516150000000000000000000212884901892", true, 4, 3, UINT64_MAX },
    { "<18446744073709551616000000000000000000025", false, 0, 0, 0 },
    { "<0000000000000000000100000000000000000002   12884901892", true, 4, 3, 1 },
    { "<000000000000000000010000000000000000000212884901892x", false, 0, 0, 0 },
    { "<                   x000000000000000000025", false, 0, 0, 0 },
    { "<0000000000000000000", false, 0, 0, 0 },
    { "<00000000000000000001", false, 0, 0, 0 },
    { "<000000000000000000010000000000000000000", false, 0, 0, 0 },
};

} // namespace

// → text of the first Reset, of the second; whether all else is as it has to be is checked here
BEHAVIOUR(put_off_and_on)
{
    Identity callers = CurrentIdentity();
    std::string text = Reset();
    EXPECT_EQ(CurrentIdentity(), OwnIdentityInHandler());
    EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(text.c_str()), OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), callers);

    EXPECT_EQ(Reset(), text);
    std::string second = Reset();
    EXPECT_EQ(CurrentIdentity(), OwnIdentityInHandler());
    EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(text.c_str()), OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), callers);
    WriteText(request.reply, text);
    WriteText(request.reply, second);
    return OH_IPC_SUCCESS;
}

// → text of the first Reset, of the second
BEHAVIOUR(show_reset_texts)
{
    WriteText(request.reply, Reset());
    WriteText(request.reply, Reset());
    return OH_IPC_SUCCESS;
}

// → ; a Reset whose allocator fails
BEHAVIOUR(put_off_without_memory)
{
    char untouched = 0;
    char *identity = &untouched;
    int32_t length = -7;
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, AllocateNothing), OH_IPC_MEM_ALLOCATOR_ERROR);
    EXPECT_EQ(length, -7);
    EXPECT_EQ(CurrentIdentity(), OwnIdentityInHandler());
    return OH_IPC_SUCCESS;
}

// → ; NULLs
BEHAVIOUR(put_off_with_null)
{
    Identity before = CurrentIdentity();
    char *identity = nullptr;
    int32_t length = -7;
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(nullptr, &length, Allocate), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, nullptr, Allocate), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, nullptr), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(nullptr), OH_IPC_CHECK_PARAM_ERROR);
    EXPECT(identity == nullptr);
    EXPECT_EQ(length, -7);
    EXPECT_EQ(CurrentIdentity(), before);
    return OH_IPC_SUCCESS;
}

// → ; puts each of the texts on
BEHAVIOUR(put_on_all_texts)
{
    Identity expected = CurrentIdentity();
    for (const Attempt &attempt : ATTEMPTS) {
        Context context("text '", attempt.text, "'");
        if (attempt.accepted) {
            expected = Made(attempt.pid, attempt.uid, attempt.token, expected);
        }
        EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(attempt.text), attempt.accepted ? OH_IPC_SUCCESS : OH_IPC_INNER_ERROR);
        EXPECT_EQ(CurrentIdentity(), expected);
    }
    return OH_IPC_SUCCESS;
}

// whether to forge or to put off → own thread (long), and the identity before; leaves it changed
BEHAVIOUR(leave_changed)
{
    WriteLong(request.reply, CurrentThread());
    WriteReport(request.reply, CurrentReport());
    if (request.data.Int() != 0) {
        EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(FORGED), OH_IPC_SUCCESS);
        EXPECT_EQ(OH_IPCSkeleton_GetCallingPid(), 3u);
    } else {
        Reset();
        EXPECT_EQ(OH_IPCSkeleton_GetCallingPid(), static_cast<uint64_t>(getpid()));
    }
    return OH_IPC_SUCCESS;
}

// whether to forge or to put off, name of a kept proxy → its answer to "leave_changed"; changes the identity before
BEHAVIOUR(ask_with_changed_identity)
{
    int32_t forge = request.data.Int();
    auto proxy = KeptProxy(request.data.Text());
    if (forge != 0) {
        EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(FORGED), OH_IPC_SUCCESS);
    } else {
        Reset();
    }
    Identity before = CurrentIdentity();
    Answer answer = Ask(proxy.get(), "leave_changed", Parcel().Int(1 - forge));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), before);
    return OH_IPCParcel_Append(request.reply, answer.reply.Get());
}

// → ; a direct call changes the identity
BEHAVIOUR(change_in_a_direct_call)
{
    StubPtr stub = CreateStub("direct");
    Parcel parcel;
    parcel.Stub(stub.get());
    ProxyPtr wrapper = parcel.Read().Proxy();
    Identity callers = CurrentIdentity();
    Answer answer = Ask(wrapper.get(), "leave_changed", Parcel().Int(1));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Long(), CurrentThread());
    EXPECT_EQ(ReadReport(answer.Read()).identity, callers);
    // It is the handler's identity that was changed: the direct call had none of its own.
    EXPECT_EQ(CurrentIdentity(), Made(3, 1, 9, callers));
    return OH_IPC_SUCCESS;
}

// counter's name, token of the sender (long) → ; puts the identity of an async request off and on
BEHAVIOUR(put_off_in_async)
{
    Counter done(request.data.Text());
    auto token = static_cast<uint64_t>(request.data.Long());
    EXPECT_EQ(CurrentIdentity(), CallersIdentity(0, token));
    std::string text = Reset();
    EXPECT_EQ(text, TextOf(token, 0, geteuid()));
    EXPECT_EQ(CurrentIdentity(), OwnIdentityInHandler());
    EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(text.c_str()), OH_IPC_SUCCESS);
    EXPECT_EQ(CurrentIdentity(), CallersIdentity(0, token));
    done.Add();
    return OH_IPC_SUCCESS;
}

TEST(reset_in_a_handler, "the text has another form, or the identity is not the process's own until it is put on again")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    Answer answer = actor.Ask("put_off_and_on");
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    auto pid = static_cast<uint64_t>(getpid());
    EXPECT_EQ(answer.Read().Text(), TextOf(0, pid, geteuid()));
    // The process's own values, and where it has no token id its uid.
    EXPECT_EQ(answer.Read().Text(), TextOf(geteuid(), static_cast<uint64_t>(actor.Pid()), geteuid()));
}

TEST(reset_shows_token_ids, "the text leaves the token id out, or cuts it")
{
    Actor *actors[2];
    const char *tokens[] = { "18446744073709551615", "12" };
    for (int index = 0; index < 2; index++) {
        EXPECT_EQ(setenv(TOKEN_VARIABLE, tokens[index], 1), 0);
        actors[index] = &StartActor();
    }
    for (int index = 0; index < 2; index++) {
        actors[index]->Introduce("other", actors[1 - index]->Proxy());
    }
    uint64_t numbers[] = { UINT64_MAX, 12 };
    for (int from = 0; from < 2; from++) {
        Answer answer = actors[from]->Ask("ask_kept", Parcel().Text("other").Text("show_reset_texts"));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        auto caller = static_cast<uint64_t>(actors[from]->Pid());
        auto handler = static_cast<uint64_t>(actors[1 - from]->Pid());
        EXPECT_EQ(answer.Read().Text(), TextOf(numbers[from], caller, geteuid()));
        EXPECT_EQ(answer.Read().Text(), TextOf(numbers[1 - from], handler, geteuid()));
    }
}

TEST(reset_without_memory, "a failing allocator keeps the identity, or its code is not told")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("put_off_without_memory").result, OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(actor.Ask("identity").Read()).identity, CallersIdentity(getpid()));
}

TEST(null_arguments, "a NULL argument is not refused, or changes the identity")
{
    unsetenv(TOKEN_VARIABLE);
    Behaviour_put_off_with_null(Request{ 0, Reader(nullptr), nullptr, std::string() });
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("put_off_with_null").result, OH_IPC_SUCCESS);
}

TEST(all_texts_in_a_handler, "a malformed text is accepted, or changes something, or a good one is refused")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("put_on_all_texts").result, OH_IPC_SUCCESS);
    EXPECT_EQ(ReadReport(actor.Ask("identity").Read()).identity, CallersIdentity(getpid()));
}

TEST(all_texts_outside_of_handlers, "a text is looked at outside of handlers, or has an effect there")
{
    unsetenv(TOKEN_VARIABLE);
    EXPECT_EQ(Reset(), "");
    EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    char *identity = nullptr;
    int32_t length = -7;
    EXPECT_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, AllocateNothing), OH_IPC_MEM_ALLOCATOR_ERROR);
    for (const Attempt &attempt : ATTEMPTS) {
        Context context("text '", attempt.text, "'");
        EXPECT_EQ(OH_IPCSkeleton_SetCallingIdentity(attempt.text), OH_IPC_SUCCESS);
        EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    }
    // Nor has it for requests that are handled or made afterwards.
    Actor &actor = StartActor();
    EXPECT_EQ(ReadReport(actor.Ask("identity").Read()).identity, CallersIdentity(getpid()));
}

TEST(a_change_ends_with_its_handler, "a changed identity is kept for the thread's next requests")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    std::set<int64_t> threads;
    int asked = 0;
    // More requests than there can be threads: one of them comes to a thread whose identity was changed before.
    for (; asked < 20; asked++) {
        Answer answer = actor.Ask("leave_changed", Parcel().Int(asked % 2));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        threads.insert(answer.Read().Long());
        EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(getpid()));
    }
    EXPECT(static_cast<int>(threads.size()) < asked);
}

TEST(a_change_ends_on_a_waiting_thread, "a nested handler's change stays with the thread that waited")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    StubPtr own = CreateStub("own");
    actor.Introduce("back", own.get());
    for (int forge = 0; forge < 2; forge++) {
        Answer answer = actor.Ask("ask_kept", Parcel().Text("back").Text("leave_changed").Int(forge));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Long(), CurrentThread());
        EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(actor.Pid()));
        EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    }
}

TEST(a_changed_identity_and_nested_requests,
    "a made-up identity is sent along, or a nested handler's change reaches the outer one, or ends it")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    StubPtr own = CreateStub("own");
    actor.Introduce("back", own.get());
    for (int forge = 0; forge < 2; forge++) {
        Parcel data;
        data.Int(forge).Text("back");
        Answer answer = actor.Ask("ask_with_changed_identity", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Long(), CurrentThread());
        EXPECT_EQ(ReadReport(answer.Read()).identity, CallersIdentity(actor.Pid()));
        EXPECT_EQ(CurrentIdentity(), OwnIdentity());
    }
}

TEST(a_change_in_a_direct_call, "a direct call has an identity of its own, which ends with it")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Ask("change_in_a_direct_call").result, OH_IPC_SUCCESS);
}

TEST(reset_in_an_async_handler, "the text of an async request shows its sender's pid")
{
    unsetenv(TOKEN_VARIABLE);
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Tell("put_off_in_async", Parcel().Text("done").Long(0)), OH_IPC_SUCCESS);
    Counter("done").AwaitAtLeast(1);
    EXPECT_EQ(setenv(TOKEN_VARIABLE, "77", 1), 0);
    Actor &sender = StartActor();
    sender.Introduce("other", actor.Proxy());
    Parcel data;
    data.Text("other").Text("put_off_in_async").Text("done").Long(77);
    EXPECT_EQ(sender.Ask("tell_kept", data).Read().Int(), OH_IPC_SUCCESS);
    Counter("done").AwaitAtLeast(2);
}
