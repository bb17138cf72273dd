// SPDX-License-Identifier: Apache-2.0
// Children that a program forks while it uses the library, and that touch what they inherit.
#include "support.hpp"

namespace {

constexpr uint32_t NOTHING = 1;
constexpr uint32_t FORK_AND_RETURN = 2;

struct Board {
    std::atomic<bool> exported;
    std::atomic<int> status_of_forked;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;

int Handle(uint32_t code, const OHIPCParcel *, OHIPCParcel *, void *)
{
    if (code == FORK_AND_RETURN) {
        const pid_t child = fork();
        if (child == 0) {
            return 0;
        }
        int status = -1;
        waitpid(child, &status, 0);
        board->status_of_forked = status;
    }
    return 0;
}

pid_t StartServer()
{
    board->exported = false;
    const pid_t server = Fork([] {
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("server", Handle, nullptr, nullptr);
        board->exported = Export(stub, board->reference);
    });
    CHECK(Until([] { return board->exported.load(); }));
    return server;
}

// The end of the last wrapper takes down what the parent kept for the dead process; nothing of it is the child's.
void DestroysAnInheritedProxyOfADeadProcess()
{
    const pid_t server = StartServer();
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->reference);
    if (!CHECK(proxy != nullptr)) {
        return;
    }
    CHECK_EQ(Call(proxy, NOTHING), OH_IPC_SUCCESS);
    Kill(server);
    CHECK(Until([proxy] { return OH_IPCRemoteProxy_IsRemoteDead(proxy) == 1; }));
    // The last references but the proxy's own go on other threads, a little after.
    for (int round = 0; round < 50; ++round) {
        const pid_t child = Fork([proxy] {
            OH_IPCRemoteProxy_Destroy(proxy);
            _exit(0);
        });
        if (!CHECK_EQ(Reap(child), 0)) {
            break;
        }
    }
    OH_IPCRemoteProxy_Destroy(proxy);
}

// The request is the parent's to answer: the child ends with a message instead, and the caller gets one answer.
void ReturnsFromAHandler()
{
    const pid_t server = StartServer();
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->reference);
    if (!CHECK(proxy != nullptr)) {
        return;
    }
    board->status_of_forked = -1;
    CHECK_EQ(Call(proxy, FORK_AND_RETURN), OH_IPC_SUCCESS);
    const int status = board->status_of_forked;
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 1);
    CHECK_EQ(Call(proxy, NOTHING), OH_IPC_SUCCESS);
    OH_IPCRemoteProxy_Destroy(proxy);
    Kill(server);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    DestroysAnInheritedProxyOfADeadProcess();
    ReturnsFromAHandler();
    return check_result();
}
