// SPDX-License-Identifier: Apache-2.0
// A peer stops in the middle: of a message, of a handshake, of reading. Who else has to do with its victim does not wait for it.
#include "victim.hpp"

namespace {

using Attacker = std::function<void(RawPeer &, const uint8_t *reference)>;

// The attacker stays until `then` has run with the honest peer.
void Run(const Attacker &attack, const std::function<void(Victim &, HonestPeer &)> &then)
{
    Victim victim;
    const auto attacks = [&](const uint8_t *reference) {
        RawPeer peer(reference);
        CHECK(peer.AcquireShare());
        attack(peer, reference);
    };
    BesideAnHonestPeer(victim, attacks, [&](HonestPeer &honest) {
        then(victim, honest);
        honest.GoesOn();
    });
}

ObjectRecord ObjectAt(uint32_t offset, uint32_t kind, uint64_t transfer)
{
    ObjectRecord object = {};
    object.offset = offset;
    object.kind = kind;
    object.transfer = transfer;
    return object;
}

// Requests whose descriptors never come, in every slot and for every way to have them handled. No worker waits for them.
void WithholdDescriptors(RawPeer &peer, const uint8_t *)
{
    for (uint16_t slot = 0; slot < CALL_SLOTS; ++slot) {
        Content content = peer.Request(INCREASE, slot);
        peer.PlaceBody(content, slot * 128, 24, {ObjectAt(0, FILE_DESCRIPTOR, 1000u + slot)});
        if (slot % 2 == 0) {
            peer.PublishRequest(content);
        } else {
            content.target = 77 << 16 | 64;
            peer.PublishNested(content);
        }
    }
    for (uint32_t count = 0; count < 64; ++count) {
        Content content = peer.Request(99, 0);
        peer.PlaceBody(content, 65536 + count * 128, 24, {ObjectAt(0, FILE_DESCRIPTOR, 5000u + count)});
        peer.PublishAsync(content);
    }
}

// When they have come after all, what was held back is handled.
void SendDescriptorsLate(RawPeer &peer, const uint8_t *reference)
{
    WithholdDescriptors(peer, reference);
    for (uint16_t slot = 0; slot < CALL_SLOTS; ++slot) {
        CHECK(peer.Say(MakeMessage(DESCRIPTORS, 1000u + slot), {0}));
    }
    for (uint16_t slot = 0; slot < CALL_SLOTS; ++slot) {
        Content content = {};
        content.callSlot = slot;
        content.call = slot + 1u;
        CHECK(peer.KindOfReply(content) == REPLY);
    }
    for (uint64_t count = 0; count < 64; ++count) {
        CHECK(peer.Say(MakeMessage(DESCRIPTORS, 5000u + count), {0}));
    }
    CHECK(Until([&] { return peer.AsyncTaken() == 64; }));
}

// Listeners that take no connection, and as many waiting as they have room for.
std::vector<std::vector<uint8_t>> FullListeners(int count, std::vector<int> &sockets)
{
    std::vector<std::vector<uint8_t>> addresses;
    std::mt19937_64 random(static_cast<uint64_t>(getpid()));
    for (int number = 0; number < count; ++number) {
        std::vector<uint8_t> address(16);
        for (uint8_t &byte : address) {
            byte = static_cast<uint8_t>(random());
        }
        sockets.push_back(Listen(address.data(), 0));
        int connection;
        while ((connection = Connect(address.data(), SOCK_NONBLOCK)) >= 0) {
            sockets.push_back(connection);
        }
        addresses.push_back(address);
    }
    return addresses;
}

// One message with references to processes that cannot be connected to: neither who takes it nor who comes after waits for them.
void NameFullListeners(RawPeer &peer, const uint8_t *)
{
    std::vector<int> sockets;
    std::vector<ObjectRecord> objects;
    for (const auto &address : FullListeners(100, sockets)) {
        ObjectRecord object = ObjectAt(static_cast<uint32_t>(24 * objects.size()), PROXY_OBJECT, 0);
        memcpy(object.reference, address.data(), 16);
        objects.push_back(object);
    }
    for (int round = 0; round < 5; ++round) {
        Content content = peer.Request(99, static_cast<uint16_t>(round));
        peer.PlaceBody(content, 0, 2400, objects);
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), REPLY);
        Content message = peer.Request(99, 0);
        peer.PlaceBody(message, 0, 2400, objects);
        peer.PublishAsync(message);
        for (const ObjectRecord &object : objects) {
            CHECK(peer.Say(MakeMessage(LEND, peer.Object(), 0, object.reference)));
        }
    }
    CHECK(Until([&] { return peer.AsyncTaken() == peer.AsyncTicket(); }));
}

// The victim is to hold a proxy of this peer's, or of another that will never say anything.
void Deposit(RawPeer &peer, const uint8_t *address)
{
    ObjectRecord object = ObjectAt(0, STUB_OBJECT, 0);
    memcpy(object.reference, address, 16);
    object.reference[16] = 1;
    Content content = peer.Request(KEEP, 0);
    peer.PlaceBody(content, 0, 24, {object});
    peer.PublishRequest(content);
    CHECK_EQ(peer.KindOfReply(content), REPLY);
}

void DepositItself(RawPeer &peer, const uint8_t *)
{
    Deposit(peer, peer.Address());
}

void DepositSomebodyMute(RawPeer &peer, const uint8_t *)
{
    std::vector<uint8_t> address(16, 3);
    const pid_t process = getpid();
    memcpy(address.data(), &process, sizeof process);
    // It takes connections, as far as the kernel is concerned.
    Listen(address.data(), 64);
    Deposit(peer, address.data());
}

// The victim can hand the proxy on, to all that want it, though nobody answers for it.
void FetchIt(Victim &, HonestPeer &honest)
{
    constexpr int CALLERS = 20;
    std::vector<std::thread> callers;
    std::atomic<int> fetched(0);
    for (int count = 0; count < CALLERS; ++count) {
        callers.emplace_back([&] {
            OHIPCParcel *data = OH_IPCParcel_Create();
            OHIPCParcel *reply = OH_IPCParcel_Create();
            CHECK_EQ(OH_IPCRemoteProxy_SendRequest(honest.Proxy(), FETCH, data, reply, nullptr), 0);
            OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(reply);
            CHECK(proxy != nullptr);
            OH_IPCRemoteProxy_Destroy(proxy);
            OH_IPCParcel_Destroy(reply);
            OH_IPCParcel_Destroy(data);
            ++fetched;
        });
    }
    CHECK(Until([&] { return fetched == CALLERS; }));
    for (std::thread &caller : callers) {
        caller.join();
    }
    CHECK_EQ(Call(honest.Proxy(), KEEP), 0);
}

// Questions whose answers it never reads.
void NeverRead(RawPeer &peer, const uint8_t *)
{
    while (peer.Say(MakeMessage(ASK_ROOM))) {
    }
    CHECK(Until([&] { return peer.IsGivenUp(); }));
}

} // namespace

int main()
{
    const auto nothing = [](Victim &, HonestPeer &) {};
    Attack("descriptors that do not come", [&] { Run(WithholdDescriptors, nothing); });
    Attack("descriptors that come late", [&] { Run(SendDescriptorsLate, nothing); });
    Attack("listeners that are full", [&] {
        Run(NameFullListeners, [](Victim &victim, HonestPeer &) { victim.CheckSays("too many wait there already"); });
    });
    Attack("a peer that does not answer is handed on", [&] { Run(DepositItself, FetchIt); });
    Attack("a process that is mute is handed on", [&] { Run(DepositSomebodyMute, FetchIt); });
    Attack("answers that are not read", [&] {
        Run(NeverRead, [](Victim &victim, HonestPeer &) { victim.CheckSays("does not read what it is told"); });
    });
    return check_result();
}
