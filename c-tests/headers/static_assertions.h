/* SPDX-License-Identifier: Apache-2.0 */
/* What layout.c says in C and layout.cpp in C++: ASSERT(condition) and ASSERT_FUNCTION(result, name, parameters) come
 * from the file that includes this. */
#include <stddef.h>

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <hilog/log.h>

#include "functions.h"

/* ---- the functions: all of them, each of exactly this type ---- */

#define COUNT(result, name, parameters) +1
ASSERT(0 IPC_CAPI_FUNCTIONS(COUNT) == 64);
ASSERT(0 CHILD_PROCESS_FUNCTIONS(COUNT) == 14);
ASSERT(0 HILOG_FUNCTIONS(COUNT) == 8);

IPC_CAPI_FUNCTIONS(ASSERT_FUNCTION)
CHILD_PROCESS_FUNCTIONS(ASSERT_FUNCTION)
HILOG_FUNCTIONS(ASSERT_FUNCTION)

/* ---- IPCKit/ipc_error_code.h ---- */

ASSERT(OH_IPC_SUCCESS == 0);
ASSERT(OH_IPC_ERROR_CODE_BASE == 1901000);
ASSERT(OH_IPC_CHECK_PARAM_ERROR == 1901000);
ASSERT(OH_IPC_PARCEL_WRITE_ERROR == 1901001);
ASSERT(OH_IPC_PARCEL_READ_ERROR == 1901002);
ASSERT(OH_IPC_MEM_ALLOCATOR_ERROR == 1901003);
ASSERT(OH_IPC_CODE_OUT_OF_RANGE == 1901004);
ASSERT(OH_IPC_DEAD_REMOTE_OBJECT == 1901005);
ASSERT(OH_IPC_INVALID_USER_ERROR_CODE == 1901006);
ASSERT(OH_IPC_INNER_ERROR == 1901007);
ASSERT(OH_IPC_ERROR_CODE_MAX == 1902000);
ASSERT(OH_IPC_USER_ERROR_CODE_MIN == 1909000);
ASSERT(OH_IPC_USER_ERROR_CODE_MAX == 1909999);
ASSERT(sizeof(OH_IPC_ErrorCode) == 4);

/* ---- IPCKit/ipc_cremote_object.h ---- */

ASSERT(OH_IPC_REQUEST_MODE_SYNC == 0);
ASSERT(OH_IPC_REQUEST_MODE_ASYNC == 1);
ASSERT(sizeof(OH_IPC_RequestMode) == 4);

ASSERT(sizeof(OH_IPC_MessageOption) == 8 + sizeof(void *));
ASSERT(alignof(OH_IPC_MessageOption) == 4);
ASSERT(offsetof(OH_IPC_MessageOption, mode) == 0);
ASSERT(offsetof(OH_IPC_MessageOption, timeout) == 4);
ASSERT(offsetof(OH_IPC_MessageOption, reserved) == 8);

/* The packing of OH_IPC_MessageOption ends with it: what the user declares next is laid out as ever. */
struct DeclaredAfterTheHeaders {
    char first;
    double second;
};
ASSERT(offsetof(struct DeclaredAfterTheHeaders, second) == alignof(double));

/* Callbacks of exactly these types; a name and its type are one and the same in every user's declaration. */
ASSERT_TYPE(void *(*)(int32_t), OH_IPC_MemAllocator);
ASSERT_TYPE(int (*)(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *), OH_OnRemoteRequestCallback);
ASSERT_TYPE(void (*)(void *), OH_OnRemoteDestroyCallback);
ASSERT_TYPE(void (*)(void *), OH_OnDeathRecipientCallback);
ASSERT_TYPE(void (*)(void *), OH_OnDeathRecipientDestroyCallback);

/* The opaque types carry a tag of the same name. */
ASSERT_TYPE(struct OHIPCParcel *, OHIPCParcel *);
ASSERT_TYPE(struct OHIPCRemoteProxy *, OHIPCRemoteProxy *);
ASSERT_TYPE(struct OHIPCRemoteStub *, OHIPCRemoteStub *);
ASSERT_TYPE(struct OHIPCDeathRecipient *, OHIPCDeathRecipient *);

/* ---- AbilityKit/native_child_process.h ---- */

ASSERT(NCP_NO_ERROR == 0);
ASSERT(NCP_ERR_INVALID_PARAM == 401);
ASSERT(NCP_ERR_NOT_SUPPORTED == 801);
ASSERT(NCP_ERR_INTERNAL == 16000050);
ASSERT(NCP_ERR_BUSY == 16010001);
ASSERT(NCP_ERR_TIMEOUT == 16010002);
ASSERT(NCP_ERR_SERVICE_ERROR == 16010003);
ASSERT(NCP_ERR_MULTI_PROCESS_DISABLED == 16010004);
ASSERT(NCP_ERR_ALREADY_IN_CHILD == 16010005);
ASSERT(NCP_ERR_MAX_CHILD_PROCESSES_REACHED == 16010006);
ASSERT(NCP_ERR_LIB_LOADING_FAILED == 16010007);
ASSERT(NCP_ERR_CONNECTION_FAILED == 16010008);
ASSERT(NCP_ERR_CALLBACK_NOT_EXIST == 16010009);
ASSERT(NCP_ERR_INVALID_PID == 16010010);
ASSERT(sizeof(enum Ability_NativeChildProcess_ErrCode) == 4);
ASSERT_TYPE(enum Ability_NativeChildProcess_ErrCode, Ability_NativeChildProcess_ErrCode);

ASSERT(NCP_ISOLATION_MODE_NORMAL == 0);
ASSERT(NCP_ISOLATION_MODE_ISOLATED == 1);
ASSERT(sizeof(enum NativeChildProcess_IsolationMode) == 4);
ASSERT_TYPE(enum NativeChildProcess_IsolationMode, NativeChildProcess_IsolationMode);

ASSERT_TYPE(struct Ability_ChildProcessConfigs *, Ability_ChildProcessConfigs *);
ASSERT_TYPE(void (*)(int, OHIPCRemoteProxy *), OH_Ability_OnNativeChildProcessStarted);
ASSERT_TYPE(void (*)(int32_t, int32_t), OH_Ability_OnNativeChildProcessExit);

ASSERT_TYPE(struct NativeChildProcess_Fd *, NativeChildProcess_Fd *);
ASSERT(sizeof(NativeChildProcess_Fd) == 3 * sizeof(void *));
ASSERT(alignof(NativeChildProcess_Fd) == alignof(void *));
ASSERT(offsetof(NativeChildProcess_Fd, fdName) == 0);
ASSERT(offsetof(NativeChildProcess_Fd, fd) == sizeof(void *));
ASSERT(offsetof(NativeChildProcess_Fd, next) == 2 * sizeof(void *));

ASSERT_TYPE(struct NativeChildProcess_FdList *, NativeChildProcess_FdList *);
ASSERT(sizeof(NativeChildProcess_FdList) == sizeof(void *));
ASSERT(offsetof(NativeChildProcess_FdList, head) == 0);

ASSERT_TYPE(struct NativeChildProcess_Options *, NativeChildProcess_Options *);
ASSERT(sizeof(NativeChildProcess_Options) == 16);
ASSERT(offsetof(NativeChildProcess_Options, isolationMode) == 0);
ASSERT(offsetof(NativeChildProcess_Options, reserved) == 8);

ASSERT_TYPE(struct NativeChildProcess_Args *, NativeChildProcess_Args *);
ASSERT(sizeof(NativeChildProcess_Args) == 2 * sizeof(void *));
ASSERT(offsetof(NativeChildProcess_Args, entryParams) == 0);
ASSERT(offsetof(NativeChildProcess_Args, fdList) == sizeof(void *));

/* ---- hilog/log.h ---- */

ASSERT(LOG_APP == 0);
ASSERT(LOG_DEBUG == 3);
ASSERT(LOG_INFO == 4);
ASSERT(LOG_WARN == 5);
ASSERT(LOG_ERROR == 6);
ASSERT(LOG_FATAL == 7);
ASSERT(UNSET_LOGLEVEL == 0);
ASSERT(PREFER_CLOSE_LOG == 1);
ASSERT(PREFER_OPEN_LOG == 2);
ASSERT(sizeof(LogType) == 4);
ASSERT(sizeof(LogLevel) == 4);
ASSERT(sizeof(PreferStrategy) == 4);
ASSERT(LOG_DOMAIN == 0);
ASSERT_TYPE(void (*)(LogType, LogLevel, unsigned int, const char *, const char *), LogCallback);
