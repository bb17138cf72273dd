// SPDX-License-Identifier: Apache-2.0
// The library cannot have its threads at first, and is asked again when it can. This program decides about threads itself.
#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>

#include "support.hpp"

namespace {

// Threads to be had; any number where it is negative.
std::atomic<int> threads_left{-1};

struct Reference {
    uint8_t bytes[REFERENCE_BYTES];
};

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

} // namespace

extern "C" int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    using Create = int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
    if (threads_left == 0) {
        return EAGAIN;
    }
    if (threads_left > 0) {
        --threads_left;
    }
    return create(thread, attributes, start, argument);
}

int main()
{
    static uint8_t *reference = &Shared<Reference>().bytes[0];
    for (int left : {0, 1}) {
        threads_left = left;
        CHECK(OH_IPCSkeleton_SetMaxWorkThreadNum(2) != OH_IPC_SUCCESS);
    }
    threads_left = -1;
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(2), OH_IPC_SUCCESS);

    // All of it has started: it serves others.
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("here", Nothing, nullptr, nullptr);
    Export(stub, reference);
    const pid_t client = Fork([] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference);
        _exit(proxy != nullptr && Call(proxy, 1) == OH_IPC_SUCCESS ? 0 : 1);
    });
    CHECK_EQ(Reap(client), 0);
    OH_IPCRemoteStub_Destroy(stub);
    return check_result();
}
