// SPDX-License-Identifier: Apache-2.0
// A stub that only the other process holds comes back in that process's reply, and lives.
#include "support.hpp"

namespace {

constexpr uint32_t MAKE = 1;
constexpr uint32_t HAVE_MADE = 2;
constexpr int ROUNDS = 1000;

struct Board {
    std::atomic<bool> exported;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;
std::atomic<int> living;

void CountEnd(void *)
{
    living--;
}

// Makes a stub, and keeps nothing of it.
int Make(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    living++;
    OHIPCRemoteStub *made = OH_IPCRemoteStub_Create("made", Make, CountEnd, nullptr);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(reply, made), OH_IPC_SUCCESS);
    OH_IPCRemoteStub_Destroy(made);
    return 0;
}

// Has the caller make a stub, and gives it that.
int HaveMade(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    OHIPCRemoteProxy *maker = OH_IPCParcel_ReadRemoteProxy(data);
    OHIPCParcel *nothing = OH_IPCParcel_Create();
    OHIPCParcel *answer = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(maker, MAKE, nothing, answer, nullptr), OH_IPC_SUCCESS);
    OHIPCRemoteProxy *made = OH_IPCParcel_ReadRemoteProxy(answer);
    CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(reply, made), OH_IPC_SUCCESS);
    OH_IPCRemoteProxy_Destroy(made);
    OH_IPCRemoteProxy_Destroy(maker);
    OH_IPCParcel_Destroy(answer);
    OH_IPCParcel_Destroy(nothing);
    return 0;
}

} // namespace

int main()
{
    board = &Shared<Board>();
    const pid_t server = Fork([] {
        board->exported = Export(OH_IPCRemoteStub_Create("server", HaveMade, nullptr, nullptr), board->reference);
    });
    CHECK(Until([] { return board->exported.load(); }));
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->reference);
    OHIPCRemoteStub *maker = OH_IPCRemoteStub_Create("maker", Make, nullptr, nullptr);
    OHIPCParcel *data = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(data, maker), OH_IPC_SUCCESS);
    for (int round = 0; round < ROUNDS; round++) {
        OHIPCParcel *reply = OH_IPCParcel_Create();
        CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, HAVE_MADE, data, reply, nullptr), OH_IPC_SUCCESS);
        OHIPCRemoteStub *made = OH_IPCParcel_ReadRemoteStub(reply);
        OH_IPCParcel_Destroy(reply);
        if (!CHECK(made != nullptr)) {
            break;
        }
        OH_IPCRemoteStub_Destroy(made);
    }
    CHECK(Until([] { return living == 0; }));
    OH_IPCParcel_Destroy(data);
    OH_IPCRemoteStub_Destroy(maker);
    OH_IPCRemoteProxy_Destroy(proxy);
    Kill(server);
    return check_result();
}
