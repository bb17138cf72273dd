// SPDX-License-Identifier: Apache-2.0
// Paints frames into memory that it shares with a child process, which inverts them: the pixels are never copied.
#include "frames.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "connected_child.h"
#include "owned.h"

namespace {

constexpr int32_t ROUNDS = 5;

int Fail(const char *what, int code)
{
    std::fprintf(stderr, "shared_frames: %s (%d)\n", what, code);
    return 1;
}

// Neither side can make it shorter or longer.
Descriptor MakeMemory()
{
    Descriptor memory(memfd_create("shared_frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (memory.Get() < 0 || ftruncate(memory.Get(), MEMORY_SIZE) != 0 ||
        fcntl(memory.Get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return Descriptor();
    }
    return memory;
}

// `write` adds what the request needs, and yields the code.
template <typename Write>
int Ask(const OHIPCRemoteProxy *filter, uint32_t code, Write write)
{
    ParcelPtr data(OH_IPCParcel_Create());
    ParcelPtr reply(OH_IPCParcel_Create());
    if (data == nullptr || reply == nullptr) {
        return OH_IPC_INNER_ERROR;
    }
    if (OH_IPCParcel_WriteInterfaceToken(data.get(), FILTER_TOKEN) != OH_IPC_SUCCESS ||
        write(data.get()) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_WRITE_ERROR;
    }
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(filter, code, data.get(), reply.get(), &option);
}

} // namespace

int main()
{
    Descriptor memory = MakeMemory();
    if (memory.Get() < 0) {
        return Fail("cannot make shared memory", errno);
    }
    Frames frames(memory.Get());
    if (!frames.AreMapped()) {
        return Fail("cannot map the shared memory", errno);
    }
    ConnectedChild filter = StartConnectedChild(FILTER_LIBRARY);
    if (filter.proxy == nullptr) {
        return Fail("cannot start the filter", filter.code);
    }
    int ret = Ask(filter.proxy.get(), FILTER_MAP,
        [&](OHIPCParcel *data) { return OH_IPCParcel_WriteFileDescriptor(data, memory.Get()); });
    if (ret != OH_IPC_SUCCESS) {
        return Fail("the filter does not take the memory", ret);
    }
    memory.Close();

    for (int32_t round = 0; round < ROUNDS; round++) {
        const int32_t index = round % static_cast<int32_t>(FRAME_COUNT);
        uint8_t *frame = frames.Frame(static_cast<uint32_t>(index));
        const auto painted = static_cast<uint8_t>(10 * round);
        std::fill_n(frame, FRAME_SIZE, painted);
        ret = Ask(filter.proxy.get(), FILTER_INVERT,
            [&](OHIPCParcel *data) { return OH_IPCParcel_WriteInt32(data, index); });
        if (ret != OH_IPC_SUCCESS) {
            return Fail("the filter does not invert", ret);
        }
        const auto inverted = std::count(frame, frame + FRAME_SIZE, static_cast<uint8_t>(255 - painted));
        std::printf("round %d, frame %d: %td of %zu pixels inverted\n", round, index, inverted, FRAME_SIZE);
    }
    return 0;
}
