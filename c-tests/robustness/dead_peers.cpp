// SPDX-License-Identifier: Apache-2.0
// What stays of processes that have died while the program keeps their proxies.
#include <vector>

#include "support.hpp"

namespace {

constexpr uint32_t SEND_DESCRIPTOR = 1;
constexpr int SERVERS = 20;

struct Board {
    std::atomic<bool> exported;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;

int AnswerWithDescriptor(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(reply, STDERR_FILENO), OH_IPC_SUCCESS);
    return 0;
}

pid_t StartServer()
{
    board->exported = false;
    const pid_t server = Fork([] {
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("server", AnswerWithDescriptor, nullptr, nullptr);
        board->exported = Export(stub, board->reference);
    });
    CHECK(Until([] { return board->exported.load(); }));
    return server;
}

} // namespace

int main()
{
    board = &Shared<Board>();
    // Whatever the library opens once is open from here on.
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("here", AnswerWithDescriptor, nullptr, nullptr);
    uint8_t reference[REFERENCE_BYTES];
    Export(stub, reference);
    const int before = OpenDescriptors();

    std::vector<OHIPCRemoteProxy *> proxies;
    for (int count = 0; count < SERVERS; ++count) {
        const pid_t server = StartServer();
        proxies.push_back(ipckit_reference_import(board->reference));
        if (!CHECK(proxies.back() != nullptr)) {
            break;
        }
        CHECK_EQ(Call(proxies.back(), SEND_DESCRIPTOR), OH_IPC_SUCCESS);
        Kill(server);
    }
    CHECK(Until([before] { return OpenDescriptors() == before; }));
    for (OHIPCRemoteProxy *proxy : proxies) {
        CHECK(Call(proxy, SEND_DESCRIPTOR) != OH_IPC_SUCCESS);
        OH_IPCRemoteProxy_Destroy(proxy);
    }
    OH_IPCRemoteStub_Destroy(stub);
    return check_result();
}
