/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ipc_error_code.h
 * The codes that the functions of libipc_capi.so return, and the range in which handlers choose codes of their own.
 *
 * @since 12
 */
#ifndef IPCKIT_IPC_ERROR_CODE_H
#define IPCKIT_IPC_ERROR_CODE_H

/**
 * Result of an IPC call.
 *
 * A request handler may return any code from OH_IPC_CHECK_PARAM_ERROR to OH_IPC_INNER_ERROR, or one of its own from
 * OH_IPC_USER_ERROR_CODE_MIN to OH_IPC_USER_ERROR_CODE_MAX; the caller gets it as it is.
 *
 * @since 12
 */
typedef enum {
    /** Done. */
    OH_IPC_SUCCESS = 0,
    /** First of the library's error codes. */
    OH_IPC_ERROR_CODE_BASE = 1901000,
    /** An argument is invalid: NULL where a pointer is needed, or a value out of range. */
    OH_IPC_CHECK_PARAM_ERROR = OH_IPC_ERROR_CODE_BASE,
    /** A write did not fit into the parcel, or the parcel is read-only. */
    OH_IPC_PARCEL_WRITE_ERROR = OH_IPC_ERROR_CODE_BASE + 1,
    /** The parcel does not hold what was to be read. */
    OH_IPC_PARCEL_READ_ERROR = OH_IPC_ERROR_CODE_BASE + 2,
    /** The caller's allocator returned NULL. */
    OH_IPC_MEM_ALLOCATOR_ERROR = OH_IPC_ERROR_CODE_BASE + 3,
    /** A request code is outside [0x01, 0x00ffffff]. */
    OH_IPC_CODE_OUT_OF_RANGE = OH_IPC_ERROR_CODE_BASE + 4,
    /** The remote stub, or its whole process, is dead. */
    OH_IPC_DEAD_REMOTE_OBJECT = OH_IPC_ERROR_CODE_BASE + 5,
    /** The handler returned a code that no handler may return. */
    OH_IPC_INVALID_USER_ERROR_CODE = OH_IPC_ERROR_CODE_BASE + 6,
    /** The library could not do it: out of room, out of range, or a fault within. */
    OH_IPC_INNER_ERROR = OH_IPC_ERROR_CODE_BASE + 7,
    /** Last of the library's error codes. */
    OH_IPC_ERROR_CODE_MAX = OH_IPC_ERROR_CODE_BASE + 1000,
    /** First code that a handler may choose for a meaning of its own. */
    OH_IPC_USER_ERROR_CODE_MIN = 1909000,
    /** Last code that a handler may choose for a meaning of its own. */
    OH_IPC_USER_ERROR_CODE_MAX = 1909999
} OH_IPC_ErrorCode;

#endif /* IPCKIT_IPC_ERROR_CODE_H */
