// SPDX-License-Identifier: Apache-2.0
// A process makes more connections than anybody needs: silent ones, those of peers that it claims to be, and those that it has the victim
// make. Who comes after it is taken in all the same.
#include <sys/resource.h>

#include <memory>

#include "victim.hpp"

namespace {

void AllowFewDescriptors()
{
    const rlimit limit = {512, 512};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Comes while the attack is under way, calls with a descriptor, and goes.
void ComeAnew()
{
    const pid_t newcomer = Fork([] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(NextReference());
        CHECK(proxy != nullptr);
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        OH_IPCParcel_WriteInt32(data, 100);
        for (int count = 0; count < 100; ++count) {
            CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(data, 0), 0);
        }
        int32_t found = 0;
        CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, COUNT_DESCRIPTORS, data, reply, nullptr), 0);
        CHECK_EQ(OH_IPCParcel_ReadInt32(reply, &found), 0);
        CHECK_EQ(found, 100);
        _exit(check_result());
    });
    CHECK_EQ(Reap(newcomer), 0);
}

void Run(const std::function<void(const uint8_t *reference)> &attack, const char *complaint)
{
    Victim victim(AllowFewDescriptors);
    const uint8_t *reference = NextReference();
    const pid_t attacker = Fork([&attack, reference] {
        const rlimit limit = {20000, 20000};
        setrlimit(RLIMIT_NOFILE, &limit);
        Until([] { return TheGrounds().step == 1; });
        attack(reference);
    });
    HonestPeer honest;
    const Leftovers leftovers(victim);
    TheGrounds().step = 1;
    CHECK(Until([] { return TheGrounds().step == 2; }));
    // What one process can have open here is a small part of what the victim may.
    CHECK(victim.Descriptors() < 200);
    ComeAnew();
    honest.GoesOn();
    CHECK(Until([] { return TheGrounds().step == 3; }));
    honest.GoesOn();
    if (complaint != nullptr) {
        victim.CheckSays(complaint);
    }
    Kill(attacker);
    leftovers.Check();
}

// Of those that are refused only the attempt is left.
void OpenTenThousand(const uint8_t *reference)
{
    std::vector<int> open;
    for (int count = 0; count < 10000; ++count) {
        const int connection = Connect(reference);
        if (connection >= 0) {
            open.push_back(connection);
        }
        if (count == 3000) {
            TheGrounds().step = 2;
        }
        for (size_t place = 0; open.size() > 2000 && place < open.size(); ++place) {
            close(open[place]);
            open[place] = open.back();
            open.pop_back();
        }
    }
    StayUntilKilled(3);
}

// Every one says hello, with an address of its own at which it listens.
void BeManyPeers(const uint8_t *reference)
{
    std::vector<std::unique_ptr<RawPeer>> peers;
    int connected = 0;
    for (int count = 0; count < 300; ++count) {
        peers.emplace_back(new RawPeer(reference));
        connected += peers.back()->IsConnected();
        if (count == 200) {
            TheGrounds().step = 2;
        }
    }
    CHECK(connected >= 10 && connected <= 40);
    StayUntilKilled(3);
}

// Every one says hello, says that it is dead, and comes again from the same address.
void DieAndStay(const uint8_t *reference)
{
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (int count = 0; count < 300; ++count) {
        peers.emplace_back(new RawPeer(reference));
        const uint32_t ownerDied = 0x40000000;
        memcpy(peers.back()->Segment() + 8, &ownerDied, sizeof ownerDied);
        if (peers.back()->IsConnected()) {
            auto *word = reinterpret_cast<uint32_t *>(peers.back()->Segment() + 8);
            syscall(SYS_futex, word, /* FUTEX_WAKE */ 1, INT32_MAX, nullptr, nullptr, 0);
            CHECK(Until([&] { return peers.back()->IsGivenUp(); }));
        }
        if (count == 200) {
            TheGrounds().step = 2;
        }
    }
    StayUntilKilled(3);
}

// References to many addresses of its own, at which it listens and says nothing.
void BeConnectedTo(const uint8_t *reference)
{
    RawPeer peer(reference);
    CHECK(peer.AcquireShare());
    std::vector<ObjectRecord> objects;
    std::mt19937_64 random(9);
    for (int count = 0; count < 2000; ++count) {
        ObjectRecord object = {};
        object.offset = static_cast<uint32_t>(24 * objects.size());
        object.kind = PROXY_OBJECT;
        for (int place = 0; place < 16; ++place) {
            object.reference[place] = static_cast<uint8_t>(random());
        }
        Listen(object.reference, 16);
        objects.push_back(object);
    }
    for (uint16_t round = 0; round < 20; ++round) {
        Content content = peer.Request(99, round);
        peer.PlaceBody(content, 0, static_cast<uint32_t>(24 * objects.size()), objects);
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), REPLY);
        if (round == 10) {
            TheGrounds().step = 2;
        }
    }
    StayUntilKilled(3);
}

// The victim is connecting to this process, which never answers, but connects itself again and again: each time the other connection is
// the one to use.
void CrossForEver(const uint8_t *reference)
{
    RawPeer peer(reference);
    CHECK(peer.AcquireShare());
    uint8_t address[16];
    memset(address, 0xFF, sizeof address);
    const pid_t process = getpid();
    memcpy(address + 4, &process, sizeof process);
    Listen(address, 4096);
    ObjectRecord object = {};
    object.kind = PROXY_OBJECT;
    memcpy(object.reference, address, sizeof address);
    Content content = peer.Request(99, 0);
    peer.PlaceBody(content, 0, 24, {object});
    peer.PublishRequest(content);
    CHECK_EQ(peer.KindOfReply(content), REPLY);
    std::vector<int> open;
    const Message hello = MakeMessage(HELLO, VERSION << 16 | 1, 0, address);
    const std::vector<int> files = {SealedMemory(SEGMENT_BYTES), SealedMemory(STATUS_BYTES), SealedMemory(DOORBELL_PAGES)};
    for (int count = 0; count < 1000; ++count) {
        open.push_back(Connect(reference));
        SendPacket(open.back(), hello.bytes, MESSAGE_BYTES, files);
        Message answer;
        ReceiveMessage(open.back(), answer);
        if (count == 500) {
            TheGrounds().step = 2;
        }
    }
    StayUntilKilled(3);
}

} // namespace

int main()
{
    Attack("ten thousand silent ones", [] { Run(OpenTenThousand, "it has too many"); });
    Attack("many peers", [] { Run(BeManyPeers, "it has too many"); });
    // To the victim each has just died.
    Attack("dead, but there", [] { Run(DieAndStay, nullptr); });
    Attack("many to connect to", [] { Run(BeConnectedTo, "has too many already"); });
    Attack("crossing for ever", [] { Run(CrossForEver, "it has too many"); });
    return check_result();
}
