// SPDX-License-Identifier: Apache-2.0
// A peer without the library: it says and writes what a test wants, at the places that docs/protocol.md names.
#ifndef ROBUSTNESS_LYING_PEER_HPP
#define ROBUSTNESS_LYING_PEER_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "raw_socket.hpp"

constexpr size_t MESSAGE_BYTES = 48;
constexpr size_t WholePages(size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}
constexpr size_t SEGMENT_BYTES = WholePages(1106304 + (4 << 20));
constexpr size_t STATUS_BYTES = 4096;
constexpr size_t DOORBELL_PAGES = WholePages(320 + 512 * 64);
constexpr size_t REQUESTS = 8576;
constexpr size_t NESTED_REQUESTS = 24960;
constexpr size_t REPLIES = 41344;
constexpr size_t ASYNC_MESSAGES = 57728;
constexpr size_t ASYNC_SENT = 256;
constexpr size_t ARENA = 1106304;
constexpr size_t RECORD_BYTES = 128;
constexpr uint64_t VERSION = 3;
constexpr uint32_t CALL_SLOTS = 128;
constexpr uint32_t ASYNC_ENTRIES = 8192;

enum MessageKind : uint8_t {
    HELLO = 1, WELCOME, REFUSED, ACQUIRE, ACQUIRED, RELEASE, LEND, DESCRIPTORS, ASK_ROOM, ROOM_IN_USE, LENT, UNLEND,
    SETTLE, SETTLED
};
enum RecordKind : uint8_t { REQUEST = 1, DESCRIPTOR, REPLY, NO_STUB, NO_ROOM, MALFORMED, LOST };

struct Message {
    uint8_t bytes[MESSAGE_BYTES];
};

inline Message MakeMessage(uint8_t kind, uint64_t first = 0, uint64_t second = 0, const uint8_t *address = nullptr, uint64_t third = 0)
{
    Message message = {};
    message.bytes[0] = kind;
    memcpy(message.bytes + 8, &first, 8);
    memcpy(message.bytes + 16, &second, 8);
    if (address != nullptr) {
        memcpy(message.bytes + 24, address, 16);
    }
    memcpy(message.bytes + 40, &third, 8);
    return message;
}

// What a ring's entry or a reply slot has behind its sequence word.
struct Content {
    uint64_t object, caller;
    uint32_t code, dataLen, call, sentAt;
    uint16_t callSlot;
    uint8_t kind, lines, shortBody[64];
    uint16_t objects, ancestors;
    uint64_t target;
    uint32_t arenaOffset, bodyLen;
};
static_assert(sizeof(Content) == 120, "as docs/protocol.md has it");

// One of a message's objects.
struct ObjectRecord {
    uint32_t offset, kind;
    uint64_t transfer;
    uint8_t reference[32];
};
static_assert(sizeof(ObjectRecord) == 48, "as docs/protocol.md has it");
enum ObjectKind : uint32_t { FILE_DESCRIPTOR = 1, STUB_OBJECT, PROXY_OBJECT };

// A memory file whose size is sealed.
inline int SealedMemory(size_t bytes)
{
    const int file = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK_EQ(ftruncate(file, static_cast<off_t>(bytes)), 0);
    CHECK_EQ(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    return file;
}

inline bool SendPacket(int socket, const void *bytes, size_t len, const std::vector<int> &descriptors = {}, int flags = 0)
{
    iovec vector = {const_cast<void *>(bytes), len};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr header = {};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr *message = CMSG_FIRSTHDR(&header);
        message->cmsg_level = SOL_SOCKET;
        message->cmsg_type = SCM_RIGHTS;
        message->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
        memcpy(CMSG_DATA(message), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL | flags) == static_cast<ssize_t>(len);
}

// The next message of 48 bytes and its descriptors; false at the end of the connection.
inline bool ReceiveMessage(int socket, Message &message, std::vector<int> *descriptors = nullptr)
{
    iovec vector = {message.bytes, sizeof message.bytes};
    char control[CMSG_SPACE(253 * sizeof(int))];
    msghdr header = {};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t len = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    for (cmsghdr *part = len < 0 ? nullptr : CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        std::vector<int> received((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(received.data(), CMSG_DATA(part), received.size() * sizeof(int));
        for (int each : received) {
            if (descriptors != nullptr) {
                descriptors->push_back(each);
            } else {
                close(each);
            }
        }
    }
    return len == static_cast<ssize_t>(sizeof message.bytes);
}

// The descriptor that comes with the next packet, -1 where there is none.
inline int ReceiveDescriptor(int socket)
{
    Message message;
    std::vector<int> descriptors;
    ReceiveMessage(socket, message, &descriptors);
    return descriptors.empty() ? -1 : descriptors[0];
}

class RawPeer {
public:
    // Connects to the process of a reference, as a process of this library does. What it says and writes from then on is the test's.
    explicit RawPeer(const uint8_t *reference, int backlog = 64)
    {
        memcpy(&object_, reference + 16, 8);
        memcpy(&secret_, reference + 24, 8);
        std::random_device random;
        for (uint8_t &byte : address_) {
            byte = static_cast<uint8_t>(random());
        }
        listener_ = Listen(address_, backlog);
        socket_ = Connect(reference);
        files_ = {SealedMemory(SEGMENT_BYTES), SealedMemory(STATUS_BYTES), SealedMemory(DOORBELL_PAGES)};
        segment_ = Map(files_[0], SEGMENT_BYTES, PROT_READ | PROT_WRITE);
        status_ = Map(files_[1], STATUS_BYTES, PROT_READ | PROT_WRITE);
        const uint64_t room = 1 << 20;
        memcpy(status_ + 128, &room, sizeof room);
        const Message hello = MakeMessage(HELLO, VERSION << 16 | 1, 0, address_);
        Message welcome;
        std::vector<int> theirs;
        if (!SendPacket(socket_, hello.bytes, MESSAGE_BYTES, files_) || !ReceiveMessage(socket_, welcome, &theirs)) {
            return;
        }
        if (welcome.bytes[0] == WELCOME && theirs.size() == 3) {
            isConnected_ = true;
            peerSegment_ = Map(theirs[0], SEGMENT_BYTES, PROT_READ);
            peerDoorbells_ = Map(theirs[2], DOORBELL_PAGES, PROT_READ | PROT_WRITE);
            memcpy(&channel_, welcome.bytes + 8, 2);
        }
        for (int each : theirs) {
            close(each);
        }
    }
    RawPeer(const RawPeer &) = delete;
    RawPeer &operator=(const RawPeer &) = delete;
    ~RawPeer()
    {
        for (int each : files_) {
            close(each);
        }
        close(socket_);
        close(listener_);
        munmap(segment_, SEGMENT_BYTES);
        munmap(status_, STATUS_BYTES);
        if (isConnected_) {
            munmap(peerSegment_, SEGMENT_BYTES);
            munmap(peerDoorbells_, DOORBELL_PAGES);
        }
    }

    bool IsConnected() const { return isConnected_; }
    int Socket() const { return socket_; }
    const uint8_t *Address() const { return address_; }
    uint8_t *Segment() { return segment_; }
    uint8_t *Status() { return status_; }
    uint8_t *PeerDoorbells() { return peerDoorbells_; }
    const uint8_t *PeerSegment() const { return peerSegment_; }
    uint64_t Object() const { return object_; }
    uint64_t Secret() const { return secret_; }
    uint32_t AsyncTicket() const { return asyncTicket_; }

    bool Say(const Message &message, const std::vector<int> &descriptors = {}, int flags = 0)
    {
        return SendPacket(socket_, message.bytes, MESSAGE_BYTES, descriptors, flags);
    }

    // Gets a share of the stub that the reference names.
    bool AcquireShare()
    {
        Message answer;
        return Say(MakeMessage(ACQUIRE, object_, secret_)) && ReceiveMessage(socket_, answer) && answer.bytes[0] == ACQUIRED &&
            answer.bytes[16] == 1;
    }

    // Whether the other end has ended the connection, what it had sent before left aside.
    bool IsGivenUp()
    {
        Message message;
        while (recv(socket_, message.bytes, MESSAGE_BYTES, MSG_DONTWAIT) > 0) {
        }
        return IsHungUp(socket_);
    }

    // A request that makes sense.
    Content Request(uint32_t code, uint16_t slot)
    {
        Content content = {};
        content.code = code;
        content.object = object_;
        content.caller = 64;
        content.call = ++calls_;
        content.callSlot = slot;
        content.kind = REQUEST;
        content.lines = 2;
        return content;
    }

    Content Request(uint32_t code, uint16_t slot, int32_t number)
    {
        Content content = Request(code, slot);
        content.bodyLen = content.dataLen = sizeof number;
        memcpy(content.shortBody, &number, sizeof number);
        return content;
    }

    // Puts a body of data and objects at a place of the arena, and says so in the content.
    void PlaceBody(Content &content, uint32_t offset, uint32_t dataLen, const std::vector<ObjectRecord> &objects)
    {
        content.dataLen = dataLen;
        content.objects = static_cast<uint16_t>(objects.size());
        content.arenaOffset = offset;
        const uint32_t padded = (dataLen + 7) / 8 * 8;
        content.bodyLen = objects.empty() ? dataLen : padded + static_cast<uint32_t>(objects.size() * sizeof(ObjectRecord));
        memcpy(segment_ + ARENA + offset + padded, objects.data(), objects.size() * sizeof(ObjectRecord));
    }

    void PublishRequest(const Content &content) { Publish(REQUESTS, CALL_SLOTS, requestTicket_++, content, true); }
    void PublishNested(const Content &content, bool ring = true) { Publish(NESTED_REQUESTS, CALL_SLOTS, nestedTicket_++, content, ring); }
    void PublishAsync(const Content &content, bool ring = true) { Publish(ASYNC_MESSAGES, ASYNC_ENTRIES, asyncTicket_++, content, ring); }
    // Puts an entry where one is already.
    void RepublishRequest(uint32_t ticket, const Content &content) { Publish(REQUESTS, CALL_SLOTS, ticket, content, true); }

    // Whether the reply to a call is there.
    bool HasReply(const Content &request, Content *reply = nullptr) const
    {
        const uint8_t *record = peerSegment_ + REPLIES + request.callSlot * RECORD_BYTES;
        if (__atomic_load_n(reinterpret_cast<const uint32_t *>(record), __ATOMIC_ACQUIRE) != request.call) {
            return false;
        }
        if (reply != nullptr) {
            memcpy(reply, record + 8, sizeof *reply);
        }
        return true;
    }

    // What a request is answered with; no kind where there is no answer.
    uint16_t KindOfReply(const Content &request)
    {
        Content reply = {};
        for (int looks = 0; looks < 1000 && !HasReply(request, &reply); ++looks) {
            std::this_thread::yield();
        }
        Until([&] { return HasReply(request, &reply) || IsHungUp(socket_); });
        return reply.kind;
    }

    // The next request that the other sends to this peer; false while there is none.
    bool NextRequest(Content &request)
    {
        const uint8_t *record = peerSegment_ + REQUESTS + takenTicket_ % CALL_SLOTS * RECORD_BYTES;
        if (__atomic_load_n(reinterpret_cast<const uint32_t *>(record), __ATOMIC_ACQUIRE) != takenTicket_ + 1) {
            return false;
        }
        ++takenTicket_;
        memcpy(&request, record + 8, sizeof request);
        return true;
    }

    // Answers it, with whatever `reply` holds.
    void Reply(const Content &request, const Content &reply)
    {
        uint8_t *record = segment_ + REPLIES + request.callSlot % CALL_SLOTS * RECORD_BYTES;
        memcpy(record + 8, &reply, sizeof reply);
        __atomic_store_n(reinterpret_cast<uint32_t *>(record), request.call, __ATOMIC_RELEASE);
        RingAll();
    }

    // Asynchronous messages that the other has taken in.
    uint32_t AsyncTaken() const { return __atomic_load_n(reinterpret_cast<const uint32_t *>(peerSegment_ + 128), __ATOMIC_ACQUIRE); }

    // Has a worker of the other's look at the rings, all threads that might wait and all workers.
    void RingAll()
    {
        SetBit(64);
        SetBit(192);
        for (size_t bell = 0; bell < 512; ++bell) {
            auto *word = reinterpret_cast<uint32_t *>(peerDoorbells_ + 320 + bell * 64);
            __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, word, /* FUTEX_WAKE */ 1, INT32_MAX, nullptr, nullptr, 0);
        }
    }

private:
    static uint8_t *Map(int file, size_t bytes, int protection)
    {
        void *memory = mmap(nullptr, bytes, protection, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) {
            perror("mmap");
            abort();
        }
        return static_cast<uint8_t *>(memory);
    }

    void SetBit(size_t words)
    {
        auto *word = reinterpret_cast<uint64_t *>(peerDoorbells_ + words) + channel_ / 64 % 16;
        __atomic_or_fetch(word, UINT64_C(1) << channel_ % 64, __ATOMIC_SEQ_CST);
    }

    void Publish(size_t ring, uint32_t entries, uint32_t ticket, const Content &content, bool rings)
    {
        uint8_t *record = segment_ + ring + ticket % entries * RECORD_BYTES;
        memcpy(record + 8, &content, sizeof content);
        __atomic_store_n(reinterpret_cast<uint32_t *>(record), ticket + 1, __ATOMIC_RELEASE);
        if (rings) {
            RingAll();
        }
    }

    uint8_t address_[16];
    uint64_t object_;
    uint64_t secret_;
    int listener_;
    int socket_;
    std::vector<int> files_;
    uint8_t *segment_;
    uint8_t *status_;
    uint8_t *peerSegment_ = nullptr;
    uint8_t *peerDoorbells_ = nullptr;
    uint16_t channel_ = 0;
    bool isConnected_ = false;
    uint32_t calls_ = 0;
    uint32_t requestTicket_ = 0;
    uint32_t nestedTicket_ = 0;
    uint32_t asyncTicket_ = 0;
    uint32_t takenTicket_ = 0;
};

#endif
