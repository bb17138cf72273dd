/* SPDX-License-Identifier: Apache-2.0 */
/* The hand-written headers, and the functions and callbacks as the Rust sources have them: where one differs, this does
 * not compile. tools/header-agreement writes the latter at each build. */
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include "generated/child_process_functions.h"
#include "generated/ipc_capi_functions.h"
