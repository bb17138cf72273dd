// SPDX-License-Identifier: Apache-2.0
// Two processes connect to each other at the same moment, one refuses the other's connection for its own, and then it dies or gives up.
// The other process is played here, byte by byte.
#include <cstdlib>
#include <vector>

#include "raw_socket.hpp"

namespace {

constexpr size_t MESSAGE_BYTES = 48;
constexpr uint8_t HELLO = 1;
constexpr uint8_t REFUSED = 3;
constexpr uint64_t CROSSED = 2;

using Message = std::vector<uint8_t>;

// The next message; empty where the connection is closed.
Message Receive(int connection)
{
    Message message(MESSAGE_BYTES);
    const ssize_t len = recv(connection, message.data(), message.size(), 0);
    message.resize(len > 0 ? static_cast<size_t>(len) : 0);
    return message;
}

void SendRefusal(int connection)
{
    Message message(MESSAGE_BYTES);
    message[0] = REFUSED;
    memcpy(&message[8], &CROSSED, sizeof CROSSED);
    CHECK_EQ(send(connection, message.data(), message.size(), MSG_NOSIGNAL), static_cast<ssize_t>(message.size()));
}

bool IsRefusal(const Message &message)
{
    return message.size() == MESSAGE_BYTES && message[0] == REFUSED && memcmp(&message[8], &CROSSED, sizeof CROSSED) == 0;
}

// Bytes of a reference to an object of the process with this address.
std::vector<uint8_t> ReferenceTo(const uint8_t *address)
{
    std::vector<uint8_t> reference(REFERENCE_BYTES, 1);
    memcpy(reference.data(), address, 16);
    return reference;
}

// An address above or below every other that this program meets.
std::vector<uint8_t> AddressOf(uint8_t first)
{
    std::vector<uint8_t> address(16, first);
    const pid_t process = getpid();
    memcpy(&address[4], &process, sizeof process);
    return address;
}

// What a reference of a process that is taken for dead becomes.
class Import {
public:
    explicit Import(const uint8_t *address)
        : reference_(ReferenceTo(address)), thread_([this] { proxy_ = ipckit_reference_import(reference_.data()); done_ = true; })
    {
    }
    bool IsDone() const { return done_; }
    void CheckIsDead()
    {
        if (!CHECK(Until([this] { return IsDone(); }))) {
            // Nothing here can end the wait.
            exit(check_result());
        }
        thread_.join();
        CHECK(proxy_ == nullptr);
    }

private:
    std::vector<uint8_t> reference_;
    std::atomic<bool> done_{false};
    OHIPCRemoteProxy *proxy_ = nullptr;
    std::thread thread_;
};

// It refuses our connection in favour of one that it never makes.
void TheRefusingSideDies()
{
    const std::vector<uint8_t> low = AddressOf(0);
    const int listener = Listen(low.data(), 8);
    Import import(low.data());
    const int connection = accept(listener, nullptr, nullptr);
    CHECK_EQ(Receive(connection)[0], HELLO);
    SendRefusal(connection);
    CHECK(!import.IsDone());
    close(connection);
    import.CheckIsDead();
    close(listener);
}

// It is refused in favour of our connection, which we then give up: it must learn that.
void TheRefusedSideLearnsThatTheOtherGaveUp(const uint8_t *own_address)
{
    const std::vector<uint8_t> high = AddressOf(0xff);
    const int listener = Listen(high.data(), 8);
    Import import(high.data());
    const int greeting = accept(listener, nullptr, nullptr);
    Message hello = Receive(greeting);
    CHECK_EQ(hello[0], HELLO);

    const int crossing = Connect(own_address);
    CHECK(crossing >= 0);
    memcpy(&hello[24], high.data(), high.size());
    CHECK_EQ(send(crossing, hello.data(), hello.size(), MSG_NOSIGNAL), static_cast<ssize_t>(hello.size()));
    CHECK(IsRefusal(Receive(crossing)));
    CHECK(!IsHungUp(crossing));

    close(greeting);
    import.CheckIsDead();
    CHECK(Receive(crossing).empty());
    close(crossing);
    close(listener);
}

// Two real processes, and the moments between their handshakes at which one is killed.
struct Meeting {
    std::atomic<int> exported;
    std::atomic<int> ready;
    std::atomic<bool> done[2];
    uint8_t reference[2][REFERENCE_BYTES];
};
Meeting *meeting;

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

void Meet(int self)
{
    Export(OH_IPCRemoteStub_Create("met", Nothing, nullptr, nullptr), meeting->reference[self]);
    ++meeting->exported;
    Until([] { return meeting->exported == 2; });
    ++meeting->ready;
    while (meeting->ready < 2) {
    }
    OHIPCRemoteProxy *proxy = ipckit_reference_import(meeting->reference[1 - self]);
    if (proxy != nullptr) {
        Call(proxy, 1);
    }
    meeting->done[self] = true;
}

bool OneOfTwoIsKilled(int round)
{
    new (meeting) Meeting();
    const pid_t processes[2] = {Fork([] { Meet(0); }), Fork([] { Meet(1); })};
    CHECK(Until([] { return meeting->ready == 2; }));
    std::this_thread::sleep_for(std::chrono::microseconds(20 + round * 3 % 200));
    Kill(processes[0]);
    const bool ended = CHECK(Until([] { return meeting->done[1].load(); }));
    Kill(processes[1]);
    return ended;
}

} // namespace

int main()
{
    meeting = &Shared<Meeting>();
    // Before this process has threads.
    for (int round = 0; round < 100 && OneOfTwoIsKilled(round); ++round) {
    }
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("here", Nothing, nullptr, nullptr);
    uint8_t reference[REFERENCE_BYTES];
    Export(stub, reference);
    TheRefusingSideDies();
    TheRefusedSideLearnsThatTheOtherGaveUp(reference);
    OH_IPCRemoteStub_Destroy(stub);
    return check_result();
}
