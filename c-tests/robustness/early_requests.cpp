// SPDX-License-Identifier: Apache-2.0
// A process that is quicker than the one that welcomes it: its first request is there before the other has made the channel known to its
// workers. Another one sends while a worker is busy with the messages of a third. Nothing else ever comes that could make up for a
// look that missed them.
#include <cstdlib>

#include "raw_peer.hpp"

namespace {

struct Board {
    std::atomic<bool> exported;
    std::atomic<int> handled;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;

int Count(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    ++board->handled;
    return 0;
}

pid_t StartServer()
{
    const pid_t server = Fork([] {
        // What is not seen at once is not seen at all.
        setenv("IPCKIT_LATE_LOOKS", "0", 1);
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("server", Count, nullptr, nullptr);
        CHECK_EQ(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
        Export(stub, board->reference);
        board->exported = true;
    });
    CHECK(Until([] { return board->exported.load(); }));
    return server;
}

void RightAfterTheWelcome()
{
    for (int round = 0; round < 300 && check_failures == 0; ++round) {
        RawPeer peer(board->reference);
        if (peer.Greet()) {
            // That it holds no reference is answered as soon as it is seen.
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(board->reference)), NO_STUB);
        }
    }
}

// Each round two peers send a message at about the same time, and no other comes before both have been taken in.
void MessagesOfTwoAtOnce()
{
    constexpr int ROUNDS = 5000;
    RawPeer first(board->reference);
    RawPeer second(board->reference);
    RawPeer *const peers[] = {&first, &second};
    for (RawPeer *peer : peers) {
        CHECK(peer->Greet() && peer->Acquire(ObjectOf(board->reference), SecretOf(board->reference)));
    }
    std::atomic<int> round{0};
    std::atomic<int> posted{0};
    const auto post = [&round, &posted](RawPeer &peer) {
        for (int own = 1; own <= ROUNDS; ++own) {
            while (round < own) {
                std::this_thread::yield();
            }
            if (round > ROUNDS) {
                return;
            }
            peer.Post(ObjectOf(board->reference));
            ++posted;
        }
    };
    std::thread threads[] = {std::thread(post, std::ref(first)), std::thread(post, std::ref(second))};
    const auto all_are_taken = [&posted, &first, &second](int number) {
        return posted == 2 * number && first.MessagesAreTaken() && second.MessagesAreTaken();
    };
    for (int number = 1; number <= ROUNDS; ++number) {
        round = number;
        for (int look = 0; look < 100000 && !all_are_taken(number); ++look) {
            std::this_thread::yield();
        }
        if (!CHECK(Until([number, &all_are_taken] { return all_are_taken(number); }))) {
            break;
        }
    }
    round = ROUNDS + 1;
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace

int main()
{
    board = &Shared<Board>();
    const pid_t server = StartServer();
    RightAfterTheWelcome();
    MessagesOfTwoAtOnce();
    Kill(server);
    return check_result();
}
