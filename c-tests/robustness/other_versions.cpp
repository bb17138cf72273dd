// SPDX-License-Identifier: Apache-2.0
// Processes whose libraries have different versions of the protocol refuse each other, and both logs say so.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "raw_socket.hpp"

namespace {

// As docs/protocol.md has them.
constexpr size_t MESSAGE_BYTES = 48;
constexpr uint8_t HELLO = 1;
constexpr uint8_t WELCOME = 2;
constexpr uint8_t REFUSED = 3;
constexpr uint64_t FOR_ITS_VERSION = 0;
constexpr uint64_t OTHER_VERSION = 0xFFFFFFFE;

const char EXPLANATION[] = "the two use different versions of this library; rebuild them against the same";

struct Board {
    std::atomic<int> ready;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;

struct Message {
    uint8_t bytes[MESSAGE_BYTES];
};

Message Introduce(uint8_t kind, const uint8_t *address)
{
    Message message = {};
    message.bytes[0] = kind;
    const uint64_t version = OTHER_VERSION << 16;
    memcpy(message.bytes + 8, &version, sizeof version);
    memcpy(message.bytes + 24, address, 16);
    return message;
}

Message RefuseForItsVersion()
{
    Message message = {};
    message.bytes[0] = REFUSED;
    memcpy(message.bytes + 8, &FOR_ITS_VERSION, sizeof FOR_ITS_VERSION);
    return message;
}

bool Says(int log, const char *text)
{
    char content[1 << 16] = {};
    return pread(log, content, sizeof content - 1, 0) > 0 && strstr(content, text) != nullptr;
}

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

// Who connects has another version: it is told, and the connection ends.
void AnotherVersionConnects()
{
    const int log = memfd_create("log", 0);
    board->ready = 0;
    const pid_t server = Fork([log] {
        dup2(log, STDERR_FILENO);
        Export(OH_IPCRemoteStub_Create("server", Nothing, nullptr, nullptr), board->reference);
        board->ready = 1;
    });
    CHECK(Until([] { return board->ready == 1; }));
    const int connection = Connect(board->reference);
    CHECK(connection >= 0);
    const uint8_t own_address[16] = {9, 9, 9};
    const Message hello = Introduce(HELLO, own_address);
    CHECK_EQ(send(connection, hello.bytes, sizeof hello.bytes, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof hello.bytes));
    Message answer = {};
    CHECK_EQ(recv(connection, answer.bytes, sizeof answer.bytes, 0), static_cast<ssize_t>(sizeof answer.bytes));
    CHECK_EQ(memcmp(answer.bytes, RefuseForItsVersion().bytes, sizeof answer.bytes), 0);
    CHECK(Until([connection] { return IsHungUp(connection); }));
    CHECK(Says(log, EXPLANATION));
    close(connection);
    Kill(server);
    close(log);
}

// Who is connected to has another version, and answers so: there is no proxy, and no wait for one.
void AnotherVersionAnswers(const Message &answer, const uint8_t *address)
{
    const int log = memfd_create("log", 0);
    const int listener = Listen(address, 4);
    const pid_t client = Fork([log, address] {
        dup2(log, STDERR_FILENO);
        uint8_t reference[REFERENCE_BYTES] = {};
        memcpy(reference, address, 16);
        _exit(ipckit_reference_import(reference) == nullptr ? 0 : 1);
    });
    const int connection = accept(listener, nullptr, nullptr);
    CHECK(connection >= 0);
    Message hello = {};
    CHECK_EQ(recv(connection, hello.bytes, sizeof hello.bytes, 0), static_cast<ssize_t>(sizeof hello.bytes));
    CHECK_EQ(hello.bytes[0], HELLO);
    CHECK_EQ(send(connection, answer.bytes, sizeof answer.bytes, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof answer.bytes));
    CHECK_EQ(Reap(client), 0);
    CHECK(Says(log, EXPLANATION));
    close(connection);
    close(listener);
    close(log);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    unsetenv("IPCKIT_LOG_FILE");
    AnotherVersionConnects();
    uint8_t address[16] = {};
    const pid_t self = getpid();
    memcpy(address, &self, sizeof self);
    AnotherVersionAnswers(RefuseForItsVersion(), address);
    address[15] = 1;
    AnotherVersionAnswers(Introduce(WELCOME, address), address);
    return check_result();
}
