// SPDX-License-Identifier: Apache-2.0
// Wake-ups that are lost are counted and said, where a test asks for that. They get lost here because a process takes away from its own
// doorbell page which of its workers sleep.
#include <cstdio>
#include <cstring>

#include "support.hpp"

extern "C" uint32_t ipckit_lost_wake_ups(void);

namespace {

constexpr size_t IDLE_WORKERS = 0;

struct Board {
    uint8_t server[REFERENCE_BYTES];
    std::atomic<bool> exported;
    std::atomic<bool> forgets;
    std::atomic<int> received;
    std::atomic<uint32_t> lost;
};
Board *board;

int Serve(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    ++board->received;
    return 0;
}

// The first doorbell page that this process has mapped: its own.
std::atomic<uint64_t> *OwnDoorbells()
{
    std::atomic<uint64_t> *page = nullptr;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != nullptr && page == nullptr && fgets(line, sizeof line, maps) != nullptr) {
        if (strstr(line, "ipckit-doorbells") != nullptr) {
            page = reinterpret_cast<std::atomic<uint64_t> *>(strtoull(line, nullptr, 16));
        }
    }
    if (maps != nullptr) {
        fclose(maps);
    }
    return page;
}

void ServeRequests()
{
    Export(OH_IPCRemoteStub_Create("server", Serve, nullptr, nullptr), board->server);
    // There is no other page yet.
    std::atomic<uint64_t> *page = OwnDoorbells();
    CHECK(page != nullptr);
    board->exported = true;
    for (;;) {
        if (board->forgets) {
            page[IDLE_WORKERS].store(0, std::memory_order_relaxed);
        }
        board->lost = ipckit_lost_wake_ups();
    }
}

} // namespace

int main()
{
    board = &Shared<Board>();
    CHECK_EQ(setenv("IPCKIT_LATE_LOOKS", "2", 1), 0);
    const pid_t server = Fork(ServeRequests);
    CHECK(Until([] { return board->exported.load(); }));
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->server);
    CHECK(proxy != nullptr);
    CHECK_EQ(Call(proxy, 1), 0);
    CHECK_EQ(board->lost, 0u);

    board->forgets = true;
    OHIPCParcel *data = OH_IPCParcel_Create();
    OH_IPC_MessageOption option = {};
    option.mode = OH_IPC_REQUEST_MODE_ASYNC;
    // While a worker looks none need be woken; at last none does.
    int sent = 0;
    CHECK(Until([&] {
        if (board->received == sent + 1) {
            CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, nullptr, &option), 0);
            ++sent;
        }
        return board->lost > 0;
    }));
    board->forgets = false;
    CHECK(Until([&] { return board->received == sent + 1; }));
    OH_IPCParcel_Destroy(data);
    OH_IPCRemoteProxy_Destroy(proxy);
    Kill(server);
    return check_result();
}
