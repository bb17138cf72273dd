// SPDX-License-Identifier: Apache-2.0
// A peer writes random values into every byte that it can write: its segments, its status, all doorbells that it has.
#include "victim.hpp"

namespace {

struct Memory {
    uint8_t *start;
    size_t len;
    bool isSegment;
};

// What this process shares with others and can write. It finds it as anybody could.
std::vector<Memory> Writable()
{
    std::vector<Memory> found;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
        unsigned long start = 0;
        unsigned long end = 0;
        char access[8] = {};
        if (sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3 && access[1] == 'w' && strstr(line, "memfd:ipckit-") != nullptr) {
            found.push_back({reinterpret_cast<uint8_t *>(start), end - start, strstr(line, "ipckit-segment") != nullptr});
        }
    }
    if (maps != nullptr) {
        fclose(maps);
    }
    return found;
}

// Begins behind the life word, or with it.
void Scribble(std::mt19937_64 &random, const std::vector<Memory> &memories, size_t begin)
{
    for (const Memory &memory : memories) {
        const size_t first = memory.isSegment ? begin : 0;
        for (size_t place = first; place + 8 <= memory.len; place += 8) {
            const uint64_t value = random();
            memcpy(memory.start + place, &value, 8);
        }
    }
}

// Writes where words are that mean something, values that may mean something: single bits, small numbers, what is there plus one.
void ScribbleWithSense(std::mt19937_64 &random, const std::vector<Memory> &memories)
{
    for (const Memory &memory : memories) {
        const size_t reach = memory.isSegment ? ARENA : memory.len;
        for (int count = 0; count < 20000; ++count) {
            const size_t place = (memory.isSegment ? 64 : 0) + random() % (reach - 64) / 4 * 4;
            uint32_t value;
            memcpy(&value, memory.start + place, 4);
            switch (random() % 4) {
            case 0: value += 1; break;
            case 1: value = static_cast<uint32_t>(random() % 260); break;
            case 2: value = UINT32_C(1) << random() % 32; break;
            default: value = static_cast<uint32_t>(random()); break;
            }
            __atomic_store_n(reinterpret_cast<uint32_t *>(memory.start + place), value, __ATOMIC_SEQ_CST);
        }
    }
}

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

// Calls of its own go wrong, and may never be answered.
void CallAllTheTime(OHIPCRemoteProxy *victim)
{
    for (;;) {
        Call(victim, 99);
    }
}

// Gives the victim a stub to call, then writes, with calls of its own under way.
void BeHostile(unsigned seed, const std::function<void(std::mt19937_64 &, const std::vector<Memory> &)> &write)
{
    OHIPCRemoteProxy *victim = ipckit_reference_import(NextReference());
    CHECK(victim != nullptr);
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("hostile", Nothing, nullptr, nullptr);
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteRemoteStub(data, stub);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(victim, KEEP, data, reply, nullptr), 0);
    const std::vector<Memory> memories = Writable();
    // A segment, its status, its own doorbells and the victim's.
    CHECK(memories.size() >= 4);
    ++TheGrounds().step;
    for (int thread = 0; thread < 3; ++thread) {
        std::thread(CallAllTheTime, victim).detach();
    }
    std::mt19937_64 random(seed);
    for (;;) {
        write(random, memories);
        ++TheGrounds().step;
    }
}

void Run(unsigned seed, int rounds, const std::function<void(std::mt19937_64 &, const std::vector<Memory> &)> &write)
{
    Victim victim;
    const pid_t attackers[] = {Fork([&] { BeHostile(seed, write); }), Fork([&] { BeHostile(seed + 1, write); })};
    HonestPeer honest;
    const Leftovers leftovers(victim);
    const int first = TheGrounds().step;
    CHECK(Until([&] { return TheGrounds().step >= first + rounds; }));
    honest.GoesOn();
    CHECK_EQ(Call(honest.Proxy(), KEEP), 0);
    for (pid_t attacker : attackers) {
        Kill(attacker);
    }
    leftovers.Check();
}

} // namespace

int main()
{
    Attack("every byte", [] { Run(1, 20, [](std::mt19937_64 &random, const std::vector<Memory> &all) { Scribble(random, all, 0); }); });
    Attack("every byte but the life word",
        [] { Run(2, 20, [](std::mt19937_64 &random, const std::vector<Memory> &all) { Scribble(random, all, 64); }); });
    Attack("words", [] { Run(3, 60, ScribbleWithSense); });
    return check_result();
}
