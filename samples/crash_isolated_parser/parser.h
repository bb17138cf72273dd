// SPDX-License-Identifier: Apache-2.0
// What the application and its parser agree on.
#ifndef CRASH_ISOLATED_PARSER_PARSER_H
#define CRASH_ISOLATED_PARSER_PARSER_H

#include <cstdint>

#include <IPCKit/ipc_kit.h>

constexpr char PARSER_LIBRARY[] = "libparser.so";
constexpr char PARSER_TOKEN[] = "sample.parser";

enum ParserCode : uint32_t {
    PARSER_COUNT_ENTRIES = 1, // sync: PARSER_TOKEN, the document as a string; the reply is the number of entries as int32
};

// An error of the parser's own.
constexpr int PARSER_NOT_A_DOCUMENT = OH_IPC_USER_ERROR_CODE_MIN;

#endif
