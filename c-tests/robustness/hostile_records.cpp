// SPDX-License-Identifier: Apache-2.0
// A peer lies about lengths and offsets, replays and reorders what it has sent, and changes its segment while it is read.
#include "victim.hpp"

namespace {

// Runs `attack` with a peer that holds a share of the victim's stub, beside an honest one.
void Run(const std::function<void(RawPeer &)> &attack, const char *complaint)
{
    Victim victim;
    const uint8_t *reference = NextReference();
    const pid_t attacker = Fork([&attack, reference] {
        Until([] { return TheGrounds().step == 1; });
        {
            RawPeer peer(reference);
            CHECK(peer.AcquireShare());
            attack(peer);
        }
        _exit(check_result());
    });
    {
        HonestPeer honest;
        const Leftovers leftovers(victim);
        TheGrounds().step = 1;
        CHECK_EQ(Reap(attacker), 0);
        honest.GoesOn();
        leftovers.Check();
    }
    victim.CheckSays(complaint);
}

constexpr uint32_t LENGTHS[] = {0, 1, 8, 24, 63, 64, 65, 4096, 204800, 204801, 4 << 20, (4 << 20) + 1, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF};
constexpr uint16_t COUNTS[] = {0, 1, 64, 65, 8533, 8534, 0xFFFF};

// Every request gets an answer, and none is a reply of the handler's where it makes no sense.
void LiesInRequests(RawPeer &peer)
{
    uint16_t slot = 0;
    const auto ask = [&](const Content &content, bool makesSense) {
        peer.PublishRequest(content);
        const uint16_t kind = peer.KindOfReply(content);
        if (makesSense) {
            CHECK_EQ(kind, REPLY);
        } else {
            CHECK(kind >= NO_STUB && kind <= LOST);
        }
    };
    for (uint32_t length : LENGTHS) {
        for (uint32_t other : LENGTHS) {
            for (uint32_t offset : LENGTHS) {
                Content content = peer.Request(99, slot++ % CALL_SLOTS);
                content.dataLen = length;
                content.bodyLen = other;
                content.arenaOffset = offset;
                const bool makesSense = length == other && length <= 204800 && (length <= 64 || offset + UINT64_C(0) + length <= 4 << 20);
                ask(content, makesSense);
            }
        }
        for (uint16_t count : COUNTS) {
            Content content = peer.Request(99, slot++ % CALL_SLOTS);
            content.dataLen = length;
            content.objects = count;
            content.ancestors = count / 2;
            content.bodyLen = (length + 7) / 8 * 8 + count * 48 + count / 2 * 24;
            peer.PublishRequest(content);
            CHECK(peer.KindOfReply(content) >= REPLY);
        }
    }
    for (uint8_t kind : {0, 3, 4, 5, 6, 7, 8, 0xFF}) {
        Content content = peer.Request(99, slot++ % CALL_SLOTS);
        content.kind = kind;
        ask(content, false);
    }
    for (uint8_t lines : {0, 1, 3, 0xFF}) {
        for (uint32_t length : {0, 20, 21, 64, 65}) {
            Content content = peer.Request(99, slot++ % CALL_SLOTS);
            content.lines = lines;
            content.dataLen = content.bodyLen = length;
            ask(content, lines != 1 || length <= 20);
        }
    }
    for (uint64_t object : {UINT64_C(0), peer.Object() + 1, UINT64_MAX}) {
        Content content = peer.Request(99, slot++ % CALL_SLOTS);
        content.object = object;
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), NO_STUB);
    }
    CHECK(!peer.IsGivenUp());
}

// Objects that overlap, lie outside of the data, or are of no kind.
void LiesAboutObjects(RawPeer &peer)
{
    const std::vector<std::vector<uint32_t>> places = {{1}, {8}, {0, 0}, {0, 23}, {24, 0}, {0xFFFFFFFF}, {0xFFFFFFF0}, {0, 0x7FFFFFFF}};
    uint16_t slot = 0;
    for (const auto &offsets : places) {
        for (uint32_t kind : {1, 2, 3, 0, 4, -1}) {
            std::vector<ObjectRecord> objects;
            for (uint32_t offset : offsets) {
                ObjectRecord object = {};
                object.offset = offset;
                object.kind = kind;
                object.transfer = 77;
                memcpy(object.reference, peer.Address(), 16);
                objects.push_back(object);
            }
            Content content = peer.Request(99, slot++ % CALL_SLOTS);
            peer.PlaceBody(content, 0, static_cast<uint32_t>(24 * objects.size()), objects);
            if (kind == FILE_DESCRIPTOR) {
                CHECK(peer.Say(MakeMessage(DESCRIPTORS, 77), std::vector<int>(objects.size(), 0)));
            }
            peer.PublishRequest(content);
            const uint16_t answer = peer.KindOfReply(content);
            CHECK(answer >= REPLY && answer <= LOST);
            if (offsets[0] > 24) {
                CHECK_EQ(answer, LOST);
            }
        }
    }
}

// Messages without an answer that say they are huge do not take the room of others.
void LiesInMessages(RawPeer &peer)
{
    for (int round = 0; round < 200; ++round) {
        for (uint32_t length : LENGTHS) {
            if (length >= 64) {
                Content content = peer.Request(99, 0);
                content.dataLen = length;
                content.bodyLen = length + 1;
                content.caller = UINT64_MAX * (round % 2);
                peer.PublishAsync(content);
            }
        }
        CHECK(Until([&] { return peer.AsyncTaken() == peer.AsyncTicket(); }));
    }
    // Nor do those that it says are on their way.
    for (uint64_t sent : {UINT64_C(500000), UINT64_C(1) << 22, UINT64_MAX, UINT64_C(0)}) {
        memcpy(peer.Segment() + ASYNC_SENT, &sent, sizeof sent);
        Content content = peer.Request(INCREASE, 1, 5);
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), REPLY);
    }
    CHECK(!peer.IsGivenUp());
}

// An answered request again, as it was: it is another call. Again while it has not been answered: that no caller does.
void Replays(RawPeer &peer)
{
    for (int round = 0; round < 100; ++round) {
        const Content content = peer.Request(INCREASE, static_cast<uint16_t>(round % 3), round);
        peer.PublishRequest(content);
        CHECK_EQ(peer.KindOfReply(content), REPLY);
    }
    const Content old = peer.Request(INCREASE, 5, 1);
    peer.PublishRequest(old);
    CHECK_EQ(peer.KindOfReply(old), REPLY);
    peer.PublishRequest(old);
    // Entries that were taken, or are to come much later: nobody looks at those.
    for (uint32_t ticket = 0; ticket < 100; ++ticket) {
        peer.RepublishRequest(ticket - 1000, old);
    }
    // What gives shares back is replayed too; this peer has one.
    for (int round = 0; round < 1000; ++round) {
        CHECK(peer.Say(MakeMessage(RELEASE, peer.Object(), 1)));
        CHECK(peer.Say(MakeMessage(UNLEND, peer.Object(), 0, peer.Address())));
    }
    // Then nobody holds the stub any more, which ends once.
    CHECK(!peer.AcquireShare());
    CHECK(Until([] { return TheGrounds().ended == 1; }));
    peer.PublishRequest(old);
    CHECK(Until([&] { return peer.KindOfReply(old) == NO_STUB; }));
}

void TwoCallsOfOneSlot(RawPeer &peer)
{
    for (int count = 0; count < 2000 && !peer.IsGivenUp(); ++count) {
        // Whether the first has been answered when the second is seen is up to the victim.
        const Content content = peer.Request(INCREASE, 9, count);
        peer.PublishRequest(content);
    }
    for (uint16_t slot : {UINT16_C(128), UINT16_C(0xFFFF)}) {
        peer.PublishRequest(peer.Request(INCREASE, slot, 1));
    }
    CHECK(Until([&] { return peer.IsGivenUp(); }));
}

// More calls for threads that do not wait than there are slots: they are not kept until somebody has time for them.
void ManyCallsForThreads(RawPeer &peer)
{
    while (!peer.IsGivenUp()) {
        Content content = {};
        for (uint32_t count = 0; count < CALL_SLOTS; ++count) {
            content = peer.Request(INCREASE, 5, 1);
            content.target = UINT64_C(77) << 16 | 64;
            peer.PublishNested(content, count == CALL_SLOTS - 1);
        }
        CHECK(Until([&] { return peer.HasReply(content) || peer.IsGivenUp(); }));
    }
}

// The segment changes while it is read: lengths, places, counts, and the objects themselves.
void ChangesWhatIsRead(RawPeer &peer)
{
    std::atomic<bool> over(false);
    std::thread changing([&] {
        std::mt19937_64 random(5);
        while (!over) {
            // Of any request all but its code, the call and its slot, so that there are answers; the bodies' beginnings in the arena.
            const size_t words[] = {0, 4, 8, 12, 20, 28, 100, 104, 108, 112, 116};
            const size_t record = REQUESTS + random() % CALL_SLOTS * RECORD_BYTES + 8 + words[random() % 11];
            const uint32_t value = random() % 3 == 0 ? static_cast<uint32_t>(random()) : static_cast<uint32_t>(random() % 300);
            __atomic_store_n(reinterpret_cast<uint32_t *>(peer.Segment() + record), value, __ATOMIC_RELAXED);
            const size_t place = ARENA + random() % 1024 * 4;
            __atomic_store_n(reinterpret_cast<uint32_t *>(peer.Segment() + place), value % 5, __ATOMIC_RELAXED);
        }
    });
    std::mt19937_64 random(6);
    for (int round = 0; round < 3000 && !peer.IsGivenUp(); ++round) {
        Content content = peer.Request(random() % 2 == 0 ? INCREASE : COUNT_DESCRIPTORS, static_cast<uint16_t>(round % CALL_SLOTS));
        std::vector<ObjectRecord> objects(random() % 4);
        for (size_t index = 0; index < objects.size(); ++index) {
            objects[index].offset = static_cast<uint32_t>(index * 24);
            objects[index].kind = PROXY_OBJECT;
            memcpy(objects[index].reference, peer.Address(), 16);
        }
        peer.PlaceBody(content, 0, static_cast<uint32_t>(24 * objects.size() + random() % 200), objects);
        peer.PublishRequest(content);
        // It may have been changed into one for another slot.
        const auto start = std::chrono::steady_clock::now();
        while (!peer.HasReply(content) && !IsHungUp(peer.Socket()) && std::chrono::steady_clock::now() - start < std::chrono::milliseconds(2)) {
        }
    }
    over = true;
    changing.join();
}

} // namespace

int main()
{
    Attack("lies in requests", [] { Run(LiesInRequests, "holds no reference to"); });
    Attack("lies about objects", [] { Run(LiesAboutObjects, "the message makes no sense"); });
    Attack("lies in messages", [] { Run(LiesInMessages, "the message makes no sense"); });
    Attack("replays", [] { Run(Replays, "C01510/IPCKit"); });
    Attack("two calls of one slot", [] { Run(TwoCallsOfOneSlot, "a second request for an answer that it has not got yet"); });
    Attack("many calls for threads", [] { Run(ManyCallsForThreads, "a second request for an answer"); });
    Attack("changes what is read", [] { Run(ChangesWhatIsRead, "C01510/IPCKit"); });
    return check_result();
}
