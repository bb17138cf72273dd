// SPDX-License-Identifier: Apache-2.0
// A child that is talked to: requests, its end at the parent's request, and its stub's end when the parent lets go.
#include "support.hpp"

namespace {

constexpr const char *LIBRARY = "libchild_library.so";
constexpr uint32_t ECHO = 1;
constexpr uint32_t LEAVE = 2;

// Sends a number and returns what the child makes of it.
int32_t Ask(const OHIPCRemoteProxy *proxy, uint32_t code, int32_t value)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    CHECK(data != nullptr && reply != nullptr);
    CHECK_EQUAL(OH_IPCParcel_WriteInt32(data, value), OH_IPC_SUCCESS);
    CHECK_EQUAL(OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, nullptr), OH_IPC_SUCCESS);
    int32_t answer = -1;
    CHECK_EQUAL(OH_IPCParcel_ReadInt32(reply, &answer), OH_IPC_SUCCESS);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
    return answer;
}

// The request that wakes a main procedure written as a bare wait is never lost, and is answered before the child goes.
void EndAtRequest()
{
    Facts facts;
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    const pid_t child = facts.LastPid();
    CHECK_EQUAL(Ask(proxy, LEAVE, 0), 0);
    AwaitEnd(child);
    CHECK(facts.Has("main_proc_woken"));
    CHECK_EQUAL(facts.Last("static_destructors"), "ran");
    AwaitThat("the news of the death", [&] { return OH_IPCRemoteProxy_IsRemoteDead(proxy) == 1; });
    OH_IPCRemoteProxy_Destroy(proxy);
}

void EndAtRequestInTheCallback(int code, OHIPCRemoteProxy *proxy)
{
    CHECK_EQUAL(code, NCP_NO_ERROR);
    CHECK_EQUAL(Ask(proxy, LEAVE, 0), 0);
    OnStarted(code, proxy);
}

// As early as can be, many times.
void EndAtTheFirstMoment()
{
    Facts facts;
    Behave("wait");
    for (size_t round = 0; round < 50; round++) {
        CHECK_EQUAL(OH_Ability_CreateNativeChildProcess(LIBRARY, EndAtRequestInTheCallback), NCP_NO_ERROR);
        OH_IPCRemoteProxy_Destroy(Outcomes::All().Await(round).proxy);
        AwaitEnd(facts.LastPid());
    }
    CHECK_EQUAL(facts.Of("main_proc_woken").size(), size_t{50});
}

void SeveralChildren()
{
    Behave("wait");
    std::vector<OHIPCRemoteProxy *> proxies;
    for (int index = 0; index < 4; index++) {
        proxies.push_back(StartWell(LIBRARY));
    }
    for (int round = 0; round < 100; round++) {
        for (OHIPCRemoteProxy *proxy : proxies) {
            CHECK_EQUAL(Ask(proxy, ECHO, round), round + 1);
        }
    }
    for (OHIPCRemoteProxy *proxy : proxies) {
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

// The library's own wrapper holds the stub no longer.
void StubDiesWhenTheParentLetsGo()
{
    Facts facts;
    Behave("wait");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    CHECK(!facts.Has("stub_destroyed"));
    OH_IPCRemoteProxy_Destroy(proxy);
    AwaitThat("the end of the stub", [&] { return facts.Has("stub_destroyed"); });
    CHECK(IsThere(facts.LastPid()));
}

// The wrapper is only freed when the library destroys it: the stub is the parent's.
void StubOutlivesItsWrapper()
{
    Facts facts;
    Behave("destroy its wrapper");
    OHIPCRemoteProxy *proxy = StartWell(LIBRARY);
    AwaitThat("the end of the wrapper", [&] { return facts.Has("wrapper_destroyed"); });
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    CHECK(!facts.Has("stub_destroyed"));
    OH_IPCRemoteProxy_Destroy(proxy);
    AwaitThat("the end of the stub", [&] { return facts.Has("stub_destroyed"); });
    CHECK_EQUAL(facts.Of("stub_destroyed").size(), size_t{1});
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"end_at_request", EndAtRequest}, {"end_at_the_first_moment", EndAtTheFirstMoment},
            {"several_children", SeveralChildren}, {"stub_dies_when_the_parent_lets_go", StubDiesWhenTheParentLetsGo},
            {"stub_outlives_its_wrapper", StubOutlivesItsWrapper}});
}
