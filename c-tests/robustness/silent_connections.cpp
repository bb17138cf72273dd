// SPDX-License-Identifier: Apache-2.0
// Others connect and say nothing, or there is nothing left to take them in with.
#include <sys/resource.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "lying_peer.hpp"

namespace {

struct Board {
    std::atomic<int> exported;
    uint8_t references[2][REFERENCE_BYTES];
};
Board *board;

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

// A process whose log goes to `log`, and that may open `spare` more descriptors; any number where that is negative.
pid_t StartServer(int spare, int log)
{
    board->exported = 0;
    const pid_t server = Fork([spare, log] {
        dup2(log, STDERR_FILENO);
        for (uint8_t *reference : board->references) {
            Export(OH_IPCRemoteStub_Create("server", Nothing, nullptr, nullptr), reference);
        }
        if (spare >= 0) {
            rlimit limit = {};
            getrlimit(RLIMIT_NOFILE, &limit);
            limit.rlim_cur = static_cast<rlim_t>(OpenDescriptors() + spare);
            setrlimit(RLIMIT_NOFILE, &limit);
        }
        board->exported = 1;
    });
    CHECK(Until([] { return board->exported == 1; }));
    return server;
}

void CallOnce(const uint8_t *reference)
{
    OHIPCRemoteProxy *proxy = ipckit_reference_import(reference);
    if (CHECK(proxy != nullptr)) {
        CHECK_EQ(Call(proxy, 1), OH_IPC_SUCCESS);
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}

int Lines(int log)
{
    std::vector<char> text(1 << 20);
    const ssize_t len = pread(log, text.data(), text.size(), 0);
    int lines = 0;
    for (ssize_t place = 0; place < len; ++place) {
        lines += text[static_cast<size_t>(place)] == '\n';
    }
    return lines;
}

// Those for whom there is no descriptor are refused at once, with one line in the log, and there is room again when others go.
void DescriptorsAreShort(int log)
{
    const pid_t server = StartServer(8, log);
    std::vector<int> silent;
    for (int count = 0; count < 50; ++count) {
        silent.push_back(Connect(board->references[0]));
        CHECK(silent.back() >= 0);
    }
    CHECK(Until([&silent] {
        int refused = 0;
        for (int connection : silent) {
            refused += IsHungUp(connection);
        }
        return refused >= 30;
    }));
    const int lines = Lines(log);
    CHECK(lines >= 1 && lines <= 10);
    for (int connection : silent) {
        close(connection);
    }
    // The server has taken notice of that once it keeps a connection again.
    CHECK(Until([] {
        const int connection = Connect(board->references[0]);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const bool kept = !IsHungUp(connection);
        close(connection);
        return kept;
    }));
    CallOnce(board->references[0]);
    Kill(server);
}

// A connection of another process's, which gives it away and ends.
int ConnectElsewhere(const uint8_t *reference)
{
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    const pid_t process = Fork([&ends, reference] {
        const int connection = Connect(reference);
        SendPacket(ends[1], "", 1, {connection});
        _exit(connection >= 0 ? 0 : 1);
    });
    CHECK_EQ(Reap(process), 0);
    const int connection = ReceiveDescriptor(ends[0]);
    close(ends[0]);
    close(ends[1]);
    return connection;
}

// Of many silent connections the oldest goes.
void ManyAreSilent(int log)
{
    const pid_t server = StartServer(-1, log);
    std::vector<int> silent;
    for (int count = 0; count < 65; ++count) {
        silent.push_back(ConnectElsewhere(board->references[0]));
        CHECK(silent.back() >= 0);
    }
    CHECK(Until([&silent] {
        close(Connect(board->references[0]));
        return IsHungUp(silent.front());
    }));
    CHECK(!IsHungUp(silent.back()));
    CallOnce(board->references[0]);
    for (int connection : silent) {
        close(connection);
    }
    Kill(server);
}

// A process that takes no connections is given up.
void TheQueueIsFull()
{
    std::vector<uint8_t> reference(REFERENCE_BYTES, 7);
    const pid_t process = getpid();
    memcpy(reference.data(), &process, sizeof process);
    const int listener = Listen(reference.data(), 0);
    std::vector<int> waiting;
    int connection;
    while ((connection = Connect(reference.data(), SOCK_NONBLOCK)) >= 0) {
        waiting.push_back(connection);
    }
    CHECK_EQ(errno, EAGAIN);
    CHECK(ipckit_reference_import(reference.data()) == nullptr);
    for (int one : waiting) {
        close(one);
    }
    close(listener);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    char path[] = "silent_connections.XXXXXX";
    const int log = mkstemp(path);
    CHECK(log >= 0);
    unlink(path);
    DescriptorsAreShort(log);
    ManyAreSilent(log);
    TheQueueIsFull();
    close(log);
    return check_result();
}
