// SPDX-License-Identifier: Apache-2.0
// A peer answers the calls of its victim with anything but what they ask for, and with nothing.
#include "victim.hpp"

namespace {

constexpr int CALLS = 400;

// Asks the victim to call the peer whose stub it keeps.
class Commissioner {
public:
    explicit Commissioner(uint32_t code) : thread_([this, code] { Run(code); }) {}
    ~Commissioner()
    {
        CHECK(Until([this] { return answered_ == CALLS; }));
        thread_.join();
    }

private:
    void Run(uint32_t code)
    {
        OHIPCRemoteProxy *victim = ipckit_reference_import(NextReference());
        CHECK(victim != nullptr);
        for (; answered_ < CALLS; ++answered_) {
            OHIPCParcel *data = OH_IPCParcel_Create();
            OHIPCParcel *reply = OH_IPCParcel_Create();
            int32_t result = -1;
            CHECK_EQ(OH_IPCRemoteProxy_SendRequest(victim, code, data, reply, nullptr), 0);
            CHECK_EQ(OH_IPCParcel_ReadInt32(reply, &result), 0);
            OH_IPCParcel_Destroy(reply);
            OH_IPCParcel_Destroy(data);
        }
        OH_IPCRemoteProxy_Destroy(victim);
    }

    std::atomic<int> answered_{0};
    std::thread thread_;
};

// Gives the victim a stub, and answers what it asks with what `answer` makes.
void Serve(const uint8_t *reference, const std::function<void(RawPeer &, const Content &, std::mt19937_64 &)> &answer)
{
    RawPeer peer(reference);
    CHECK(peer.AcquireShare());
    ObjectRecord object = {};
    object.kind = STUB_OBJECT;
    memcpy(object.reference, peer.Address(), 16);
    object.reference[16] = 1;
    Content content = peer.Request(KEEP, 0);
    peer.PlaceBody(content, 0, 24, {object});
    peer.PublishRequest(content);
    CHECK_EQ(peer.KindOfReply(content), REPLY);
    TheGrounds().step = 1;
    std::mt19937_64 random(8);
    for (;;) {
        Content request;
        if (peer.NextRequest(request)) {
            answer(peer, request, random);
        } else {
            usleep(50);
        }
    }
}

void Run(uint32_t code, const std::function<void(RawPeer &, const Content &, std::mt19937_64 &)> &answer)
{
    Victim victim;
    const uint8_t *reference = NextReference();
    const pid_t attacker = Fork([&] { Serve(reference, answer); });
    CHECK(Until([] { return TheGrounds().step == 1; }));
    HonestPeer honest;
    const Leftovers leftovers(victim);
    {
        Commissioner one(code);
        Commissioner another(code);
    }
    honest.GoesOn();
    CHECK_EQ(Call(honest.Proxy(), KEEP), 0);
    Kill(attacker);
    leftovers.Check();
}

// Random values, mostly where they mean something.
void AnswerAnything(RawPeer &peer, const Content &request, std::mt19937_64 &random)
{
    const uint32_t lengths[] = {0, 1, 64, 65, 24, 204800, 204801, 4 << 20, 0xFFFFFFFF, static_cast<uint32_t>(random())};
    Content reply = {};
    for (uint8_t &byte : reply.shortBody) {
        byte = static_cast<uint8_t>(random());
    }
    reply.code = static_cast<uint32_t>(random());
    reply.dataLen = lengths[random() % 10];
    reply.bodyLen = random() % 2 == 0 ? reply.dataLen : lengths[random() % 10];
    reply.arenaOffset = random() % 2 == 0 ? 0 : lengths[random() % 10];
    reply.kind = static_cast<uint8_t>(random() % 2 == 0 ? +REPLY : random() % 9);
    reply.lines = static_cast<uint8_t>(random() % 4);
    reply.objects = random() % 4 == 0 ? static_cast<uint16_t>(random()) : 0;
    reply.ancestors = random() % 4 == 0 ? static_cast<uint16_t>(random()) : 0;
    peer.Reply(request, reply);
    if (random() % 2 == 0) {
        // It has been answered; another answer is none.
        reply.kind = static_cast<uint8_t>(random());
        peer.Reply(request, reply);
    }
}

// Objects of itself, of the victim, of nobody, where they may be and where they may not.
void AnswerWithObjects(RawPeer &peer, const Content &request, std::mt19937_64 &random)
{
    std::vector<ObjectRecord> objects(1 + random() % 20);
    for (size_t index = 0; index < objects.size(); ++index) {
        ObjectRecord &object = objects[index];
        object.offset = static_cast<uint32_t>(24 * index) + (random() % 50 == 0 ? 4 : 0);
        object.kind = random() % 40 == 0 ? 9 : STUB_OBJECT + random() % 2;
        const uint64_t number = random() % 3;
        switch (random() % 3) {
        case 0: memcpy(object.reference, peer.Address(), 16); break;
        case 1: memset(object.reference, static_cast<int>(random() % 256), 16); break;
        default: memcpy(object.reference, TheGrounds().references[0], 32); break;
        }
        if (object.reference[0] != TheGrounds().references[0][0]) {
            memcpy(object.reference + 16, &number, sizeof number);
        }
    }
    Content reply = {};
    reply.kind = REPLY;
    reply.lines = 2;
    peer.PlaceBody(reply, 0, static_cast<uint32_t>(24 * objects.size()), objects);
    peer.Reply(request, reply);
}

} // namespace

int main()
{
    Attack("anything", [] { Run(CALL_KEPT, AnswerAnything); });
    Attack("any descriptor", [] { Run(DESCRIBE_KEPT, AnswerAnything); });
    Attack("objects", [] { Run(CALL_KEPT, AnswerWithObjects); });
    return check_result();
}
