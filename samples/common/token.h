// SPDX-License-Identifier: Apache-2.0
#ifndef SAMPLES_TOKEN_H
#define SAMPLES_TOKEN_H

#include <IPCKit/ipc_kit.h>

// Whether the next thing in a request is this interface token.
bool ReadsToken(const OHIPCParcel *data, const char *token);

#endif
