// SPDX-License-Identifier: Apache-2.0
// A process that others share their doorbell pages with writes garbage into them, all the time: who sleeps, and which channels have
// something. Nothing gets lost by that, of whatever kind.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "support.hpp"

namespace {

constexpr uint32_t COUNT = 1;
constexpr uint32_t CALL_BACK = 2;
constexpr uint32_t WAIT_TO_BE_LET_GO = 3;
constexpr uint32_t LET_GO = 4;

// Where the words lie: which workers sleep, which of the first 64 channels have something for workers, and for waiting threads.
constexpr size_t IDLE_WORKERS = 0;
constexpr size_t PENDING = 8;
constexpr size_t PENDING_NESTED = 24;
// A worker that there is not.
constexpr uint64_t NOBODY = UINT64_C(1) << 63;
constexpr int NEWCOMERS = 4;

struct Board {
    uint8_t servers[2 + NEWCOMERS][REFERENCE_BYTES];
    uint8_t clients[2][REFERENCE_BYTES];
    std::atomic<int> exported;
    std::atomic<int> pages;
    std::atomic<uint64_t> idleWorkers;
    std::atomic<int> received;
    std::atomic<int> calledBack;
    std::atomic<int> waiting;
    std::atomic<int> newcomers;
    std::atomic<int> ended;
    std::atomic<bool> letGo;
};
Board *board;
OHIPCRemoteProxy *client;

int Post(OHIPCRemoteProxy *proxy)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OH_IPC_MessageOption option = {};
    option.mode = OH_IPC_REQUEST_MODE_ASYNC;
    const int result = OH_IPCRemoteProxy_SendRequest(proxy, COUNT, data, nullptr, &option);
    OH_IPCParcel_Destroy(data);
    return result;
}

int Serve(uint32_t code, const OHIPCParcel *, OHIPCParcel *, void *)
{
    switch (code) {
    case COUNT:
        ++board->received;
        return 0;
    case CALL_BACK:
        return Call(client, COUNT);
    case WAIT_TO_BE_LET_GO:
        ++board->waiting;
        return Until([] { return board->letGo.load(); }) ? 0 : 1909001;
    default:
        board->letGo = true;
        return 0;
    }
}

void NoteEnd(void *)
{
    ++board->ended;
}

int ServeCallsBack(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    ++board->calledBack;
    return 0;
}

// The doorbell pages that this process has mapped: its own, and those of its peers.
std::vector<std::atomic<uint64_t> *> Pages()
{
    std::vector<std::atomic<uint64_t> *> pages;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
        if (strstr(line, "ipckit-doorbells") != nullptr) {
            pages.push_back(reinterpret_cast<std::atomic<uint64_t> *>(strtoull(line, nullptr, 16)));
        }
    }
    if (maps != nullptr) {
        fclose(maps);
    }
    return pages;
}

// The process that does it: a peer of both others.
void WriteGarbage()
{
    CHECK(Until([] { return board->exported >= 2; }));
    CHECK(ipckit_reference_import(board->servers[1]) != nullptr);
    CHECK(ipckit_reference_import(board->clients[1]) != nullptr);
    std::vector<std::atomic<uint64_t> *> pages = Pages();
    board->pages = static_cast<int>(pages.size());
    for (;;) {
        for (std::atomic<uint64_t> *page : pages) {
            page[IDLE_WORKERS].store(board->idleWorkers, std::memory_order_relaxed);
            page[PENDING].store(0, std::memory_order_relaxed);
            page[PENDING_NESTED].store(0, std::memory_order_relaxed);
        }
    }
}

void ServeRequests()
{
    for (auto &reference : board->servers) {
        Export(OH_IPCRemoteStub_Create("server", Serve, NoteEnd, nullptr), reference);
    }
    ++board->exported;
    CHECK(Until([] { return board->exported >= 2; }));
    client = ipckit_reference_import(board->clients[0]);
    CHECK(client != nullptr);
    ++board->exported;
}

// Each is waited for, so that the workers sleep again before the next is sent.
void NothingIsLost(OHIPCRemoteProxy *server)
{
    constexpr int ROUNDS = 10;
    board->received = 0;
    board->calledBack = 0;
    for (int round = 1; round <= ROUNDS; ++round) {
        CHECK_EQ(Post(server), OH_IPC_SUCCESS);
        if (!CHECK(Until([round] { return board->received == round; }))) {
            return;
        }
        CHECK_EQ(Call(server, CALL_BACK), OH_IPC_SUCCESS);
        CHECK_EQ(board->calledBack, round);
    }
}

// A process of whom no worker has heard sends its first message, and then holds nothing any more.
void Come(int number)
{
    CHECK(Until([number] { return board->newcomers == number; }));
    OHIPCRemoteProxy *server = ipckit_reference_import(board->servers[1 + number]);
    CHECK_EQ(Post(server), OH_IPC_SUCCESS);
    // From here on no message of this process's has a worker come.
    CHECK(Until([] { return board->received == 1; }));
    OH_IPCRemoteProxy_Destroy(server);
}

void NewcomersAreHeard()
{
    for (int number = 1; number <= NEWCOMERS; ++number) {
        board->received = 0;
        board->newcomers = number;
        CHECK(Until([] { return board->received == 1; }));
        // A worker ends the stub.
        CHECK(Until([number] { return board->ended == number; }));
    }
}

// While requests are being handled, another worker comes for the next.
void AnotherWorkerComes(OHIPCRemoteProxy *server)
{
    constexpr int WAITING = 6;
    std::vector<std::thread> callers;
    for (int count = 1; count <= WAITING; ++count) {
        callers.emplace_back([server] { CHECK_EQ(Call(server, WAIT_TO_BE_LET_GO), OH_IPC_SUCCESS); });
        CHECK(Until([count] { return board->waiting == count; }));
    }
    CHECK_EQ(Call(server, LET_GO), OH_IPC_SUCCESS);
    for (std::thread &caller : callers) {
        caller.join();
    }
}

} // namespace

int main()
{
    board = &Shared<Board>();
    board->idleWorkers = NOBODY;
    const pid_t server = Fork(ServeRequests);
    const pid_t writer = Fork(WriteGarbage);
    std::vector<pid_t> newcomers;
    for (int number = 1; number <= NEWCOMERS; ++number) {
        newcomers.push_back(Fork([number] { Come(number); }));
    }
    CHECK(Until([] { return board->exported == 1; }));
    for (auto &reference : board->clients) {
        Export(OH_IPCRemoteStub_Create("client", ServeCallsBack, nullptr, nullptr), reference);
    }
    ++board->exported;
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->servers[0]);
    CHECK(proxy != nullptr);
    CHECK(Until([] { return board->pages != 0 && board->exported == 3; }));
    CHECK_EQ(board->pages, 3);

    // First, while the server has few workers.
    AnotherWorkerComes(proxy);
    NewcomersAreHeard();
    for (uint64_t idleWorkers : {NOBODY, UINT64_C(0)}) {
        board->idleWorkers = idleWorkers;
        NothingIsLost(proxy);
    }
    OH_IPCRemoteProxy_Destroy(proxy);
    for (pid_t newcomer : newcomers) {
        Kill(newcomer);
    }
    Kill(writer);
    Kill(server);
    return check_result();
}
