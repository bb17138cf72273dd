// SPDX-License-Identifier: Apache-2.0
// ipc_cparcel.h as C++ programs use it: owning pointers, std::string, lambdas as callbacks, parcels on several threads.
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "parcel_check.h"

namespace {

struct DestroyParcel {
    void operator()(OHIPCParcel *parcel) const { OH_IPCParcel_Destroy(parcel); }
};
using Parcel = std::unique_ptr<OHIPCParcel, DestroyParcel>;

Parcel make_parcel()
{
    Parcel parcel(OH_IPCParcel_Create());
    CHECK(parcel != nullptr);
    return parcel;
}

// The lowest, the highest and some number in between, written and read with a pair of functions of that type.
template <typename T>
void round_trip(int (*write)(OHIPCParcel *, T), int (*read)(const OHIPCParcel *, T *))
{
    const std::vector<T> values{std::numeric_limits<T>::lowest(), T{1}, T{100}, std::numeric_limits<T>::max()};
    Parcel parcel = make_parcel();
    for (T value : values) {
        CHECK_EQ(write(parcel.get(), value), OH_IPC_SUCCESS);
    }
    for (T expected : values) {
        T value{};
        CHECK_EQ(read(parcel.get(), &value), OH_IPC_SUCCESS);
        CHECK(value == expected);
    }
    CHECK_EQ(OH_IPCParcel_GetReadableBytes(parcel.get()), 0);
}

void scalars()
{
    round_trip(&OH_IPCParcel_WriteInt8, &OH_IPCParcel_ReadInt8);
    round_trip(&OH_IPCParcel_WriteInt16, &OH_IPCParcel_ReadInt16);
    round_trip(&OH_IPCParcel_WriteInt32, &OH_IPCParcel_ReadInt32);
    round_trip(&OH_IPCParcel_WriteInt64, &OH_IPCParcel_ReadInt64);
    round_trip(&OH_IPCParcel_WriteUint8, &OH_IPCParcel_ReadUint8);
    round_trip(&OH_IPCParcel_WriteUint16, &OH_IPCParcel_ReadUint16);
    round_trip(&OH_IPCParcel_WriteUint32, &OH_IPCParcel_ReadUint32);
    round_trip(&OH_IPCParcel_WriteUint64, &OH_IPCParcel_ReadUint64);
    round_trip(&OH_IPCParcel_WriteFloat, &OH_IPCParcel_ReadFloat);
    round_trip(&OH_IPCParcel_WriteDouble, &OH_IPCParcel_ReadDouble);
}

void a_request_as_a_sample_builds_it()
{
    const std::string token = "native.remote.stub";
    const std::string text = "\xe4\xbd\xa0\xe5\xa5\xbd, parcel";
    const std::vector<uint8_t> bytes{1, 2, 3, 4, 5, 6, 7};
    Parcel parcel = make_parcel();
    CHECK_EQ(OH_IPCParcel_WriteInterfaceToken(parcel.get(), token.c_str()), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInt32(parcel.get(), 2), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteString(parcel.get(), text.c_str()), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteBuffer(parcel.get(), bytes.data(), static_cast<int32_t>(bytes.size())), OH_IPC_SUCCESS);

    char *read_token = nullptr;
    int32_t length = 0;
    CHECK_EQ(OH_IPCParcel_ReadInterfaceToken(parcel.get(), &read_token, &length,
                 [](int32_t size) -> void * { return std::malloc(static_cast<std::size_t>(size)); }),
        OH_IPC_SUCCESS);
    CHECK(read_token != nullptr && token == read_token);
    std::free(read_token);
    int32_t number = 0;
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel.get(), &number), OH_IPC_SUCCESS);
    CHECK_EQ(number, 2);
    CHECK_TEXT(OH_IPCParcel_ReadString(parcel.get()), text.c_str());
    const uint8_t *read_bytes = OH_IPCParcel_ReadBuffer(parcel.get(), static_cast<int32_t>(bytes.size()));
    CHECK(read_bytes != nullptr && std::vector<uint8_t>(read_bytes, read_bytes + bytes.size()) == bytes);
}

// Parcels know nothing of each other: each thread uses its own.
void one_parcel_per_thread()
{
    std::vector<std::thread> threads;
    for (int32_t number = 0; number < 4; number++) {
        threads.emplace_back([number] {
            for (int32_t round = 0; round < 200; round++) {
                Parcel parcel = make_parcel();
                Parcel part = make_parcel();
                CHECK_EQ(OH_IPCParcel_WriteString(part.get(), std::to_string(number).c_str()), OH_IPC_SUCCESS);
                for (int32_t i = 0; i < 100; i++) {
                    CHECK_EQ(OH_IPCParcel_Append(parcel.get(), part.get()), OH_IPC_SUCCESS);
                }
                for (int32_t i = 0; i < 100; i++) {
                    CHECK_TEXT(OH_IPCParcel_ReadString(parcel.get()), std::to_string(number).c_str());
                }
                CHECK_EQ(OH_IPCParcel_GetReadableBytes(parcel.get()), 0);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

void objects_outlive_their_maker()
{
    int destroyed = 0;
    Parcel parcel = make_parcel();
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create(
        "objects", [](uint32_t, const OHIPCParcel *, OHIPCParcel *, void *) -> int { return OH_IPC_SUCCESS; },
        [](void *userData) { ++*static_cast<int *>(userData); }, &destroyed);
    Parcel copy = make_parcel();
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel.get(), stub), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(copy.get(), stub), OH_IPC_SUCCESS);
    OH_IPCRemoteStub_Destroy(stub);
    parcel.reset();
    CHECK_EQ(destroyed, 0);
    OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(copy.get());
    CHECK(proxy != nullptr);
    copy.reset();
    CHECK_EQ(destroyed, 0);
    OH_IPCRemoteProxy_Destroy(proxy);
    CHECK_EQ(destroyed, 1);
}

} // namespace

int main()
{
    scalars();
    a_request_as_a_sample_builds_it();
    one_parcel_per_thread();
    objects_outlive_their_maker();
    return check_result();
}
