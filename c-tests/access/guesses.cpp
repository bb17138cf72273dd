// SPDX-License-Identifier: Apache-2.0
// A reference is needed to reach a stub: who knows its process, the socket's name and the stub's number, and guesses at the secret, is
// refused, and the log says so without being flooded.
#include "log.hpp"
#include "robustness/raw_peer.hpp"

#include <vector>

namespace {

constexpr int STUBS = 2;

struct Board {
    std::atomic<bool> exported;
    std::atomic<int> handled;
    uint8_t references[STUBS][REFERENCE_BYTES];
};
Board *board;

int Count(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    ++board->handled;
    return 0;
}

// A stub that lives as long as the process, and a reference to it that is good as often as it is used.
void ExportForGood(uint8_t *reference)
{
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("kept", Count, nullptr, nullptr);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
    Export(stub, reference);
    OH_IPCRemoteStub_Destroy(stub);
}

pid_t StartServer(const Log &log)
{
    board->exported = false;
    const pid_t server = Fork([&log] {
        log.Take();
        for (uint8_t *reference : board->references) {
            ExportForGood(reference);
        }
        board->exported = true;
    });
    CHECK(Until([] { return board->exported.load(); }));
    return server;
}

using Guess = std::vector<uint8_t>;

Guess WithSecret(const uint8_t *reference, uint64_t secret)
{
    Guess guess(reference, reference + REFERENCE_BYTES);
    memcpy(&guess[24], &secret, sizeof secret);
    return guess;
}

// What somebody could come upon who knows all but the secret of the first stub, or has the reference to another.
std::vector<Guess> Guesses()
{
    const uint8_t *known = board->references[0];
    const uint64_t secret = SecretOf(known);
    std::vector<Guess> guesses;
    for (uint64_t other : {UINT64_C(0), UINT64_MAX, ObjectOf(known), secret + 1, secret - 1, ~secret, SecretOf(board->references[1])}) {
        guesses.push_back(WithSecret(known, other));
    }
    for (int bit = 0; bit < 64; ++bit) {
        guesses.push_back(WithSecret(known, secret ^ UINT64_C(1) << bit));
    }
    for (int count = 0; count < 1000; ++count) {
        uint64_t random = 0;
        CHECK_EQ(getrandom(&random, sizeof random, 0), static_cast<ssize_t>(sizeof random));
        guesses.push_back(WithSecret(known, random));
    }
    return guesses;
}

// By the library's own means, with bytes that are no reference.
void GuessesAreRefusedAndLogged()
{
    const Log log;
    const pid_t server = StartServer(log);
    const auto start = std::chrono::steady_clock::now();
    const pid_t client = Fork([] {
        const std::vector<Guess> guesses = Guesses();
        for (const Guess &guess : guesses) {
            CHECK(ipckit_reference_import(guess.data()) == nullptr);
        }
        // The right one, of a holder, is as good as ever.
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[0]);
        if (CHECK(proxy != nullptr)) {
            CHECK_EQ(board->handled.load(), 0);
            CHECK_EQ(Call(proxy, 1), OH_IPC_SUCCESS);
            CHECK_EQ(board->handled.load(), 1);
        }
        _exit(check_result());
    });
    CHECK_EQ(Reap(client), 0);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
    const int lines = log.Count("asked for an object that it holds no valid reference to");
    CHECK(lines >= 1 && lines <= seconds + 2);
    CHECK(log.Says("process " + std::to_string(client)));
    Kill(server);
}

// A channel is no reference: who has one, of whatever stub, reaches no other.
void AChannelIsNoReference()
{
    const Log log;
    board->handled = 0;
    const pid_t server = StartServer(log);
    const uint8_t *known = board->references[0];
    const uint8_t *other = board->references[1];
    {
        RawPeer peer(known);
        if (peer.Greet()) {
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(known)), NO_STUB);
            CHECK_EQ(peer.Ask(DESCRIPTOR, ObjectOf(known)), NO_STUB);
            peer.Post(ObjectOf(known));
            CHECK(Until([&peer] { return peer.MessagesAreTaken(); }));
            CHECK(!peer.Acquire(ObjectOf(known), SecretOf(known) ^ 1));
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(known)), NO_STUB);
            CHECK_EQ(board->handled.load(), 0);

            // What makes the difference is the secret.
            CHECK(peer.Acquire(ObjectOf(known), SecretOf(known)));
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(known)), REPLY);
            CHECK_EQ(board->handled.load(), 1);
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(other)), NO_STUB);
            CHECK_EQ(board->handled.load(), 1);
        }
    }
    CHECK(log.Says("called an object that it holds no reference to"));
    CHECK(log.Says("sent a message to an object that it holds no reference to"));
    CHECK(log.Says("asked for an object that it holds no valid reference to"));
    Kill(server);
}

// Processes that were forked by the same one number their stubs alike. The secret of one is not the other's.
void SecretsOfForkedProcessesDiffer()
{
    const pid_t parent = Fork([] {
        // The parent has used all that its children inherit.
        uint8_t unused[REFERENCE_BYTES];
        ExportForGood(unused);
        pid_t servers[STUBS];
        for (int server = 0; server < STUBS; ++server) {
            board->exported = false;
            servers[server] = Fork([server] {
                ExportForGood(board->references[server]);
                board->exported = true;
            });
            CHECK(Until([] { return board->exported.load(); }));
        }
        const uint8_t *first = board->references[0];
        const uint8_t *second = board->references[1];
        CHECK_EQ(ObjectOf(first), ObjectOf(second));
        CHECK(SecretOf(first) != SecretOf(second));
        CHECK(SecretOf(first) != SecretOf(unused));
        CHECK(ipckit_reference_import(WithSecret(second, SecretOf(first)).data()) == nullptr);
        CHECK(ipckit_reference_import(second) != nullptr);
        for (pid_t server : servers) {
            Kill(server);
        }
        _exit(check_result());
    });
    CHECK_EQ(Reap(parent), 0);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    GuessesAreRefusedAndLogged();
    AChannelIsNoReference();
    SecretsOfForkedProcessesDiffer();
    return check_result();
}
