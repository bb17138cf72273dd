/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ipc_cskeleton.h
 * The threads that handle requests, and who sent the request that is being handled.
 *
 * The questions about the caller are about the request that the calling thread is handling for another process. On a
 * thread that handles none, and in a direct call within one process, they are answered with the process's own values; a
 * direct call made from within a handler still shows that handler's caller. A caller's process and user id come from
 * the kernel, never from what the caller says.
 *
 * A token id is a number that may be given to a process; a process that was given none has none.
 *
 * @since 12
 */
#ifndef IPCKIT_IPC_CSKELETON_H
#define IPCKIT_IPC_CSKELETON_H

#include <stdint.h>

#include "ipc_cparcel.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes the calling thread handle requests, in addition to the library's own workers.
 *
 * It returns after OH_IPCSkeleton_StopWorkThread was called on the same thread, or when the process ends.
 *
 * @note Threads: any thread, outside of a handler.
 * @since 12
 */
void OH_IPCSkeleton_JoinWorkThread(void);

/**
 * Lets the calling thread stop handling requests once the one that it is handling is done.
 *
 * On a thread that handles none it is remembered: a later OH_IPCSkeleton_JoinWorkThread returns after one request.
 *
 * @note Threads: acts on the calling thread only.
 * @since 12
 */
void OH_IPCSkeleton_StopWorkThread(void);

/**
 * Tells the token id of the caller.
 *
 * @return the caller's token id, or its user id if it has none; outside of a handler the process's own.
 * @note Threads: any; the answer is the calling thread's.
 * @since 12
 */
uint64_t OH_IPCSkeleton_GetCallingTokenId(void);

/**
 * Tells the token id of the process where a chain of calls began.
 *
 * @return that token id, or 0 if there is none; outside of a handler the process's own token id, or its user id if it
 *     has none.
 * @note Threads: any; the answer is the calling thread's.
 * @since 12
 */
uint64_t OH_IPCSkeleton_GetFirstTokenId(void);

/**
 * Tells the token id of this process.
 *
 * @return the token id, or the user id if the process has none.
 * @note Threads: any.
 * @since 12
 */
uint64_t OH_IPCSkeleton_GetSelfTokenId(void);

/**
 * Tells the process id of the caller.
 *
 * @return the caller's process id, 0 if the request is asynchronous; outside of a handler the process's own.
 * @note Threads: any; the answer is the calling thread's.
 * @since 12
 */
uint64_t OH_IPCSkeleton_GetCallingPid(void);

/**
 * Tells the effective user id of the caller.
 *
 * @return the caller's user id; outside of a handler the process's own.
 * @note Threads: any; the answer is the calling thread's.
 * @since 12
 */
uint64_t OH_IPCSkeleton_GetCallingUid(void);

/**
 * Tells whether the caller is on the same machine.
 *
 * @return 1 always: there are no callers from elsewhere.
 * @note Threads: any.
 * @since 12
 */
int OH_IPCSkeleton_IsLocalCalling(void);

/**
 * Sets how many workers the library may start to handle requests; 16 if it is never called.
 *
 * One more handler than that can run at once, and one more for each thread in OH_IPCSkeleton_JoinWorkThread. Workers
 * start as they are needed; those that run are not stopped by a lower number.
 *
 * @param maxThreadNum a number from 1 to 32.
 * @return OH_IPC_SUCCESS, or OH_IPC_CHECK_PARAM_ERROR for any other number.
 * @note Threads: any; it is one number for the whole process.
 * @since 12
 */
int OH_IPCSkeleton_SetMaxWorkThreadNum(const int maxThreadNum);

/**
 * Makes the rest of the handler that runs on this thread act in the process's own name, and tells who the caller was.
 *
 * From then on, up to the end of the handler or OH_IPCSkeleton_SetCallingIdentity, the process's own values are what
 * the questions about the caller give; also if the allocator failed.
 *
 * @param identity receives a text with the caller's token, process and user id and a closing NUL, for
 *     OH_IPCSkeleton_SetCallingIdentity; "" outside of a handler. It lies in memory from allocator, which the caller
 *     frees.
 * @param len receives the length of the text in bytes, the NUL among them.
 * @param allocator called once for *len bytes.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_MEM_ALLOCATOR_ERROR if allocator
 *     returned NULL.
 * @note Threads: acts on the calling thread only.
 * @since 12
 */
int OH_IPCSkeleton_ResetCallingIdentity(char **identity, int32_t *len, OH_IPC_MemAllocator allocator);

/**
 * Makes the caller that a text from OH_IPCSkeleton_ResetCallingIdentity tells the caller again, for the rest of the
 * handler that runs on this thread.
 *
 * @param identity the text; it stays the caller's.
 * @return OH_IPC_SUCCESS, outside of a handler without any effect; OH_IPC_CHECK_PARAM_ERROR if identity is NULL;
 *     OH_IPC_INNER_ERROR, and no change, if it is no such text.
 * @note Threads: acts on the calling thread only.
 * @since 12
 */
int OH_IPCSkeleton_SetCallingIdentity(const char *identity);

/**
 * Tells whether the calling thread is handling a request of another process.
 *
 * @return 1 if it is, 0 if not.
 * @note Threads: any; the answer is the calling thread's.
 * @since 12
 */
int OH_IPCSkeleton_IsHandlingTransaction(void);

#ifdef __cplusplus
}
#endif

#endif /* IPCKIT_IPC_CSKELETON_H */
