// SPDX-License-Identifier: Apache-2.0
// A caller is who the kernel says it is: not who its messages say, and not who it would like to be taken for.
#include "log.hpp"
#include "robustness/raw_peer.hpp"

namespace {

struct Board {
    std::atomic<int> exported;
    std::atomic<uint64_t> process;
    std::atomic<uint64_t> user;
    uint8_t references[2][REFERENCE_BYTES];
};
Board *board;

int NoteCaller(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    board->process = OH_IPCSkeleton_GetCallingPid();
    board->user = OH_IPCSkeleton_GetCallingUid();
    return 0;
}

pid_t StartServer(int number, const Log &log)
{
    const int exported = board->exported;
    const pid_t server = Fork([number, &log] {
        log.Take();
        Export(OH_IPCRemoteStub_Create("server", NoteCaller, nullptr, nullptr), board->references[number]);
        ++board->exported;
    });
    CHECK(Until([exported] { return board->exported == exported + 1; }));
    return server;
}

// It gives an address where another process listens, or nobody.
void AnAddressOfSomebodyElse()
{
    const Log log;
    const pid_t server = StartServer(0, log);
    const pid_t victim = StartServer(1, log);
    const uint8_t nowhere[16] = {1, 2, 3};
    int refused = 0;
    for (const uint8_t *claimed : {static_cast<const uint8_t *>(board->references[1]), nowhere}) {
        RawPeer peer(board->references[0]);
        const Message answer = peer.SayHello(claimed);
        CHECK_EQ(answer.Kind(), REFUSED);
        CHECK_EQ(answer.First(), FOR_ADDRESS);
        CHECK(Until([&peer] { return peer.IsHungUp(); }));
        CHECK_EQ(log.Count("it gave an address that is not its own"), ++refused);
    }
    CHECK(log.Says("process " + std::to_string(getpid())));
    // The one that was claimed to be the caller is welcome, and is its own caller.
    const pid_t client = Fork([] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[0]);
        CHECK(proxy != nullptr && Call(proxy, 1) == OH_IPC_SUCCESS);
        CHECK_EQ(board->process.load(), static_cast<uint64_t>(getpid()));
        _exit(check_result());
    });
    CHECK_EQ(Reap(client), 0);
    Kill(server);
    Kill(victim);
}

// Whatever stands in a request where it says nothing, its caller is who has connected.
void FieldsThatNameNobody()
{
    const Log log;
    const pid_t server = StartServer(0, log);
    const uint8_t *known = board->references[0];
    RawPeer peer(known);
    if (peer.Greet() && CHECK(peer.Acquire(ObjectOf(known), SecretOf(known)))) {
        for (const uint8_t fill : {uint8_t{0}, uint8_t{1}, uint8_t{0x7f}, uint8_t{0xff}}) {
            board->process = 0;
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(known), fill), REPLY);
            CHECK_EQ(board->process.load(), static_cast<uint64_t>(getpid()));
            CHECK_EQ(board->user.load(), static_cast<uint64_t>(getuid()));
        }
        // One that is forked and goes on with the connection is taken for who made it, never for anybody of its choice.
        board->process = 0;
        const pid_t forked = Fork([&peer, known] { _exit(peer.Ask(REQUEST, ObjectOf(known)) == REPLY ? 0 : 1); });
        CHECK_EQ(Reap(forked), 0);
        CHECK_EQ(board->process.load(), static_cast<uint64_t>(getpid()));
    }
    Kill(server);
}

// Who asks that its own view of the caller be changed changes nobody else's, nor that of the next request.
int PretendToBeAnother(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    board->process = OH_IPCSkeleton_GetCallingPid();
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity("<0000000000000000000700000000000000000001" "4294967297"), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCSkeleton_GetCallingPid(), 1);
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[0]);
    const int result = proxy == nullptr ? 1909001 : Call(proxy, 1);
    OH_IPCRemoteProxy_Destroy(proxy);
    return result;
}

void AnIdentityThatAHandlerSets()
{
    const Log log;
    const pid_t server = StartServer(0, log);
    const int exported = board->exported;
    const pid_t pretender = Fork([] {
        Export(OH_IPCRemoteStub_Create("pretender", PretendToBeAnother, nullptr, nullptr), board->references[1]);
        ++board->exported;
    });
    CHECK(Until([exported] { return board->exported == exported + 1; }));
    const pid_t client = Fork([pretender] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[1]);
        if (CHECK(proxy != nullptr)) {
            CHECK_EQ(Call(proxy, 1), OH_IPC_SUCCESS);
            // What the pretender went on to call has seen the pretender.
            CHECK_EQ(board->process.load(), static_cast<uint64_t>(pretender));
            CHECK_EQ(board->user.load(), static_cast<uint64_t>(getuid()));
        }
        _exit(check_result());
    });
    CHECK_EQ(Reap(client), 0);
    Kill(server);
    Kill(pretender);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    AnAddressOfSomebodyElse();
    FieldsThatNameNobody();
    AnIdentityThatAHandlerSets();
    return check_result();
}
