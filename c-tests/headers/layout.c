/* SPDX-License-Identifier: Apache-2.0 */
/* The binary interface of the public headers, as C sees it. Compiling this is the test. */
#include <stdalign.h>

#define ASSERT(condition) _Static_assert(condition, #condition)
#define ASSERT_TYPE(expected, actual) _Static_assert(_Generic((actual)0, expected: 1, default: 0), #actual)
#define ASSERT_FUNCTION(result, name, parameters) \
    _Static_assert(_Generic(&name, result (*)parameters: 1, default: 0), #name " is not of the type it has on a device");

#include "static_assertions.h"

/* The three enums of HiLog and those of the IPC Kit have no tag: a program may use the names as tags of its own. */
enum OH_IPC_ErrorCode { CODE_TAG_IS_FREE };
enum OH_IPC_RequestMode { MODE_TAG_IS_FREE };
struct OH_IPC_MessageOption {
    char tag_is_free;
};
enum LogType { TYPE_TAG_IS_FREE };
enum LogLevel { LEVEL_TAG_IS_FREE };
enum PreferStrategy { STRATEGY_TAG_IS_FREE };
