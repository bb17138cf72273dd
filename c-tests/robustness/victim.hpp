// SPDX-License-Identifier: Apache-2.0
// A process that is attacked, what can be seen of it from outside, and an honest peer that goes on calling it.
#ifndef ROBUSTNESS_VICTIM_HPP
#define ROBUSTNESS_VICTIM_HPP

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "lying_peer.hpp"

// What the victim's stub does. Everything else it answers with an error.
constexpr uint32_t INCREASE = 1; // a number; answers the next one
// Counts. No number that an attacker comes by who scribbles into requests of its own: the honest peer's are counted.
constexpr uint32_t NOTE = 0xA5C3E1;
constexpr uint32_t KEEP = 3;     // an object, kept in place of the one before; none where there is none
constexpr uint32_t FETCH = 4;    // answers the object kept last
constexpr uint32_t CALL_KEPT = 5; // calls it, and answers with the code of that
constexpr uint32_t DESCRIBE_KEPT = 7; // asks for its descriptor, and answers with the code of that
constexpr uint32_t COUNT_DESCRIPTORS = 6; // a number and so many descriptors; answers how many could be read

constexpr int REFERENCES = 40;

struct Grounds {
    uint8_t references[REFERENCES][REFERENCE_BYTES];
    std::atomic<int> exported;
    std::atomic<int> used;
    std::atomic<int> noted;
    std::atomic<int> ended;
    std::atomic<int> step;
    std::atomic<bool> failed;
};

inline Grounds &TheGrounds()
{
    static Grounds &grounds = Shared<Grounds>();
    return grounds;
}

// Each reference is good for one process that has not asked for another.
inline const uint8_t *NextReference()
{
    return TheGrounds().references[TheGrounds().used++];
}

inline void *Allocate(int32_t len)
{
    return malloc(static_cast<size_t>(len));
}

inline int ServeVictim(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    static std::atomic<OHIPCRemoteProxy *> kept;
    int32_t number = 0;
    switch (code) {
    case INCREASE:
        return OH_IPCParcel_ReadInt32(data, &number) == 0 ? OH_IPCParcel_WriteInt32(reply, number + 1) : OH_IPC_USER_ERROR_CODE_MIN;
    case NOTE:
        ++TheGrounds().noted;
        return 0;
    case KEEP:
        OH_IPCRemoteProxy_Destroy(kept.exchange(OH_IPCParcel_ReadRemoteProxy(data)));
        return 0;
    case FETCH:
        return OH_IPCParcel_WriteRemoteProxy(reply, kept);
    case CALL_KEPT:
        return OH_IPCParcel_WriteInt32(reply, Call(kept, INCREASE));
    case DESCRIBE_KEPT: {
        char *text = nullptr;
        int32_t len = 0;
        const int result = OH_IPCRemoteProxy_GetInterfaceDescriptor(kept, &text, &len, Allocate);
        free(text);
        return OH_IPCParcel_WriteInt32(reply, result);
    }
    case COUNT_DESCRIPTORS: {
        int32_t found = 0;
        OH_IPCParcel_ReadInt32(data, &number);
        for (int fd = -1; found < number && OH_IPCParcel_ReadFileDescriptor(data, &fd) == 0; ++found) {
            close(fd);
        }
        return OH_IPCParcel_WriteInt32(reply, found);
    }
    default:
        return OH_IPC_USER_ERROR_CODE_MIN;
    }
}

// What an attacker ends with: it says so, and stays.
[[noreturn]] inline void StayUntilKilled(int step)
{
    if (check_failures > 0) {
        TheGrounds().failed = true;
    }
    TheGrounds().step = step;
    for (;;) {
        pause();
    }
}

inline void NoteStubsEnd(void *)
{
    ++TheGrounds().ended;
}

class Victim {
public:
    explicit Victim(const std::function<void()> &prepare = [] {})
    {
        unsetenv("IPCKIT_LOG_FILE");
        log_ = memfd_create("log", 0);
        TheGrounds().exported = TheGrounds().used = TheGrounds().ended = TheGrounds().noted = TheGrounds().step = 0;
        TheGrounds().failed = false;
        process_ = Fork([this, prepare] {
            dup2(log_, STDERR_FILENO);
            prepare();
            for (uint8_t *reference : TheGrounds().references) {
                Export(OH_IPCRemoteStub_Create("victim", ServeVictim, NoteStubsEnd, nullptr), reference);
                ++TheGrounds().exported;
            }
        });
        CHECK(Until([] { return TheGrounds().exported == REFERENCES; }));
    }
    Victim(const Victim &) = delete;
    Victim &operator=(const Victim &) = delete;
    ~Victim()
    {
        CHECK(IsAlive());
        CHECK(!TheGrounds().failed);
        CHECK(!Says("panicked"));
        Kill(process_);
        close(log_);
    }

    bool IsAlive() const { return waitpid(process_, nullptr, WNOHANG) == 0; }

    bool Says(const char *text) const
    {
        std::string content(1 << 20, '\0');
        const ssize_t len = pread(log_, &content[0], content.size(), 0);
        content.resize(len > 0 ? static_cast<size_t>(len) : 0);
        const bool found = content.find(text) != std::string::npos;
        return found;
    }

    void CheckSays(const char *text) const
    {
        if (!CHECK(Until([this, text] { return Says(text); }))) {
            std::string content(1 << 16, '\0');
            const ssize_t len = pread(log_, &content[0], content.size(), 0);
            fprintf(stderr, "the victim does not say \"%s\" but:\n%.*s\n", text, static_cast<int>(len), content.data());
        }
    }

    // How many entries a directory of the victim's in /proc has.
    int Count(const char *directory) const
    {
        DIR *entries = opendir(("/proc/" + std::to_string(process_) + directory).c_str());
        int count = 0;
        while (entries != nullptr && readdir(entries) != nullptr) {
            ++count;
        }
        if (entries != nullptr) {
            closedir(entries);
        }
        return count - 2;
    }
    int Descriptors() const { return Count("/fd"); }
    int Threads() const { return Count("/task"); }

    // How many mappings of the library's shared memory it has.
    int Mappings() const
    {
        FILE *maps = fopen(("/proc/" + std::to_string(process_) + "/maps").c_str(), "r");
        char line[512];
        int count = 0;
        while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
            count += strstr(line, "memfd:") != nullptr;
        }
        if (maps != nullptr) {
            fclose(maps);
        }
        return count;
    }

    // Kilobytes of memory of its own.
    long Memory() const
    {
        FILE *status = fopen(("/proc/" + std::to_string(process_) + "/status").c_str(), "r");
        char line[256];
        long kilobytes = 0;
        while (status != nullptr && fgets(line, sizeof line, status) != nullptr) {
            sscanf(line, "RssAnon: %ld", &kilobytes);
        }
        if (status != nullptr) {
            fclose(status);
        }
        return kilobytes;
    }

private:
    pid_t process_;
    int log_;
};

// The honest peer, in this process: it calls again and again on a thread of its own, and checks every answer.
class HonestPeer {
public:
    HonestPeer() : proxy_(ipckit_reference_import(NextReference()))
    {
        CHECK(proxy_ != nullptr);
        thread_ = std::thread([this] { Run(); });
        CHECK(Until([this] { return calls_ > 0; }));
    }
    HonestPeer(const HonestPeer &) = delete;
    HonestPeer &operator=(const HonestPeer &) = delete;
    ~HonestPeer()
    {
        GoesOn();
        over_ = true;
        thread_.join();
        CHECK_EQ(wrong_, 0);
        if (!CHECK(Until([this] { return TheGrounds().noted == sent_; }))) {
            fprintf(stderr, "%d messages were handled, %d sent\n", TheGrounds().noted.load(), sent_.load());
        }
        OH_IPCRemoteProxy_Destroy(proxy_);
        printf("%d honest calls, %d messages, the slowest call took %ld us\n", calls_.load(), sent_.load(), slowest_.load());
    }

    OHIPCRemoteProxy *Proxy() const { return proxy_; }
    int Calls() const { return calls_; }

    // More calls are answered from now on, and messages taken.
    void GoesOn(int more = 20)
    {
        const int before = calls_;
        CHECK(Until([&] { return calls_ >= before + more; }));
        CHECK_EQ(wrong_, 0);
    }

private:
    void Run()
    {
        for (int32_t number = 0; !over_; ++number) {
            const auto start = std::chrono::steady_clock::now();
            OHIPCParcel *data = OH_IPCParcel_Create();
            OHIPCParcel *reply = OH_IPCParcel_Create();
            int32_t answer = 0;
            OH_IPCParcel_WriteInt32(data, number);
            const bool right = OH_IPCRemoteProxy_SendRequest(proxy_, INCREASE, data, reply, nullptr) == 0 &&
                OH_IPCParcel_ReadInt32(reply, &answer) == 0 && answer == number + 1;
            Note(data);
            OH_IPCParcel_Destroy(reply);
            OH_IPCParcel_Destroy(data);
            const long took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count();
            if (took > slowest_) {
                slowest_ = took;
            }
            if (!right) {
                ++wrong_;
            }
            ++calls_;
        }
    }

    void Note(OHIPCParcel *data)
    {
        OH_IPC_MessageOption option = {};
        option.mode = OH_IPC_REQUEST_MODE_ASYNC;
        if (OH_IPCRemoteProxy_SendRequest(proxy_, NOTE, data, nullptr, &option) == 0) {
            ++sent_;
        }
    }

    OHIPCRemoteProxy *proxy_;
    std::atomic<int> calls_{0};
    std::atomic<int> sent_{0};
    std::atomic<int> wrong_{0};
    std::atomic<long> slowest_{0};
    std::atomic<bool> over_{false};
    std::thread thread_;
};

// Runs an attack in a process of its own, so that nothing of one is left for the next.
inline void Attack(const char *name, const std::function<void()> &attack)
{
    fflush(nullptr);
    const pid_t process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        printf("%s: ", name);
        attack();
        const int result = check_result();
        fflush(nullptr);
        _exit(result);
    }
    CHECK_EQ(Reap(process), 0);
}

// How the victim was before an attack, and that it is so again when the attackers are gone.
class Leftovers {
public:
    explicit Leftovers(const Victim &victim)
        : victim_(victim), descriptors_(victim.Descriptors()), mappings_(victim.Mappings()), memory_(victim.Memory())
    {
    }
    // Workers stay, and the allocator keeps some memory.
    void Check() const
    {
        constexpr int MOST_THREADS = 24;
        constexpr long MORE_MEMORY = 64 * 1024;
        if (!CHECK(Until([this] { return victim_.Descriptors() <= descriptors_ && victim_.Mappings() <= mappings_; }))) {
            fprintf(stderr, "%d descriptors, %d before; %d mappings, %d before\n", victim_.Descriptors(), descriptors_,
                victim_.Mappings(), mappings_);
        }
        CHECK(victim_.Threads() <= MOST_THREADS);
        if (!CHECK(victim_.Memory() < memory_ + MORE_MEMORY)) {
            fprintf(stderr, "%ld kilobytes of memory, %ld before\n", victim_.Memory(), memory_);
        }
    }

private:
    const Victim &victim_;
    int descriptors_;
    int mappings_;
    long memory_;
};

// Another process attacks, once there is an honest peer, and stays when it is done. `then` looks at what has become of it, before the
// attacker is killed; nothing of it is left.
inline void BesideAnHonestPeer(const Victim &victim, const std::function<void(const uint8_t *reference)> &attack,
    const std::function<void(HonestPeer &)> &then)
{
    const uint8_t *reference = NextReference();
    const pid_t attacker = Fork([&attack, reference] {
        Until([] { return TheGrounds().step == 1; });
        attack(reference);
        StayUntilKilled(2);
    });
    HonestPeer honest;
    const Leftovers leftovers(victim);
    TheGrounds().step = 1;
    CHECK(Until([] { return TheGrounds().step == 2; }));
    honest.GoesOn();
    then(honest);
    Kill(attacker);
    leftovers.Check();
}

#endif
