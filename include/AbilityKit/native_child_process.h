/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file native_child_process.h
 * Native child processes: a library of one's own that runs in a fresh process of its own.
 *
 * There are two kinds. A child made by a Create function gives its parent a proxy through which both talk; its library
 * exports, with C linkage,
 * - `OHIPCRemoteStub *NativeChildProcess_OnConnect(void)`, called first, whose stub the parent gets a proxy of, and
 * - `void NativeChildProcess_MainProc(void)`, called next on the main thread: the child ends when it returns.
 *
 * A child made by a Start function gets a text and named file descriptors instead; its library exports, with C linkage
 * and under any name, `void entry(NativeChildProcess_Args args)`, which runs on the main thread: the child ends when it
 * returns.
 *
 * Only the descriptors named for it reach a child; it has the parent's environment, working directory, standard input,
 * output and error. A child does not outlive its parent, and cannot have children of this kind itself.
 *
 * Threads: all functions may be called from any thread at the same time, except that one Ability_ChildProcessConfigs is
 * used by one thread at a time. Callbacks run on threads of the library.
 *
 * @since 12
 */
#ifndef IPCKIT_NATIVE_CHILD_PROCESS_H
#define IPCKIT_NATIVE_CHILD_PROCESS_H

#ifndef __cplusplus
#include <stdbool.h>
#endif
#include <stdint.h>

#include "IPCKit/ipc_cparcel.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a call about child processes. @since 12 */
typedef enum Ability_NativeChildProcess_ErrCode {
    /** Done. */
    NCP_NO_ERROR = 0,
    /** An argument is invalid. */
    NCP_ERR_INVALID_PARAM = 401,
    /** Child processes are not supported here. */
    NCP_ERR_NOT_SUPPORTED = 801,
    /** The library could not do it. */
    NCP_ERR_INTERNAL = 16000050,
    /** Another child is being started, and this one cannot be started beside it. */
    NCP_ERR_BUSY = 16010001,
    /** The child did not get ready in time; it was killed. */
    NCP_ERR_TIMEOUT = 16010002,
    /** The system refused to start it, or one of its descriptors or its text cannot be passed on. */
    NCP_ERR_SERVICE_ERROR = 16010003,
    /** Running several processes is switched off. */
    NCP_ERR_MULTI_PROCESS_DISABLED = 16010004,
    /** A child process cannot do this. */
    NCP_ERR_ALREADY_IN_CHILD = 16010005,
    /** This process has as many children as it may have. */
    NCP_ERR_MAX_CHILD_PROCESSES_REACHED = 16010006,
    /** The child could not load its library or did not find the functions in it. */
    NCP_ERR_LIB_LOADING_FAILED = 16010007,
    /** The child's OnConnect gave no stub, or the child ended before it was connected. */
    NCP_ERR_CONNECTION_FAILED = 16010008,
    /** The callback to be taken back is not registered. */
    NCP_ERR_CALLBACK_NOT_EXIST = 16010009,
    /** The process id is not that of a living child of this process. */
    NCP_ERR_INVALID_PID = 16010010
} Ability_NativeChildProcess_ErrCode;

/** How much of its parent's surroundings a child can reach. @since 13 */
typedef enum NativeChildProcess_IsolationMode {
    /** The same as its parent. */
    NCP_ISOLATION_MODE_NORMAL = 0,
    /** Neither the parent's private directories nor the network, where the system can withhold them. */
    NCP_ISOLATION_MODE_ISOLATED = 1
} NativeChildProcess_IsolationMode;

struct Ability_ChildProcessConfigs;
/** How a child is to be started; OH_Ability_CreateChildProcessConfigs makes one. @since 20 */
typedef struct Ability_ChildProcessConfigs Ability_ChildProcessConfigs;

/** A named file descriptor in a list. @since 13 */
typedef struct NativeChildProcess_Fd {
    /** The name by which the child finds it: at most 20 bytes, not NULL. */
    char *fdName;
    /** The descriptor. In the parent it stays the caller's; the child gets a duplicate with a number of its own. */
    int32_t fd;
    /** The next one, or NULL. */
    struct NativeChildProcess_Fd *next;
} NativeChildProcess_Fd;

/** A list of named file descriptors, at most 16 different names. @since 13 */
typedef struct NativeChildProcess_FdList {
    /** The first one, or NULL for none. */
    struct NativeChildProcess_Fd *head;
} NativeChildProcess_FdList;

/** Options of a child to be started. @since 13 */
typedef struct NativeChildProcess_Options {
    /** What the child can reach. */
    NativeChildProcess_IsolationMode isolationMode;
    /** Not used; set it to 0. */
    int64_t reserved;
} NativeChildProcess_Options;

/** What a child is given to start with. @since 13 */
typedef struct NativeChildProcess_Args {
    /** A text of at most 150 * 1024 bytes; may be NULL in the parent, never is in the child. */
    char *entryParams;
    /** Named file descriptors; in the child they are sorted by name. */
    struct NativeChildProcess_FdList fdList;
} NativeChildProcess_Args;

/**
 * Tells, exactly once, how the start of a child by a Create function has ended.
 *
 * @param errCode NCP_NO_ERROR; NCP_ERR_LIB_LOADING_FAILED, NCP_ERR_CONNECTION_FAILED or NCP_ERR_TIMEOUT.
 * @param remoteProxy a proxy of the stub that the child's OnConnect returned, which the callback's owner destroys with
 *     OH_IPCRemoteProxy_Destroy; NULL if errCode is not NCP_NO_ERROR.
 * @note Threads: called on a worker thread of the library.
 * @since 12
 */
typedef void (*OH_Ability_OnNativeChildProcessStarted)(int errCode, OHIPCRemoteProxy *remoteProxy);

/**
 * Tells that a child made by a Start function has ended.
 *
 * @param pid the child's process id.
 * @param signal the signal that killed it, 0 if it ended by itself.
 * @note Threads: called on a thread of the library.
 * @since 20
 */
typedef void (*OH_Ability_OnNativeChildProcessExit)(int32_t pid, int32_t signal);

/**
 * Starts a child process and connects to it.
 *
 * Gives onProcessStarted a short, bounded time to be called before it returns, without relying on it; called from
 * within a handler or a callback it returns at once.
 *
 * @param libName the library to run: an absolute path, or a name to be looked for in the directories of
 *     OHOS_NATIVE_LIB_PATH, beside the calling library and the program, and by the dynamic loader. Without "../".
 * @param onProcessStarted called once with the outcome if the result is NCP_NO_ERROR.
 * @return NCP_NO_ERROR if the start has begun; NCP_ERR_INVALID_PARAM if libName is NULL, empty or contains "../", or
 *     onProcessStarted is NULL; NCP_ERR_ALREADY_IN_CHILD in a child process; NCP_ERR_MAX_CHILD_PROCESSES_REACHED.
 * @note Threads: any.
 * @since 12
 */
int OH_Ability_CreateNativeChildProcess(const char *libName, OH_Ability_OnNativeChildProcessStarted onProcessStarted);

/**
 * Starts a child process as configured and connects to it; otherwise as OH_Ability_CreateNativeChildProcess.
 *
 * @param libName the library to run, as there.
 * @param configs how to start it; still the caller's, to be used again or destroyed.
 * @param onProcessStarted called once with the outcome if the result is NCP_NO_ERROR.
 * @return the codes named there; NCP_ERR_INVALID_PARAM also if configs is NULL.
 * @note Threads: any.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_CreateNativeChildProcessWithConfigs(const char *libName,
    Ability_ChildProcessConfigs *configs, OH_Ability_OnNativeChildProcessStarted onProcessStarted);

/**
 * Starts a child process that gets a text and file descriptors.
 *
 * Returns before the child has loaded its library. A child that cannot load it ends as one does whose entry has
 * returned.
 *
 * @param entry library and function, "libexample.so:Main"; the library is looked for as
 *     OH_Ability_CreateNativeChildProcess says.
 * @param args what the child is given; it is copied, and the descriptors may be closed after the call. The list has 4096
 *     nodes at most. In the child the descriptors are marked close-on-exec: one that is for a program which the child
 *     executes needs fcntl(fd, F_SETFD, 0) first.
 * @param options what the child can reach.
 * @param pid receives the child's process id.
 * @return NCP_NO_ERROR; NCP_ERR_INVALID_PARAM if entry is NULL, empty or without a colon, pid is NULL, or a descriptor
 *     has no name, a name that is too long or one too many, the list has too many nodes, or the isolation mode is none;
 *     NCP_ERR_SERVICE_ERROR if a descriptor is not open, the text is too long or the system has no process, thread,
 *     memory or descriptor to give; NCP_ERR_TIMEOUT if the process did not begin in time; NCP_ERR_ALREADY_IN_CHILD in a
 *     child process; NCP_ERR_MAX_CHILD_PROCESSES_REACHED.
 * @note Threads: any.
 * @since 13
 */
Ability_NativeChildProcess_ErrCode OH_Ability_StartNativeChildProcess(const char *entry, NativeChildProcess_Args args,
    NativeChildProcess_Options options, int32_t *pid);

/**
 * Starts a child process as configured that gets a text and file descriptors; otherwise as
 * OH_Ability_StartNativeChildProcess.
 *
 * @param entry library and function, as there.
 * @param args what the child is given, as there.
 * @param configs how to start it; still the caller's, to be used again or destroyed.
 * @param pid receives the child's process id.
 * @return the codes named there; NCP_ERR_INVALID_PARAM also if configs is NULL.
 * @note Threads: any.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_StartNativeChildProcessWithConfigs(const char *entry,
    NativeChildProcess_Args args, Ability_ChildProcessConfigs *configs, int32_t *pid);

/**
 * Makes a configuration: no isolation and a name chosen by the library.
 *
 * @return a configuration that the caller destroys with OH_Ability_DestroyChildProcessConfigs, or NULL if there is no
 *     memory.
 * @note Threads: any.
 * @since 20
 */
Ability_ChildProcessConfigs *OH_Ability_CreateChildProcessConfigs(void);

/**
 * Destroys a configuration. Children started with it go on.
 *
 * @param configs the configuration, not to be used any more afterwards.
 * @return NCP_NO_ERROR, or NCP_ERR_INVALID_PARAM if configs is NULL.
 * @note Threads: no other thread may be using configs.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_DestroyChildProcessConfigs(Ability_ChildProcessConfigs *configs);

/**
 * Sets what children started with a configuration can reach.
 *
 * @param configs the configuration.
 * @param isolationMode the mode.
 * @return NCP_NO_ERROR, or NCP_ERR_INVALID_PARAM if configs is NULL or the mode is none.
 * @note Threads: one thread at a time for each configuration.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_ChildProcessConfigs_SetIsolationMode(
    Ability_ChildProcessConfigs *configs, NativeChildProcess_IsolationMode isolationMode);

/**
 * Sets whether children started with a configuration run as a user of their own; acts only together with
 * NCP_ISOLATION_MODE_ISOLATED.
 *
 * @param configs the configuration.
 * @param isolationUid true for a user of their own.
 * @return NCP_NO_ERROR, or NCP_ERR_INVALID_PARAM if configs is NULL.
 * @note Threads: one thread at a time for each configuration.
 * @since 21
 */
Ability_NativeChildProcess_ErrCode OH_Ability_ChildProcessConfigs_SetIsolationUid(Ability_ChildProcessConfigs *configs,
    bool isolationUid);

/**
 * Sets the name of children started with a configuration: a process listing shows it behind the parent's, as
 * "parent:name". A name that is refused leaves the former one.
 *
 * @param configs the configuration.
 * @param processName 1 to 64 letters, digits and underscores; it is copied.
 * @return NCP_NO_ERROR, or NCP_ERR_INVALID_PARAM if configs is NULL or the name is not of that form.
 * @note Threads: one thread at a time for each configuration.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_ChildProcessConfigs_SetProcessName(Ability_ChildProcessConfigs *configs,
    const char *processName);

/**
 * Tells a child that was made by a Start function what it was given.
 *
 * @return the arguments, which belong to the library and are valid as long as the process lives; NULL in any other
 *     process.
 * @note Threads: any.
 * @since 17
 */
NativeChildProcess_Args *OH_Ability_GetCurrentChildProcessArgs(void);

/**
 * Registers a function to be called whenever a child made by a Start function has ended. A function that is registered
 * twice is called once for each child; that may be before the Start function has returned. All calls of a process come
 * one after another, on a thread of the library, in the order in which the children were seen to end. A call that has
 * begun goes on when the function is taken back.
 *
 * @param onProcessExit the function.
 * @return NCP_NO_ERROR, or NCP_ERR_INVALID_PARAM if it is NULL.
 * @note Threads: any.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_RegisterNativeChildProcessExitCallback(
    OH_Ability_OnNativeChildProcessExit onProcessExit);

/**
 * Takes the registration of such a function back.
 *
 * @param onProcessExit the function.
 * @return NCP_NO_ERROR; NCP_ERR_INVALID_PARAM if it is NULL; NCP_ERR_CALLBACK_NOT_EXIST if it is not registered.
 * @note Threads: any.
 * @since 20
 */
Ability_NativeChildProcess_ErrCode OH_Ability_UnregisterNativeChildProcessExitCallback(
    OH_Ability_OnNativeChildProcessExit onProcessExit);

/**
 * Kills a child of this process, made by a Create or a Start function.
 *
 * @param pid the child's process id.
 * @return NCP_NO_ERROR; NCP_ERR_INVALID_PID, and nothing is killed, if pid is not that of a living child of this
 *     process.
 * @note Threads: any.
 * @since 22
 */
Ability_NativeChildProcess_ErrCode OH_Ability_KillChildProcess(int32_t pid);

/**
 * Tells whether this process may have children.
 *
 * @return true, or false in a child process.
 * @note Threads: any.
 * @since 26
 */
bool OH_Ability_IsNativeChildProcessSupported(void);

#ifdef __cplusplus
}
#endif

#endif /* IPCKIT_NATIVE_CHILD_PROCESS_H */
