// SPDX-License-Identifier: Apache-2.0
#include "harness/parcel.h"

#include <unistd.h>
#include <vector>

#include "harness/expect.h"

namespace conformance {
namespace {

// What a stub, proxy or descriptor takes in a parcel.
constexpr int OBJECT_SIZE = 24;

} // namespace

bool operator==(const State &a, const State &b)
{
    return a.dataSize == b.dataSize && a.writable == b.writable && a.readable == b.readable &&
        a.readPosition == b.readPosition && a.writePosition == b.writePosition;
}

std::ostream &operator<<(std::ostream &stream, const State &state)
{
    return stream << "size " << state.dataSize << " writable " << state.writable << " readable " << state.readable <<
        " read position " << state.readPosition << " write position " << state.writePosition;
}

State StateOf(const OHIPCParcel *parcel)
{
    return { OH_IPCParcel_GetDataSize(parcel), OH_IPCParcel_GetWritableBytes(parcel),
        OH_IPCParcel_GetReadableBytes(parcel), OH_IPCParcel_GetReadPosition(parcel),
        OH_IPCParcel_GetWritePosition(parcel) };
}

int32_t Reader::Int() const
{
    int32_t value = -1;
    EXPECT_EQ(OH_IPCParcel_ReadInt32(parcel_, &value), OH_IPC_SUCCESS);
    return value;
}

int64_t Reader::Long() const
{
    int64_t value = -1;
    EXPECT_EQ(OH_IPCParcel_ReadInt64(parcel_, &value), OH_IPC_SUCCESS);
    return value;
}

std::string Reader::Text() const
{
    const char *text = OH_IPCParcel_ReadString(parcel_);
    return EXPECT(text != nullptr) ? text : "";
}

ProxyPtr Reader::Proxy() const
{
    ProxyPtr proxy(OH_IPCParcel_ReadRemoteProxy(parcel_));
    EXPECT(proxy != nullptr);
    return proxy;
}

int Reader::Descriptor() const
{
    int fd = -1;
    EXPECT_EQ(OH_IPCParcel_ReadFileDescriptor(parcel_, &fd), OH_IPC_SUCCESS);
    return fd;
}

State Reader::ReadState() const
{
    State state;
    state.dataSize = Int();
    state.writable = Int();
    state.readable = Int();
    state.readPosition = Int();
    state.writePosition = Int();
    return state;
}

Parcel Reader::Rest() const
{
    Parcel rest;
    int readable = OH_IPCParcel_GetReadableBytes(parcel_);
    if (readable == OBJECT_SIZE) {
        ProxyPtr object(OH_IPCParcel_ReadRemoteProxy(parcel_));
        if (object != nullptr) {
            rest.Proxy(object.get());
            return rest;
        }
        // Reading the wrong kind of object steps over it; what is no object stays.
        EXPECT_EQ(OH_IPCParcel_RewindReadPosition(const_cast<OHIPCParcel *>(parcel_),
                      static_cast<uint32_t>(OH_IPCParcel_GetDataSize(parcel_) - readable)),
            OH_IPC_SUCCESS);
        int fd = -1;
        if (OH_IPCParcel_ReadFileDescriptor(parcel_, &fd) == OH_IPC_SUCCESS) {
            rest.Descriptor(fd);
            close(fd);
            return rest;
        }
    }
    if (readable > 0) {
        const uint8_t *bytes = OH_IPCParcel_ReadBuffer(parcel_, readable);
        if (EXPECT(bytes != nullptr)) {
            EXPECT_EQ(OH_IPCParcel_WriteBuffer(rest.Get(), bytes, readable), OH_IPC_SUCCESS);
        }
    }
    return rest;
}

Parcel &Parcel::Int(int32_t value)
{
    WriteInt(Get(), value);
    return *this;
}

Parcel &Parcel::Long(int64_t value)
{
    WriteLong(Get(), value);
    return *this;
}

Parcel &Parcel::Text(const std::string &text)
{
    WriteText(Get(), text);
    return *this;
}

Parcel &Parcel::Bytes(size_t size, uint8_t fill)
{
    std::vector<uint8_t> bytes(size, fill);
    EXPECT_EQ(OH_IPCParcel_WriteBuffer(Get(), bytes.data(), static_cast<int32_t>(size)), OH_IPC_SUCCESS);
    return *this;
}

Parcel &Parcel::Stub(const OHIPCRemoteStub *stub)
{
    EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(Get(), stub), OH_IPC_SUCCESS);
    return *this;
}

Parcel &Parcel::Proxy(const OHIPCRemoteProxy *proxy)
{
    EXPECT_EQ(OH_IPCParcel_WriteRemoteProxy(Get(), proxy), OH_IPC_SUCCESS);
    return *this;
}

Parcel &Parcel::Descriptor(int fd)
{
    EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(Get(), fd), OH_IPC_SUCCESS);
    return *this;
}

Parcel &Parcel::Append(const OHIPCParcel *other)
{
    EXPECT_EQ(OH_IPCParcel_Append(Get(), other), OH_IPC_SUCCESS);
    return *this;
}

void WriteInt(OHIPCParcel *parcel, int32_t value)
{
    EXPECT_EQ(OH_IPCParcel_WriteInt32(parcel, value), OH_IPC_SUCCESS);
}

void WriteLong(OHIPCParcel *parcel, int64_t value)
{
    EXPECT_EQ(OH_IPCParcel_WriteInt64(parcel, value), OH_IPC_SUCCESS);
}

void WriteText(OHIPCParcel *parcel, const std::string &text)
{
    EXPECT_EQ(OH_IPCParcel_WriteString(parcel, text.c_str()), OH_IPC_SUCCESS);
}

void WriteState(OHIPCParcel *parcel, const State &state)
{
    for (int number : { state.dataSize, state.writable, state.readable, state.readPosition, state.writePosition }) {
        WriteInt(parcel, number);
    }
}

int SendSync(const OHIPCRemoteProxy *proxy, uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply)
{
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, &option);
}

int SendAsync(const OHIPCRemoteProxy *proxy, uint32_t code, const OHIPCParcel *data)
{
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(proxy, code, data, nullptr, &option);
}

Answer Ask(const OHIPCRemoteProxy *proxy, std::string_view behaviour, const Parcel &data)
{
    Answer answer;
    answer.result = SendSync(proxy, Code(behaviour), data.Get(), answer.reply.Get());
    return answer;
}

int Tell(const OHIPCRemoteProxy *proxy, std::string_view behaviour, const Parcel &data)
{
    return SendAsync(proxy, Code(behaviour), data.Get());
}

} // namespace conformance
