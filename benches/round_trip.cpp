// SPDX-License-Identifier: Apache-2.0
// A round trip of a few bytes between two processes, beside a bare futex ping-pong in the same run. Prints the medians and their ratio.
// usage: round_trip [BYTES]
#include <IPCKit/ipc_kit.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// How two processes meet without the child process library; private to this project.
extern "C" int ipckit_reference_export(OHIPCRemoteStub *stub, uint8_t *reference);
extern "C" OHIPCRemoteProxy *ipckit_reference_import(const uint8_t *reference);

namespace {

constexpr int ROUNDS = 11;
constexpr int CALLS = 20000;
constexpr size_t REFERENCE_BYTES = 64;
constexpr size_t MOST_BYTES = 4096;

struct Side {
    alignas(64) std::atomic<uint32_t> turn;
    std::array<char, MOST_BYTES> bytes;
};

struct PingPong {
    Side there;
    Side back;
};

double Now()
{
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Await(std::atomic<uint32_t> &word, uint32_t value)
{
    for (uint32_t now = word; now != value; now = word) {
        syscall(SYS_futex, &word, FUTEX_WAIT, now, nullptr, nullptr, 0);
    }
}

void Say(std::atomic<uint32_t> &word, uint32_t value)
{
    word = value;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

[[noreturn]] void Echo(PingPong &shared, size_t size)
{
    std::vector<char> own(size);
    for (uint32_t turn = 1;; turn++) {
        Await(shared.there.turn, turn);
        std::memcpy(own.data(), shared.there.bytes.data(), size);
        std::memcpy(shared.back.bytes.data(), own.data(), size);
        Say(shared.back.turn, turn);
    }
}

double BareRound(PingPong &shared, size_t size)
{
    std::vector<char> own(size);
    uint32_t turn = shared.back.turn;
    const double start = Now();
    for (int call = 0; call < CALLS; call++) {
        std::memcpy(shared.there.bytes.data(), own.data(), size);
        Say(shared.there.turn, ++turn);
        Await(shared.back.turn, turn);
        std::memcpy(own.data(), shared.back.bytes.data(), size);
    }
    return (Now() - start) / CALLS;
}

int OnRequest(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    const int size = OH_IPCParcel_GetDataSize(data);
    return OH_IPCParcel_WriteBuffer(reply, OH_IPCParcel_ReadBuffer(data, size), size);
}

[[noreturn]] void Serve(int pipe)
{
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("round trip", OnRequest, nullptr, nullptr);
    std::array<uint8_t, REFERENCE_BYTES> reference{};
    if (ipckit_reference_export(stub, reference.data()) != OH_IPC_SUCCESS ||
        write(pipe, reference.data(), reference.size()) != static_cast<ssize_t>(reference.size())) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

double LibraryRound(const OHIPCRemoteProxy *proxy, int32_t size)
{
    const std::vector<uint8_t> bytes(static_cast<size_t>(size), 7);
    const double start = Now();
    for (int call = 0; call < CALLS; call++) {
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        OH_IPCParcel_WriteBuffer(data, bytes.data(), size);
        const int result = OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, nullptr);
        if (result != OH_IPC_SUCCESS || OH_IPCParcel_ReadBuffer(reply, size)[0] != 7) {
            std::fprintf(stderr, "a call failed: %d\n", result);
            std::exit(1);
        }
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
    }
    return (Now() - start) / CALLS;
}

double Median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace

int main(int argc, char **argv)
{
    const size_t size = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 16;
    if (size < 4 || size > MOST_BYTES || size % 4 != 0) {
        std::fprintf(stderr, "usage: round_trip [BYTES], a multiple of 4 up to %zu\n", MOST_BYTES);
        return 2;
    }
    void *memory = mmap(nullptr, sizeof(PingPong), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (memory == MAP_FAILED || pipe(ends) != 0) {
        std::perror("round_trip");
        return 1;
    }
    auto &shared = *static_cast<PingPong *>(memory);
    const pid_t echo = fork();
    if (echo == 0) {
        Echo(shared, size);
    }
    const pid_t server = fork();
    if (server == 0) {
        Serve(ends[1]);
    }
    std::array<uint8_t, REFERENCE_BYTES> reference{};
    const bool met = read(ends[0], reference.data(), reference.size()) == static_cast<ssize_t>(reference.size());
    OHIPCRemoteProxy *proxy = met ? ipckit_reference_import(reference.data()) : nullptr;
    std::vector<double> bare;
    std::vector<double> library;
    for (int round = 0; proxy != nullptr && round < ROUNDS; round++) {
        bare.push_back(BareRound(shared, size));
        library.push_back(LibraryRound(proxy, static_cast<int32_t>(size)));
    }
    kill(echo, SIGKILL);
    kill(server, SIGKILL);
    while (wait(nullptr) > 0) {
    }
    if (proxy == nullptr) {
        std::fprintf(stderr, "round_trip: no server\n");
        return 1;
    }
    OH_IPCRemoteProxy_Destroy(proxy);
    std::printf("%zu bytes: bare futex %.2f us, library %.2f us, ratio %.2f (medians of %d interleaved rounds)\n", size,
        Median(bare), Median(library), Median(library) / Median(bare), ROUNDS);
    return 0;
}
