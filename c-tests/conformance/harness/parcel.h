// SPDX-License-Identifier: Apache-2.0
// Parcels, requests and owned objects of the C interface, as tests use them.
#ifndef CONFORMANCE_HARNESS_PARCEL_H
#define CONFORMANCE_HARNESS_PARCEL_H

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include <IPCKit/ipc_kit.h>

namespace conformance {

template <auto destroy>
struct Destroyer {
    template <typename T>
    void operator()(T *object) const
    {
        destroy(object);
    }
};
using ProxyPtr = std::unique_ptr<OHIPCRemoteProxy, Destroyer<OH_IPCRemoteProxy_Destroy>>;
using StubPtr = std::unique_ptr<OHIPCRemoteStub, Destroyer<OH_IPCRemoteStub_Destroy>>;
using RecipientPtr = std::unique_ptr<OHIPCDeathRecipient, Destroyer<OH_IPCDeathRecipient_Destroy>>;

// What the getters of a parcel say, in this order.
struct State {
    int dataSize;
    int writable;
    int readable;
    int readPosition;
    int writePosition;
};
bool operator==(const State &a, const State &b);
std::ostream &operator<<(std::ostream &stream, const State &state);
State StateOf(const OHIPCParcel *parcel);

class Parcel;

// Reads in order from a parcel that lives longer. What is not there is a failure of the test.
class Reader {
public:
    explicit Reader(const OHIPCParcel *parcel) : parcel_(parcel) {}

    int32_t Int() const;
    int64_t Long() const;
    std::string Text() const;
    ProxyPtr Proxy() const;
    // A descriptor that the caller closes.
    int Descriptor() const;
    State ReadState() const;
    // What stands behind the cursor: bytes without objects, or one object at the cursor.
    Parcel Rest() const;
    const OHIPCParcel *Get() const { return parcel_; }

private:
    const OHIPCParcel *parcel_;
};

// Owns a parcel. Each writer yields the parcel; a write that is refused is a failure of the test.
class Parcel {
public:
    Parcel() : parcel_(OH_IPCParcel_Create()) {}

    OHIPCParcel *Get() const { return parcel_.get(); }
    conformance::State State() const { return StateOf(parcel_.get()); }
    Reader Read() const { return Reader(parcel_.get()); }

    Parcel &Int(int32_t value);
    Parcel &Long(int64_t value);
    Parcel &Text(const std::string &text);
    // `size` bytes, each of them `fill`.
    Parcel &Bytes(size_t size, uint8_t fill = 0x5a);
    Parcel &Stub(const OHIPCRemoteStub *stub);
    Parcel &Proxy(const OHIPCRemoteProxy *proxy);
    Parcel &Descriptor(int fd);
    Parcel &Append(const OHIPCParcel *other);

private:
    std::unique_ptr<OHIPCParcel, Destroyer<OH_IPCParcel_Destroy>> parcel_;
};

// Writers for a parcel that somebody else owns, such as a handler's reply.
void WriteInt(OHIPCParcel *parcel, int32_t value);
void WriteLong(OHIPCParcel *parcel, int64_t value);
void WriteText(OHIPCParcel *parcel, const std::string &text);
void WriteState(OHIPCParcel *parcel, const State &state);

// The request code of the behaviour of this name.
constexpr uint32_t Code(std::string_view behaviour)
{
    uint32_t hash = 0x811c9dc5;
    for (char byte : behaviour) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x01000193;
    }
    // Small numbers and the last ones are left for tests of the codes themselves.
    return 0x1000 + (hash >> 8) % 0xff0000;
}

int SendSync(const OHIPCRemoteProxy *proxy, uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply);
int SendAsync(const OHIPCRemoteProxy *proxy, uint32_t code, const OHIPCParcel *data);

// What a synchronous request came back with.
struct Answer {
    int result;
    Parcel reply;

    Reader Read() const { return reply.Read(); }
};
Answer Ask(const OHIPCRemoteProxy *proxy, std::string_view behaviour, const Parcel &data = Parcel());
// Sends an asynchronous request.
int Tell(const OHIPCRemoteProxy *proxy, std::string_view behaviour, const Parcel &data = Parcel());

} // namespace conformance

#endif
