// SPDX-License-Identifier: Apache-2.0
// A peer never frees: it fills what the victim keeps for it, with messages that cost it next to nothing. The victim's memory stays bounded,
// and so does what others wait for.
#include <sys/resource.h>

#include "victim.hpp"

namespace {

// `attack` runs until it is done, or the victim has given the peer up where that is `expected`.
void Run(const std::function<void(RawPeer &)> &attack, const char *complaint, const std::function<void()> &prepareVictim = [] {})
{
    Victim victim(prepareVictim);
    const auto attacks = [&](const uint8_t *reference) {
        RawPeer peer(reference);
        CHECK(peer.AcquireShare());
        attack(peer);
        if (complaint != nullptr) {
            CHECK(Until([&] { return peer.IsGivenUp(); }));
        } else {
            CHECK(!peer.IsGivenUp());
        }
    };
    BesideAnHonestPeer(victim, attacks, [&](HonestPeer &) {
        if (complaint != nullptr) {
            victim.CheckSays(complaint);
        }
        CHECK(victim.Memory() < 128 * 1024);
    });
}

// Asynchronous messages of the largest size, whatever room the victim has. It handles none of them meanwhile: the first handler waits.
void IgnoreTheRoom(RawPeer &peer)
{
    for (int count = 0; count < 20000 && !IsHungUp(peer.Socket()); ++count) {
        Content content = peer.Request(NOTE + 90, 0);
        peer.PlaceBody(content, 0, 204800, {});
        peer.PublishAsync(content);
        Until([&] { return peer.AsyncTicket() - peer.AsyncTaken() < ASYNC_ENTRIES || IsHungUp(peer.Socket()); });
    }
}

// Messages that say they were sent before all others.
void AlwaysOldest(RawPeer &peer)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < end && !IsHungUp(peer.Socket())) {
        if (peer.AsyncTicket() - peer.AsyncTaken() < ASYNC_ENTRIES - 1) {
            Content content = peer.Request(99, 0);
            content.caller = 1;
            content.sentAt = 1;
            peer.PublishAsync(content, peer.AsyncTicket() % 64 == 0);
        }
    }
    peer.RingAll();
}

// Shares that it gives back as soon as messages have been taken in that it never sends.
void GiveSharesBackLater(RawPeer &peer)
{
    Message answer;
    for (uint64_t after = 0; after < 40000; ++after) {
        CHECK(peer.Say(MakeMessage(ACQUIRE, peer.Object(), peer.Secret())));
        CHECK(ReceiveMessage(peer.Socket(), answer));
        CHECK(peer.Say(MakeMessage(RELEASE, peer.Object(), 1, nullptr, 1 + after % ASYNC_ENTRIES)));
        CHECK(peer.Say(MakeMessage(RELEASE, peer.Object(), UINT64_MAX, nullptr, 1 + after % ASYNC_ENTRIES)));
    }
}

// Stubs that are kept for processes that there are not.
void LendToNobody(RawPeer &peer)
{
    std::mt19937_64 random(3);
    uint8_t address[16];
    for (int count = 0; count < 20000; ++count) {
        for (uint8_t &byte : address) {
            byte = static_cast<uint8_t>(random());
        }
        CHECK(peer.Say(MakeMessage(LEND, peer.Object(), 0, address)));
        if (count % 64 == 63) {
            Message answer;
            for (int answers = 0; answers < 64; ++answers) {
                CHECK(ReceiveMessage(peer.Socket(), answer));
            }
        }
    }
}

// File descriptors that no message asks for, some more than the victim may have open.
void HoardDescriptors(RawPeer &peer)
{
    for (uint64_t transfer = 0; transfer < 100 && !IsHungUp(peer.Socket()); ++transfer) {
        if (!peer.Say(MakeMessage(DESCRIPTORS, transfer), std::vector<int>(100, 0))) {
            return;
        }
    }
}

void AllowFewDescriptors()
{
    const rlimit limit = {1024, 1024};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Objects of a process that never finishes its handshake: what is to be said to it has to be kept.
void NameSomebodyMute(RawPeer &peer)
{
    std::vector<uint8_t> address(16, 4);
    const pid_t process = getpid();
    memcpy(address.data(), &process, sizeof process);
    Listen(address.data(), 64);
    std::vector<ObjectRecord> objects(8533);
    for (size_t index = 0; index < objects.size(); ++index) {
        objects[index].offset = static_cast<uint32_t>(24 * index);
        objects[index].kind = PROXY_OBJECT;
        memcpy(objects[index].reference, address.data(), 16);
        memcpy(objects[index].reference + 16, &index, sizeof index);
    }
    for (int round = 0; round < 12; ++round) {
        Content content = peer.Request(99, 0);
        peer.PlaceBody(content, 0, static_cast<uint32_t>(24 * objects.size()), objects);
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), REPLY);
    }
}

} // namespace

int main()
{
    Attack("ignores the room", [] { Run(IgnoreTheRoom, "knows that there is no room"); });
    Attack("is always the oldest", [] { Run(AlwaysOldest, nullptr); });
    Attack("gives shares back later", [] { Run(GiveSharesBackLater, nullptr); });
    Attack("lends to nobody", [] { Run(LendToNobody, nullptr); });
    Attack("hoards descriptors", [] { Run(HoardDescriptors, "file descriptors that no message of its has asked for", AllowFewDescriptors); });
    Attack("names somebody mute", [] { Run(NameSomebodyMute, nullptr); });
    return check_result();
}
