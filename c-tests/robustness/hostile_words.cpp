// SPDX-License-Identifier: Apache-2.0
// A peer sends random bytes on every socket that it can reach: new connections, and that of its channel.
#include "victim.hpp"

namespace {

std::vector<uint8_t> RandomBytes(std::mt19937_64 &random, size_t len)
{
    std::vector<uint8_t> bytes(len);
    for (uint8_t &byte : bytes) {
        byte = static_cast<uint8_t>(random());
    }
    return bytes;
}

std::vector<int> RandomDescriptors(std::mt19937_64 &random)
{
    std::vector<int> descriptors;
    for (size_t count = random() % 2 * (random() % 254); count > 0; --count) {
        descriptors.push_back(random() % 2 == 0 ? 0 : 1);
    }
    return descriptors;
}

// Of any length, or as long as a message with a kind that there is.
std::vector<uint8_t> RandomPacket(std::mt19937_64 &random)
{
    if (random() % 4 == 0) {
        return RandomBytes(random, random() % 200);
    }
    std::vector<uint8_t> message = RandomBytes(random, MESSAGE_BYTES);
    message[0] = static_cast<uint8_t>(random() % 14);
    if (random() % 2 == 0) {
        // Small numbers, as honest peers have them.
        memset(&message[9], 0, 7);
        memset(&message[17], 0, 7);
    }
    return message;
}

// Sends until the other end has had enough.
void SendOnNewConnections(const uint8_t *reference, int connections)
{
    std::mt19937_64 random(1);
    for (int count = 0; count < connections; ++count) {
        const int connection = Connect(reference);
        if (connection < 0) {
            continue;
        }
        for (int packets = 0; packets < 5 && !IsHungUp(connection); ++packets) {
            const std::vector<uint8_t> packet = RandomPacket(random);
            SendPacket(connection, packet.data(), packet.size(), RandomDescriptors(random), MSG_DONTWAIT);
        }
        close(connection);
    }
}

void OnNewConnections()
{
    Victim victim;
    BesideAnHonestPeer(
        victim, [](const uint8_t *reference) { SendOnNewConnections(reference, 1000); },
        [&](HonestPeer &) { victim.CheckSays("sent in order to connect cannot be taken"); });
}

// Messages of kinds that there are, with random numbers, on a channel that is up. What makes no sense ends it; then comes another.
void OnAChannel()
{
    constexpr int CHANNELS = 60;
    Victim victim;
    const auto attack = [](const uint8_t *reference) {
        std::mt19937_64 random(2);
        for (int channels = 0; channels < CHANNELS; ++channels) {
            RawPeer peer(reference);
            CHECK(peer.IsConnected());
            CHECK(channels > 0 || peer.AcquireShare());
            for (int packets = 0; packets < 2000 && !peer.IsGivenUp(); ++packets) {
                std::vector<uint8_t> packet = RandomPacket(random);
                if (random() % 8 != 0) {
                    packet.resize(MESSAGE_BYTES);
                    // Not those that end the channel at once.
                    const uint8_t kinds[] = {ACQUIRE, ACQUIRED, RELEASE, LEND, DESCRIPTORS, ASK_ROOM, ROOM_IN_USE, LENT, UNLEND};
                    packet[0] = kinds[random() % sizeof kinds];
                }
                SendPacket(peer.Socket(), packet.data(), packet.size(), RandomDescriptors(random), MSG_DONTWAIT);
            }
        }
    };
    BesideAnHonestPeer(victim, attack, [&](HonestPeer &) { victim.CheckSays("it is taken for dead"); });
}

// Each kind where it does not belong ends the channel, and the log says which.
void WhatHasNoPlace()
{
    Victim victim;
    const uint8_t *reference = NextReference();
    const pid_t attacker = Fork([reference] {
        Until([] { return TheGrounds().step == 1; });
        const Message misplaced[] = {
            MakeMessage(HELLO, VERSION << 16), MakeMessage(WELCOME), MakeMessage(REFUSED, 2), MakeMessage(0), MakeMessage(255),
            // Shares that count until a message that cannot have been sent was taken in.
            MakeMessage(RELEASE, 1, 1, nullptr, ASYNC_ENTRIES + 1),
            // Descriptors that are none.
            MakeMessage(DESCRIPTORS, 1)};
        for (const Message &message : misplaced) {
            RawPeer peer(reference);
            CHECK(peer.IsConnected());
            CHECK(peer.Say(message));
            CHECK(Until([&] { return peer.IsGivenUp(); }));
        }
        _exit(check_result());
    });
    HonestPeer honest;
    const Leftovers leftovers(victim);
    TheGrounds().step = 1;
    CHECK_EQ(Reap(attacker), 0);
    victim.CheckSays("it has sent Hello(");
    victim.CheckSays("it has sent Release {");
    victim.CheckSays("it has sent Descriptors {");
    leftovers.Check();
}

} // namespace

int main()
{
    Attack("new connections", OnNewConnections);
    Attack("a channel", OnAChannel);
    Attack("what has no place", WhatHasNoPlace);
    return check_result();
}
