// SPDX-License-Identifier: Apache-2.0
// Starting a child process and waiting until it can be called.
#ifndef SAMPLES_CONNECTED_CHILD_H
#define SAMPLES_CONNECTED_CHILD_H

#include "owned.h"

// A child process's proxy, or the code that says why there is none.
struct ConnectedChild {
    int code;
    ProxyPtr proxy;
};

// One start at a time.
ConnectedChild StartConnectedChild(const char *library);

#endif
