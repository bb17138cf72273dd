// SPDX-License-Identifier: Apache-2.0
// A process is stopped: who asks it something waits, everybody else goes on, and when it continues it has lost nothing.
#include "processes.hpp"

namespace {

void Stop(const Server &server)
{
    CHECK(kill(server.Pid(), SIGSTOP) == 0);
    int status = 0;
    AwaitThat("a stop", [&] { return waitpid(server.Pid(), &status, WUNTRACED | WNOHANG) == server.Pid(); });
    CHECK(WIFSTOPPED(status));
}

void Continue(const Server &server)
{
    CHECK(kill(server.Pid(), SIGCONT) == 0);
}

int Post(OHIPCRemoteProxy *proxy)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    CHECK_EQUAL(OH_IPCParcel_WriteInt32(data, 1), OH_IPC_SUCCESS);
    OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
    const int result = OH_IPCRemoteProxy_SendRequest(proxy, ECHO, data, nullptr, &async);
    OH_IPCParcel_Destroy(data);
    return result;
}

// One that is called.
void Callee()
{
    const Server stopped;
    const Server other;
    OHIPCRemoteProxy *proxy = stopped.Connect();
    CHECK_EQUAL(Ask(proxy, ECHO, 1), 2);
    Stop(stopped);
    std::atomic<int> answered{0};
    std::vector<std::thread> callers;
    for (int number = 0; number < 4; number++) {
        callers.emplace_back([&, number] { answered += Ask(proxy, ECHO, number) == number + 1; });
    }
    // Whatever needs no answer does not wait: messages, objects, and all of another process's.
    for (int number = 0; number < 100; number++) {
        CHECK_EQUAL(Post(proxy), OH_IPC_SUCCESS);
        CheckThatItWorks(other);
    }
    CHECK_EQUAL(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr);
    CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
    CHECK_EQUAL(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
    OH_IPCDeathRecipient_Destroy(recipient);
    CHECK_EQUAL(answered.load(), 0);
    Continue(stopped);
    for (std::thread &caller : callers) {
        caller.join();
    }
    CHECK_EQUAL(answered.load(), 4);
    CheckThatItWorks(stopped);
    OH_IPCRemoteProxy_Destroy(proxy);
}

// One that is connected to: the handshake waits, and others get through theirs.
void NewPeer()
{
    const Server stopped;
    const Server other;
    Stop(stopped);
    std::atomic<bool> connected{false};
    std::thread connecting([&] {
        CheckThatItWorks(stopped);
        connected = true;
    });
    CheckThatItWorks(other);
    CHECK(!connected);
    Continue(stopped);
    connecting.join();
    CHECK(connected);
}

// It never continues: who waits for it, or for the handshake with it, learns of its death.
void NeverContinues()
{
    for (int round = 0; round < 10; round++) {
        const Server known;
        const Server unknown;
        OHIPCRemoteProxy *proxy = known.Connect();
        Stop(known);
        Stop(unknown);
        std::thread caller([&] { CHECK_EQUAL(Ask(proxy, ECHO, 1), OH_IPC_DEAD_REMOTE_OBJECT); });
        std::thread connecting([&] { CHECK(unknown.Import() == nullptr); });
        CHECK(kill(known.Pid(), SIGKILL) == 0 && kill(unknown.Pid(), SIGKILL) == 0);
        caller.join();
        connecting.join();
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

// One that calls is stopped in the middle of its calls, again and again: who serves it goes on with others, and each of its own calls ends.
void Caller()
{
    const Server server;
    const pid_t calling = Fork([&] {
        OHIPCRemoteProxy *proxy = server.Connect();
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
        for (int round = 0; round < 400; round++) {
            CHECK_EQUAL(Ask(proxy, ECHO, round), round + 1);
            CHECK_EQUAL(Ask(proxy, CALL_BACK, 0, stub), 7);
            const int posted = Post(proxy);
            CHECK(posted == OH_IPC_SUCCESS || posted == OH_IPC_INNER_ERROR);
        }
    });
    int stops = 0;
    int status = 0;
    while (waitpid(calling, &status, WNOHANG) != calling) {
        kill(calling, SIGSTOP);
        CheckThatItWorks(server);
        kill(calling, SIGCONT);
        stops++;
    }
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
    CHECK(stops > 1);
    CheckThatItWorks(server);
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"callee", Callee}, {"new_peer", NewPeer}, {"never_continues", NeverContinues}, {"caller", Caller}});
}
