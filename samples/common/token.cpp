// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

#include "token.h"

static void *Allocate(int32_t length)
{
    return length > 0 ? std::malloc(static_cast<size_t>(length)) : nullptr;
}

bool ReadsToken(const OHIPCParcel *data, const char *token)
{
    char *read = nullptr;
    int32_t length = 0;
    if (OH_IPCParcel_ReadInterfaceToken(data, &read, &length, Allocate) != OH_IPC_SUCCESS) {
        return false;
    }
    bool same = std::strcmp(read, token) == 0;
    std::free(read);
    return same;
}
