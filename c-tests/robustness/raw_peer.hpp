// SPDX-License-Identifier: Apache-2.0
// A process that talks to the library without it, byte by byte as docs/protocol.md has them, and so can say what the library never
// would.
#ifndef ROBUSTNESS_RAW_PEER_HPP
#define ROBUSTNESS_RAW_PEER_HPP

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <climits>

#include "raw_socket.hpp"

constexpr size_t MESSAGE_BYTES = 48;
constexpr uint64_t PROTOCOL_VERSION = 3;

enum MessageKind : uint8_t { NO_MESSAGE, HELLO, WELCOME, REFUSED, ACQUIRE, ACQUIRED, RELEASE, LEND };
enum Refusal : uint64_t { FOR_VERSION, FOR_USER, FOR_CROSSING, FOR_ADDRESS };
enum RecordKind : uint8_t { REQUEST = 1, DESCRIPTOR, REPLY, NO_STUB };

struct Message {
    uint8_t bytes[MESSAGE_BYTES];

    uint8_t Kind() const { return bytes[0]; }
    uint64_t First() const { return Number(8); }
    uint64_t Second() const { return Number(16); }

private:
    uint64_t Number(size_t place) const
    {
        uint64_t number = 0;
        memcpy(&number, bytes + place, sizeof number);
        return number;
    }
};

inline Message MakeMessage(uint8_t kind, uint64_t first, uint64_t second, const uint8_t *address = nullptr)
{
    Message message = {};
    message.bytes[0] = kind;
    memcpy(message.bytes + 8, &first, sizeof first);
    memcpy(message.bytes + 16, &second, sizeof second);
    if (address != nullptr) {
        memcpy(message.bytes + 24, address, 16);
    }
    return message;
}

// The parts of a reference.
inline uint64_t ObjectOf(const uint8_t *reference)
{
    uint64_t object = 0;
    memcpy(&object, reference + 16, sizeof object);
    return object;
}

inline uint64_t SecretOf(const uint8_t *reference)
{
    uint64_t secret = 0;
    memcpy(&secret, reference + 24, sizeof secret);
    return secret;
}

class RawPeer {
public:
    // Listens at an address of its own, and is connected to the process that listens at `address`.
    explicit RawPeer(const uint8_t *address)
    {
        CHECK_EQ(getrandom(own_address_, sizeof own_address_, 0), static_cast<ssize_t>(sizeof own_address_));
        listener_ = Listen(own_address_, 16);
        socket_ = Connect(address);
        CHECK(socket_ >= 0);
        segment_ = NewMemory("segment", SEGMENT_BYTES, &files_[0]);
        NewMemory("status", PAGE_BYTES, &files_[1]);
        NewMemory("doorbells", DOORBELL_BYTES, &files_[2]);
    }
    ~RawPeer()
    {
        for (int fd : {listener_, socket_, files_[0], files_[1], files_[2]}) {
            close(fd);
        }
        munmap(segment_, SEGMENT_BYTES);
        if (theirs_ != nullptr) {
            munmap(theirs_, SEGMENT_BYTES);
            munmap(doorbells_, DOORBELL_BYTES);
        }
    }
    RawPeer(const RawPeer &) = delete;
    RawPeer &operator=(const RawPeer &) = delete;

    const uint8_t *OwnAddress() const { return own_address_; }
    bool IsHungUp() const { return ::IsHungUp(socket_); }

    // Says hello as the process that listens at `address`, and returns the answer.
    Message SayHello(const uint8_t *address, uint64_t token_id = 0)
    {
        Message hello = MakeMessage(HELLO, PROTOCOL_VERSION << 16, token_id, address);
        Transfer transfer(hello);
        transfer.Attach(files_, 3);
        CHECK_EQ(sendmsg(socket_, &transfer.header, MSG_NOSIGNAL), static_cast<ssize_t>(MESSAGE_BYTES));
        int files[3] = {-1, -1, -1};
        const Message answer = Receive(files);
        if (answer.Kind() == WELCOME) {
            channel_ = static_cast<uint16_t>(answer.First());
            theirs_ = Map(files[0], SEGMENT_BYTES, PROT_READ);
            doorbells_ = Map(files[2], DOORBELL_BYTES, PROT_READ | PROT_WRITE);
        }
        for (int fd : files) {
            close(fd);
        }
        return answer;
    }

    bool Greet() { return CHECK_EQ(SayHello(own_address_).Kind(), WELCOME); }

    void Send(const Message &message)
    {
        CHECK_EQ(send(socket_, message.bytes, MESSAGE_BYTES, MSG_NOSIGNAL), static_cast<ssize_t>(MESSAGE_BYTES));
    }

    Message Receive(int *files = nullptr)
    {
        Message message = {};
        Transfer transfer(message);
        pollfd readable = {socket_, POLLIN, 0};
        if (!CHECK_EQ(poll(&readable, 1, 60000), 1) || recvmsg(socket_, &transfer.header, MSG_CMSG_CLOEXEC) <= 0) {
            return {};
        }
        if (files != nullptr) {
            transfer.Detach(files, 3);
        }
        return message;
    }

    // Asks for a share; whether it is counted.
    bool Acquire(uint64_t object, uint64_t secret)
    {
        Send(MakeMessage(ACQUIRE, object, secret));
        const Message answer = Receive();
        CHECK_EQ(answer.Kind(), ACQUIRED);
        CHECK_EQ(answer.First(), object);
        return answer.Second() == 1;
    }

    // Sends a request of a kind to an object, and waits for the kind of the reply. `fill` stands in every field that says nothing.
    uint8_t Ask(uint8_t kind, uint64_t object, uint8_t fill = 0)
    {
        uint8_t content[RECORD_BYTES - 8];
        memset(content, fill, sizeof content);
        PutCommon(content, kind, object);
        Put(content, 24, ++calls_);
        Put(content, 32, uint16_t{0}); // the call slot
        Publish(REQUESTS + (calls_ - 1) % SLOTS * RECORD_BYTES, content, calls_);
        const uint8_t *reply = theirs_ + REPLIES;
        if (!CHECK(Until([this, reply] { return Word(reply).load() == calls_; }))) {
            return 0;
        }
        return reply[8 + KIND];
    }

    // Sends an asynchronous message to an object.
    void Post(uint64_t object)
    {
        uint8_t content[RECORD_BYTES - 8] = {};
        PutCommon(content, REQUEST, object);
        Publish(MESSAGES + messages_ * RECORD_BYTES, content, messages_ + 1);
        ++messages_;
    }

    // Whether the other side has taken all messages in.
    bool MessagesAreTaken() const { return Word(theirs_ + 128).load() == messages_; }

private:
    static constexpr size_t PAGE_BYTES = 4096;
    static constexpr size_t RECORD_BYTES = 128;
    static constexpr size_t SLOTS = 128;
    static constexpr size_t KIND = 34;
    static constexpr size_t REQUESTS = 8576;
    static constexpr size_t REPLIES = 41344;
    static constexpr size_t MESSAGES = 57728;
    static constexpr size_t SEGMENT_BYTES = (1106304 + (4 << 20) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    static constexpr size_t BELLS = 320;
    static constexpr size_t DOORBELL_BYTES = (BELLS + 512 * 64 + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    struct Transfer {
        explicit Transfer(Message &message) : vector{message.bytes, MESSAGE_BYTES}, header()
        {
            header.msg_iov = &vector;
            header.msg_iovlen = 1;
            header.msg_control = control;
            header.msg_controllen = sizeof control;
        }
        void Attach(const int *files, size_t count)
        {
            header.msg_controllen = CMSG_SPACE(count * sizeof(int));
            cmsghdr *const part = CMSG_FIRSTHDR(&header);
            part->cmsg_level = SOL_SOCKET;
            part->cmsg_type = SCM_RIGHTS;
            part->cmsg_len = CMSG_LEN(count * sizeof(int));
            memcpy(CMSG_DATA(part), files, count * sizeof(int));
        }
        void Detach(int *files, size_t count)
        {
            const cmsghdr *const part = CMSG_FIRSTHDR(&header);
            if (part != nullptr && part->cmsg_len == CMSG_LEN(count * sizeof(int))) {
                memcpy(files, CMSG_DATA(part), count * sizeof(int));
            }
        }

        iovec vector;
        alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {};
        msghdr header;
    };

    static uint8_t *Map(int fd, size_t len, int protection)
    {
        void *memory = mmap(nullptr, len, protection, MAP_SHARED, fd, 0);
        CHECK(memory != MAP_FAILED);
        return static_cast<uint8_t *>(memory);
    }

    static uint8_t *NewMemory(const char *name, size_t len, int *fd)
    {
        *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        CHECK_EQ(ftruncate(*fd, static_cast<off_t>(len)), 0);
        uint8_t *memory = Map(*fd, len, PROT_READ | PROT_WRITE);
        CHECK_EQ(fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
        return memory;
    }

    static std::atomic<uint32_t> &Word(const uint8_t *place)
    {
        return *reinterpret_cast<std::atomic<uint32_t> *>(const_cast<uint8_t *>(place));
    }

    template <typename T> static void Put(uint8_t *content, size_t place, T value) { memcpy(content + place, &value, sizeof value); }

    // What every record without a body says.
    static void PutCommon(uint8_t *content, uint8_t kind, uint64_t object)
    {
        Put(content, 0, object);
        Put(content, 16, uint32_t{1}); // the code
        Put(content, 20, uint32_t{0}); // the length of the data
        Put(content, KIND, kind);
        Put(content, 35, uint8_t{2}); // both cache lines say something
        Put(content, 100, uint16_t{0}); // objects and ancestors
        Put(content, 102, uint16_t{0});
        Put(content, 116, uint32_t{0}); // the length of the body
    }

    void Publish(size_t record, const uint8_t *content, size_t sequence)
    {
        memcpy(segment_ + record + 8, content, RECORD_BYTES - 8);
        Word(segment_ + record).store(static_cast<uint32_t>(sequence));
        Announce();
    }

    // As the library does: whoever looks needs no bell, and of those that sleep one is woken.
    void Announce()
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (Word(theirs_ + 64).load() != 0) {
            return;
        }
        auto *const pending = reinterpret_cast<std::atomic<uint64_t> *>(doorbells_ + 64);
        pending[channel_ / 64] |= UINT64_C(1) << channel_ % 64;
        std::atomic_thread_fence(std::memory_order_seq_cst);
        auto *const idle = reinterpret_cast<std::atomic<uint64_t> *>(doorbells_);
        uint64_t workers = idle->load();
        while (workers != 0 && !idle->compare_exchange_weak(workers, workers & (workers - 1))) {
        }
        if (workers != 0) {
            std::atomic<uint32_t> &bell = Word(doorbells_ + BELLS + static_cast<size_t>(__builtin_ctzll(workers)) * 64);
            ++bell;
            syscall(SYS_futex, &bell, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
        }
    }

    uint8_t own_address_[16];
    int listener_;
    int socket_;
    int files_[3];
    uint8_t *segment_;
    uint8_t *theirs_ = nullptr;
    uint8_t *doorbells_ = nullptr;
    uint16_t channel_ = 0;
    uint32_t calls_ = 0;
    uint32_t messages_ = 0;
};

#endif
