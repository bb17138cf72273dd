// SPDX-License-Identifier: Apache-2.0
#include "harness/expect.h"

#include <cstdio>
#include <unistd.h>
#include <vector>

#include <IPCKit/ipc_kit.h>

#include "harness/board.h"

namespace conformance {
namespace {

thread_local std::vector<std::string> g_context;

const char *ErrorName(long long number)
{
    switch (number) {
        case OH_IPC_CHECK_PARAM_ERROR: return "CHECK_PARAM_ERROR";
        case OH_IPC_PARCEL_WRITE_ERROR: return "PARCEL_WRITE_ERROR";
        case OH_IPC_PARCEL_READ_ERROR: return "PARCEL_READ_ERROR";
        case OH_IPC_MEM_ALLOCATOR_ERROR: return "MEM_ALLOCATOR_ERROR";
        case OH_IPC_CODE_OUT_OF_RANGE: return "CODE_OUT_OF_RANGE";
        case OH_IPC_DEAD_REMOTE_OBJECT: return "DEAD_REMOTE_OBJECT";
        case OH_IPC_INVALID_USER_ERROR_CODE: return "INVALID_USER_ERROR_CODE";
        case OH_IPC_INNER_ERROR: return "INNER_ERROR";
        default: return nullptr;
    }
}

} // namespace

bool RecordCheck(bool holds, const char *file, int line, const std::string &message)
{
    SharedBoard().checks.fetch_add(1);
    if (!holds) {
        SharedBoard().failures.fetch_add(1);
        std::string context;
        for (const std::string &text : g_context) {
            context += " [" + text + "]";
        }
        std::fprintf(stderr, "%s:%d: %s%s (process %d)\n", file, line, message.c_str(), context.c_str(), getpid());
    }
    return holds;
}

std::string ShowNumber(long long number)
{
    const char *name = ErrorName(number);
    return std::to_string(number) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

void Context::Push(const std::string &text)
{
    g_context.push_back(text);
}

Context::~Context()
{
    g_context.pop_back();
}

} // namespace conformance
