// SPDX-License-Identifier: Apache-2.0
// One processor for all processes: whoever waits for another one has to let it run.
#include "limits.hpp"

#include <sched.h>

namespace {

// For this process and those that it starts.
void UseOneProcessor()
{
    cpu_set_t allowed;
    CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    CHECK(sched_setaffinity(0, sizeof allowed, &allowed) == 0);
}

void CallsFromManyThreads()
{
    constexpr int THREADS = 8;
    constexpr int ROUNDS = 300;
    UseOneProcessor();
    const Server server;
    OHIPCRemoteProxy *proxy = server.Connect();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("called back", OnEcho, nullptr, nullptr);
    std::atomic<int> well{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < THREADS; number++) {
        threads.emplace_back([&] {
            for (int round = 0; round < ROUNDS; round++) {
                well += Ask(proxy, ECHO, round) == round + 1;
                well += Ask(proxy, CALL_BACK, 0, stub) == 7;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK_EQUAL(well.load(), 2 * THREADS * ROUNDS);
    CheckThatItWorks(server);
}

std::atomic<int> g_counted{0};

int OnCount(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    g_counted++;
    return OH_IPC_SUCCESS;
}

// More than are taken in at once, of processes that take each other's processor away.
void MessagesOfManyProcesses()
{
    constexpr int SENDERS = 4;
    constexpr int MESSAGES = 2000;
    UseOneProcessor();
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    std::vector<pid_t> senders;
    for (int number = 0; number < SENDERS; number++) {
        senders.push_back(Fork([&] {
            Reference reference;
            ReadAll(pipes[0], reference.data(), reference.size());
            OHIPCRemoteProxy *proxy = ipckit_reference_import(reference.data());
            CHECK(proxy != nullptr);
            OH_IPC_MessageOption async{OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr};
            OHIPCParcel *data = OH_IPCParcel_Create();
            CHECK_EQUAL(OH_IPCParcel_WriteInt32(data, 1), OH_IPC_SUCCESS);
            for (int sent = 0; sent < MESSAGES;) {
                const int result = OH_IPCRemoteProxy_SendRequest(proxy, 1, data, nullptr, &async);
                CHECK(result == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR);
                sent += result == OH_IPC_SUCCESS;
            }
        }));
    }
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("counting", OnCount, nullptr, nullptr);
    CHECK_EQUAL(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
    Reference reference;
    CHECK_EQUAL(ipckit_reference_export(stub, reference.data()), 0);
    for (int number = 0; number < SENDERS; number++) {
        WriteAll(pipes[1], reference.data(), reference.size());
    }
    for (const pid_t sender : senders) {
        AwaitSuccess(sender);
    }
    AwaitThat("all messages", [] { return g_counted == SENDERS * MESSAGES; });
}

void ChildrenAndDeaths()
{
    UseOneProcessor();
    Facts facts;
    Behave("wait");
    const std::string library = ChildLibrary();
    for (int round = 0; round < 10; round++) {
        static std::atomic<int> told{0};
        OHIPCRemoteProxy *proxy = StartWell(library);
        OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create([](void *) { told++; }, nullptr, nullptr);
        CHECK_EQUAL(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
        CHECK(kill(facts.LastPid(), SIGKILL) == 0);
        AwaitThat("a death to be told", [&] { return told == round + 1; });
        OH_IPCDeathRecipient_Destroy(recipient);
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

} // namespace

int main(int count, char **arguments)
{
    return RunScenario(count, arguments,
        {{"calls_from_many_threads", CallsFromManyThreads}, {"messages_of_many_processes", MessagesOfManyProcesses},
            {"children_and_deaths", ChildrenAndDeaths}});
}
