// SPDX-License-Identifier: Apache-2.0
// Owners of what the C interfaces and the system hand out.
#ifndef SAMPLES_OWNED_H
#define SAMPLES_OWNED_H

#include <memory>
#include <utility>

#include <unistd.h>

#include <IPCKit/ipc_kit.h>

// Owns an object of the C interface.
template <auto destroy>
struct Destroyer {
    template <typename T>
    void operator()(T *object) const
    {
        destroy(object);
    }
};
using ParcelPtr = std::unique_ptr<OHIPCParcel, Destroyer<OH_IPCParcel_Destroy>>;
using ProxyPtr = std::unique_ptr<OHIPCRemoteProxy, Destroyer<OH_IPCRemoteProxy_Destroy>>;
using StubPtr = std::unique_ptr<OHIPCRemoteStub, Destroyer<OH_IPCRemoteStub_Destroy>>;
using RecipientPtr = std::unique_ptr<OHIPCDeathRecipient, Destroyer<OH_IPCDeathRecipient_Destroy>>;

// Owns a file descriptor; -1 is none.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor &operator=(Descriptor &&other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { Close(); }

    int Get() const { return number_; }
    void Close()
    {
        if (number_ >= 0) {
            close(std::exchange(number_, -1));
        }
    }

private:
    int number_ = -1;
};

#endif
