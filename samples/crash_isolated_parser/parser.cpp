// SPDX-License-Identifier: Apache-2.0
// libparser.so: a child process that parses what others wrote, for as long as the application holds its proxy.
#include "parser.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <sstream>
#include <string>

#include "token.h"

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
bool g_released = false;

// "document", then lines "key=value". It has a defect, as parsers have: a line without "=" crashes it.
bool CountEntries(const char *document, int32_t &entries)
{
    std::istringstream stream(document);
    std::string line;
    if (!std::getline(stream, line) || line != "document") {
        return false;
    }
    for (entries = 0; std::getline(stream, line);) {
        const char *value = std::strchr(line.c_str(), '=') + 1;
        entries += *value != '\0' ? 1 : 0;
    }
    return true;
}

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    if (!ReadsToken(data, PARSER_TOKEN)) {
        return OH_IPC_CHECK_PARAM_ERROR;
    }
    if (code != PARSER_COUNT_ENTRIES) {
        return OH_IPC_CODE_OUT_OF_RANGE;
    }
    const char *document = OH_IPCParcel_ReadString(data);
    if (document == nullptr) {
        return OH_IPC_PARCEL_READ_ERROR;
    }
    int32_t entries = 0;
    return CountEntries(document, entries) ? OH_IPCParcel_WriteInt32(reply, entries) : PARSER_NOT_A_DOCUMENT;
}

// The application has let go of its last proxy.
void OnReleased(void *)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_released = true;
    g_changed.notify_all();
}

} // namespace

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create(PARSER_TOKEN, OnRequest, OnReleased, nullptr);
}

extern "C" void NativeChildProcess_MainProc()
{
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [] { return g_released; });
}
