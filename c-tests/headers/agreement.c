/* SPDX-License-Identifier: Apache-2.0 */
/* The hand-written headers, and the functions and callbacks as the Rust sources have them: where one differs, this does
 * not compile. tools/header-agreement writes the second header at each build. */
#include <IPCKit/ipc_kit.h>

#include "generated/ipc_capi_functions.h"
