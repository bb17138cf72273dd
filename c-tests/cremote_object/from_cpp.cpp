// SPDX-License-Identifier: Apache-2.0
// ipc_cremote_object.h as C++ programs use it: a class behind a stub, lambdas as callbacks, calls from several threads.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "local_object.h"

namespace {

template <typename T, void (*destroy)(T *)>
struct Destroy {
    void operator()(T *object) const { destroy(object); }
};
using Parcel = std::unique_ptr<OHIPCParcel, Destroy<OHIPCParcel, OH_IPCParcel_Destroy>>;
using Stub = std::unique_ptr<OHIPCRemoteStub, Destroy<OHIPCRemoteStub, OH_IPCRemoteStub_Destroy>>;
using Proxy = std::unique_ptr<OHIPCRemoteProxy, Destroy<OHIPCRemoteProxy, OH_IPCRemoteProxy_Destroy>>;
using Recipient = std::unique_ptr<OHIPCDeathRecipient, Destroy<OHIPCDeathRecipient, OH_IPCDeathRecipient_Destroy>>;

// Adds two numbers; asked with a depth, it asks itself through its own proxy first.
class Adder {
public:
    enum Code : uint32_t { ADD = 1, NEST = 2 };

    Adder() : stub_(OH_IPCRemoteStub_Create("test.adder", &Adder::on_request, nullptr, this)), proxy_(proxy_of(stub_.get()))
    {
        CHECK(stub_ != nullptr);
    }

    const OHIPCRemoteProxy *proxy() const { return proxy_.get(); }
    int calls() const { return calls_.load(); }

private:
    static int on_request(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
    {
        return static_cast<Adder *>(userData)->handle(code, data, reply);
    }

    int handle(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply)
    {
        calls_++;
        int32_t first = 0;
        int32_t second = 0;
        if (OH_IPCParcel_ReadInt32(data, &first) != OH_IPC_SUCCESS ||
            OH_IPCParcel_ReadInt32(data, &second) != OH_IPC_SUCCESS) {
            return OH_IPC_PARCEL_READ_ERROR;
        }
        if (code == ADD) {
            return OH_IPCParcel_WriteInt32(reply, first + second);
        }
        // NEST: `first` more levels, each of which adds one to `second`.
        if (first == 0) {
            return OH_IPCParcel_WriteInt32(reply, second);
        }
        Parcel inner(OH_IPCParcel_Create());
        OH_IPCParcel_WriteInt32(inner.get(), first - 1);
        OH_IPCParcel_WriteInt32(inner.get(), second + 1);
        return OH_IPCRemoteProxy_SendRequest(proxy(), NEST, inner.get(), reply, nullptr);
    }

    std::atomic<int> calls_{0};
    Stub stub_;
    Proxy proxy_;
};

int ask(const Adder &adder, uint32_t code, int32_t first, int32_t second, int32_t &result)
{
    Parcel data(OH_IPCParcel_Create());
    Parcel reply(OH_IPCParcel_Create());
    CHECK_EQ(OH_IPCParcel_WriteInt32(data.get(), first), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteInt32(data.get(), second), OH_IPC_SUCCESS);
    OH_IPC_MessageOption option = {OH_IPC_REQUEST_MODE_SYNC, 0, nullptr};
    int code_returned = OH_IPCRemoteProxy_SendRequest(adder.proxy(), code, data.get(), reply.get(), &option);
    CHECK_EQ(OH_IPCParcel_ReadInt32(reply.get(), &result), OH_IPC_SUCCESS);
    return code_returned;
}

void adding()
{
    Adder adder;
    int32_t sum = 0;
    CHECK_EQ(ask(adder, Adder::ADD, 2, 3, sum), OH_IPC_SUCCESS);
    CHECK_EQ(sum, 5);
    Parcel empty(OH_IPCParcel_Create());
    Parcel reply(OH_IPCParcel_Create());
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(adder.proxy(), Adder::ADD, empty.get(), reply.get(), nullptr),
        OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(adder.calls(), 2);
}

// Direct calls nest on one stack: no lock of the library is held while a handler runs.
void nested_in_handlers()
{
    Adder adder;
    int32_t depth = 0;
    CHECK_EQ(ask(adder, Adder::NEST, 100, 0, depth), OH_IPC_SUCCESS);
    CHECK_EQ(depth, 100);
    CHECK_EQ(adder.calls(), 101);
}

void from_several_threads()
{
    Adder adder;
    std::vector<std::thread> threads;
    for (int32_t number = 0; number < 4; number++) {
        threads.emplace_back([number, &adder] {
            for (int32_t i = 0; i < 500; i++) {
                int32_t sum = 0;
                CHECK_EQ(ask(adder, Adder::ADD, number, i, sum), OH_IPC_SUCCESS);
                CHECK_EQ(sum, number + i);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK_EQ(adder.calls(), 4 * 500);
}

// Many wrappers of one stub, made and destroyed on several threads: its last holder ends it, once.
void last_holder_among_threads()
{
    for (int round = 0; round < 50; round++) {
        std::atomic<int> destroyed{0};
        Stub stub(OH_IPCRemoteStub_Create(
            "shared", [](uint32_t, const OHIPCParcel *, OHIPCParcel *, void *) { return 0; },
            [](void *userData) { ++*static_cast<std::atomic<int> *>(userData); }, &destroyed));
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++) {
            OHIPCRemoteProxy *proxy = proxy_of(stub.get());
            threads.emplace_back([proxy] { OH_IPCRemoteProxy_Destroy(proxy); });
        }
        stub.reset();
        for (std::thread &thread : threads) {
            thread.join();
        }
        CHECK_EQ(destroyed.load(), 1);
    }
}

void descriptor_in_a_string()
{
    const std::string expected = "native.remote.stub.\xe4\xbd\xa0";
    Stub stub(OH_IPCRemoteStub_Create(expected.c_str(),
        [](uint32_t, const OHIPCParcel *, OHIPCParcel *, void *) -> int { return OH_IPC_SUCCESS; }, nullptr, nullptr));
    Proxy proxy(proxy_of(stub.get()));
    char *descriptor = nullptr;
    int32_t length = 0;
    CHECK_EQ(OH_IPCRemoteProxy_GetInterfaceDescriptor(proxy.get(), &descriptor, &length,
                 [](int32_t size) -> void * { return std::malloc(static_cast<std::size_t>(size)); }),
        OH_IPC_SUCCESS);
    CHECK(descriptor != nullptr && expected == descriptor);
    CHECK_EQ(length, expected.size() + 1);
    std::free(descriptor);
}

void recipient_with_lambdas()
{
    int destroyed = 0;
    Recipient recipient(OH_IPCDeathRecipient_Create(
        [](void *) { CHECK(false); }, [](void *userData) { ++*static_cast<int *>(userData); }, &destroyed));
    CHECK(recipient != nullptr);
    recipient.reset();
    CHECK_EQ(destroyed, 1);
}

} // namespace

int main()
{
    adding();
    nested_in_handlers();
    from_several_threads();
    last_holder_among_threads();
    descriptor_in_a_string();
    recipient_with_lambdas();
    return check_result();
}
