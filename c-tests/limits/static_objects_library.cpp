// SPDX-License-Identifier: Apache-2.0
// A library with static objects that use the API from their constructors on to the end of their destructors, as those of modules for a
// device do. It tells by the environment what to connect to, and by its exit status what went wrong.
#include <IPCKit/ipc_kit.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

extern "C" OHIPCRemoteProxy *ipckit_reference_import(const uint8_t *reference);

namespace {

int OnEcho(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    int32_t value = 0;
    const int result = OH_IPCParcel_ReadInt32(data, &value);
    return result == OH_IPC_SUCCESS ? OH_IPCParcel_WriteInt32(reply, value + 1) : result;
}

void Require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "static object: %s\n", what);
        _exit(1);
    }
}

// One of everything, used at both ends of its life.
class Everything {
public:
    Everything()
    {
        uint8_t reference[64] = {};
        const char *digits = getenv("STATIC_OBJECTS_SERVER");
        Require(digits != nullptr && strlen(digits) == 2 * sizeof reference, "no server is named");
        for (size_t place = 0; place < sizeof reference; place++) {
            const char byte[] = {digits[2 * place], digits[2 * place + 1], 0};
            reference[place] = static_cast<uint8_t>(strtoul(byte, nullptr, 16));
        }
        stub_ = OH_IPCRemoteStub_Create("static", OnEcho, nullptr, nullptr);
        parcel_ = OH_IPCParcel_Create();
        recipient_ = OH_IPCDeathRecipient_Create([](void *) {}, nullptr, nullptr);
        Require(stub_ != nullptr && parcel_ != nullptr && recipient_ != nullptr, "something was not made");
        proxy_ = ipckit_reference_import(reference);
        Require(proxy_ != nullptr, "the server was not reached");
        Require(OH_IPCRemoteProxy_AddDeathRecipient(proxy_, recipient_) == OH_IPC_SUCCESS, "it cannot be watched");
        Use();
    }
    ~Everything()
    {
        Use();
        Require(OH_IPCRemoteProxy_RemoveDeathRecipient(proxy_, recipient_) == OH_IPC_SUCCESS, "it is not watched");
        OH_IPCDeathRecipient_Destroy(recipient_);
        OH_IPCParcel_Destroy(parcel_);
        OH_IPCRemoteProxy_Destroy(proxy_);
        OH_IPCRemoteStub_Destroy(stub_);
        fprintf(stdout, "destroyed\n");
        fflush(stdout);
    }
    Everything(const Everything &) = delete;
    Everything &operator=(const Everything &) = delete;

private:
    // A call there and, with the stub, back again.
    void Use()
    {
        constexpr uint32_t CALL_BACK = 6;
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        Require(OH_IPCParcel_WriteRemoteStub(data, stub_) == OH_IPC_SUCCESS, "the stub cannot be written");
        Require(OH_IPCRemoteProxy_SendRequest(proxy_, CALL_BACK, data, reply, nullptr) == OH_IPC_SUCCESS, "no answer");
        int32_t value = 0;
        Require(OH_IPCParcel_ReadInt32(reply, &value) == OH_IPC_SUCCESS && value == 7, "a wrong answer");
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        Require(OH_IPCParcel_WriteInt32(parcel_, value) == OH_IPC_SUCCESS, "the parcel cannot be written");
    }

    OHIPCRemoteStub *stub_;
    OHIPCParcel *parcel_;
    OHIPCDeathRecipient *recipient_;
    OHIPCRemoteProxy *proxy_;
};

Everything everything;

} // namespace
