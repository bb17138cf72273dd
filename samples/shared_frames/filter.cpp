// SPDX-License-Identifier: Apache-2.0
// libfilter.so: a child process that inverts frames where they lie, for as long as the painter holds its proxy.
#include "frames.h"

#include <condition_variable>
#include <mutex>

#include <fcntl.h>
#include <sys/stat.h>

#include <IPCKit/ipc_kit.h>

#include "owned.h"
#include "token.h"

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
bool g_released = false;
Frames g_frames;

// Of memory that another process could make shorter every access could be the last.
bool IsSafeToMap(int descriptor)
{
    struct stat status;
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(descriptor, &status) == 0 &&
        status.st_size >= static_cast<off_t>(MEMORY_SIZE);
}

int Map(const OHIPCParcel *data)
{
    int32_t number = -1;
    if (OH_IPCParcel_ReadFileDescriptor(data, &number) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_READ_ERROR;
    }
    // Ours to close; the mapping goes on without it.
    Descriptor descriptor(number);
    if (!IsSafeToMap(descriptor.Get())) {
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    Frames frames(descriptor.Get());
    if (!frames.AreMapped()) {
        return OH_IPC_INNER_ERROR;
    }
    std::lock_guard<std::mutex> lock(g_mutex);
    g_frames = std::move(frames);
    return OH_IPC_SUCCESS;
}

int Invert(const OHIPCParcel *data)
{
    int32_t index = -1;
    if (OH_IPCParcel_ReadInt32(data, &index) != OH_IPC_SUCCESS) {
        return OH_IPC_PARCEL_READ_ERROR;
    }
    std::lock_guard<std::mutex> lock(g_mutex);
    if (!g_frames.AreMapped() || index < 0 || index >= static_cast<int32_t>(FRAME_COUNT)) {
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    uint8_t *frame = g_frames.Frame(static_cast<uint32_t>(index));
    for (size_t pixel = 0; pixel < FRAME_SIZE; pixel++) {
        frame[pixel] = static_cast<uint8_t>(~frame[pixel]);
    }
    return OH_IPC_SUCCESS;
}

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *, void *)
{
    if (!ReadsToken(data, FILTER_TOKEN)) {
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    switch (code) {
        case FILTER_MAP:
            return Map(data);
        case FILTER_INVERT:
            return Invert(data);
        default:
            return OH_IPC_CODE_OUT_OF_RANGE;
    }
}

// The painter has let go of its last proxy.
void OnReleased(void *)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_released = true;
    g_changed.notify_all();
}

} // namespace

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create(FILTER_TOKEN, OnRequest, OnReleased, nullptr);
}

extern "C" void NativeChildProcess_MainProc()
{
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [] { return g_released; });
}
