/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ipc_cremote_object.h
 * Stubs, which handle requests; proxies, through which requests are sent to them; and death recipients, which learn
 * that a stub's process has ended.
 *
 * A stub is alive as long as anybody holds it: a stub or proxy in any process that was not destroyed yet, or a parcel
 * that it was written to. What the functions below call a proxy may also be the own process's stub, read back from a
 * parcel: requests through it then call the handler directly, on the calling thread.
 *
 * Threads: unless a function says otherwise, all of them may be called from any thread, at the same time and for the
 * same object, also from within handlers and callbacks. Only destroying an object has to come after its last use.
 *
 * @since 12
 */
#ifndef IPCKIT_IPC_CREMOTE_OBJECT_H
#define IPCKIT_IPC_CREMOTE_OBJECT_H

#include <stdint.h>

#include "ipc_cparcel.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OHIPCDeathRecipient;
/** What is to be called when a stub's process ends. @since 12 */
typedef struct OHIPCDeathRecipient OHIPCDeathRecipient;

/**
 * Handles one request to a stub.
 *
 * Called on a worker thread of the library, on a thread that waits for the reply to a request from which this one
 * follows, or, for a request from the own process, on the thread that sends it. Several calls may run at once;
 * asynchronous requests from other processes to the same stub come one after another, in the order they were sent. It
 * must end by returning: an exception that leaves it ends the process.
 *
 * @param code the request code that the sender chose.
 * @param data what the sender sent; valid until the call returns, and not to be destroyed.
 * @param reply what the sender is to get back; never NULL, valid until the call returns, and not to be destroyed. What
 *     is written to it for an asynchronous request of another process is thrown away.
 * @param userData what was given to OH_IPCRemoteStub_Create.
 * @return OH_IPC_SUCCESS, a code from OH_IPC_CHECK_PARAM_ERROR to OH_IPC_INNER_ERROR, or one from
 *     OH_IPC_USER_ERROR_CODE_MIN to OH_IPC_USER_ERROR_CODE_MAX. The sender of any other value gets
 *     OH_IPC_INVALID_USER_ERROR_CODE instead.
 * @since 12
 */
typedef int (*OH_OnRemoteRequestCallback)(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData);

/**
 * Called once when a stub has died: nobody holds it any more and no handler of it runs.
 *
 * @param userData what was given to OH_IPCRemoteStub_Create; this is the place to free it.
 * @since 12
 */
typedef void (*OH_OnRemoteDestroyCallback)(void *userData);

/**
 * Called on a worker thread of the library when the process of a stub has ended. It may call every function of the
 * library, destroying the proxy and the recipient included.
 *
 * @param userData what was given to OH_IPCDeathRecipient_Create.
 * @since 12
 */
typedef void (*OH_OnDeathRecipientCallback)(void *userData);

/**
 * Called once when a death recipient was destroyed by its owner and is registered nowhere any more.
 *
 * @param userData what was given to OH_IPCDeathRecipient_Create; this is the place to free it.
 * @since 12
 */
typedef void (*OH_OnDeathRecipientDestroyCallback)(void *userData);

/** Whether the sender of a request waits for its reply. @since 12 */
typedef enum {
    /** The call returns with the handler's result and reply. */
    OH_IPC_REQUEST_MODE_SYNC = 0,
    /** The call returns once the request is on its way; result and reply of the handler are thrown away. */
    OH_IPC_REQUEST_MODE_ASYNC = 1
} OH_IPC_RequestMode;

/* The layout is that of a device, where the structure is packed to 4 bytes. */
#pragma pack(push, 4)
/** How a request is to be sent. @since 12 */
typedef struct {
    /** Whether to wait for the reply. */
    OH_IPC_RequestMode mode;
    /** Only has a meaning between devices; ignored. */
    uint32_t timeout;
    /** Must be NULL. */
    void *reserved;
} OH_IPC_MessageOption;
#pragma pack(pop)

/**
 * Makes a stub.
 *
 * @param descriptor the name of the interface that the stub serves, in UTF-8, 1 to 204800 bytes; it is copied.
 * @param requestCallback handles the requests.
 * @param destroyCallback called when the stub has died; may be NULL.
 * @param userData handed to both callbacks as it is; may be NULL.
 * @return a stub that the caller destroys with OH_IPCRemoteStub_Destroy. NULL, without a call of destroyCallback, if
 *     requestCallback is NULL, if descriptor is NULL, empty, too long or ends within a character, or if there is no
 *     memory.
 * @note Threads: any.
 * @since 12
 */
OHIPCRemoteStub *OH_IPCRemoteStub_Create(const char *descriptor, OH_OnRemoteRequestCallback requestCallback,
    OH_OnRemoteDestroyCallback destroyCallback, void *userData);

/**
 * Gives the caller's hold of a stub up.
 *
 * Where nobody else holds it, the stub dies and its destroyCallback has run when the call returns. Otherwise it goes on
 * serving requests until the last holder has let go or died.
 *
 * @param stub a stub from OH_IPCRemoteStub_Create or OH_IPCParcel_ReadRemoteStub, not to be used any more afterwards;
 *     with NULL nothing happens.
 * @note Threads: any, after the last use of stub.
 * @since 12
 */
void OH_IPCRemoteStub_Destroy(OHIPCRemoteStub *stub);

/**
 * Gives a proxy up. Death recipients that are still registered with it stay registered.
 *
 * @param proxy a proxy that the library handed out, not to be used any more afterwards; with NULL nothing happens.
 * @note Threads: any, after the last use of proxy.
 * @since 12
 */
void OH_IPCRemoteProxy_Destroy(OHIPCRemoteProxy *proxy);

/**
 * Sends a request to the stub behind a proxy.
 *
 * While a synchronous request waits, requests that follow from it and come back to this process may be handled on the
 * waiting thread.
 *
 * @param proxy the proxy.
 * @param code what is asked for: a number from 0x01 to 0x00ffffff that both sides agree on.
 * @param data what to send: all of it, wherever its read cursor stands. It stays the caller's, as it was, and can be
 *     sent again.
 * @param reply receives what the handler writes, to be read from the start; what was in it before is replaced. Must not
 *     be NULL for a synchronous request; may be NULL for an asynchronous one, which leaves it as it is.
 * @param option how to send it; NULL means synchronously. Every mode but OH_IPC_REQUEST_MODE_ASYNC is synchronous.
 * @return OH_IPC_SUCCESS, or for a synchronous request the handler's code. OH_IPC_CHECK_PARAM_ERROR if proxy or data is
 *     NULL, option->reserved is not, or reply is missing; OH_IPC_CODE_OUT_OF_RANGE for such a code;
 *     OH_IPC_DEAD_REMOTE_OBJECT if the stub is dead or dies before it has answered; OH_IPC_INVALID_USER_ERROR_CODE if
 *     the handler returned a code it may not return; OH_IPC_INNER_ERROR if either process has no room for the message,
 *     or data holds an object at an offset that is not a multiple of 4.
 * @note Threads: any; data and reply by one thread at a time. It may be called from handlers and callbacks.
 * @since 12
 */
int OH_IPCRemoteProxy_SendRequest(const OHIPCRemoteProxy *proxy, uint32_t code, const OHIPCParcel *data,
    OHIPCParcel *reply, const OH_IPC_MessageOption *option);

/**
 * Tells the interface descriptor that the stub behind a proxy was made with.
 *
 * The stub's process is asked once, without a call of its handler; later answers come from memory.
 *
 * @param proxy the proxy.
 * @param descriptor receives the name in UTF-8 with a closing NUL, in memory from allocator, which the caller frees.
 * @param len receives the length of the name in bytes, the NUL among them.
 * @param allocator called once for *len bytes.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_MEM_ALLOCATOR_ERROR if allocator
 *     returned NULL; OH_IPC_DEAD_REMOTE_OBJECT if the stub died before it was ever asked.
 * @note Threads: any.
 * @since 12
 */
int OH_IPCRemoteProxy_GetInterfaceDescriptor(OHIPCRemoteProxy *proxy, char **descriptor, int32_t *len,
    OH_IPC_MemAllocator allocator);

/**
 * Makes a death recipient, to be registered with one or more proxies.
 *
 * @param deathRecipientCallback called for each registration when its stub's process has ended.
 * @param destroyCallback called once the recipient is destroyed and registered nowhere any more; may be NULL.
 * @param userData handed to both callbacks as it is; may be NULL.
 * @return a recipient that the caller destroys with OH_IPCDeathRecipient_Destroy, or NULL if deathRecipientCallback is
 *     NULL or there is no memory.
 * @note Threads: any.
 * @since 12
 */
OHIPCDeathRecipient *OH_IPCDeathRecipient_Create(OH_OnDeathRecipientCallback deathRecipientCallback,
    OH_OnDeathRecipientDestroyCallback destroyCallback, void *userData);

/**
 * Gives the caller's hold of a death recipient up. Its registrations stay: it is still called for them.
 *
 * Where it is registered nowhere, its destroyCallback has run when the call returns.
 *
 * @param recipient the recipient, not to be used any more afterwards; with NULL nothing happens.
 * @note Threads: any, after the last use of recipient.
 * @since 12
 */
void OH_IPCDeathRecipient_Destroy(OHIPCDeathRecipient *recipient);

/**
 * Registers a death recipient: it is called once when the process of the stub behind the proxy has ended.
 *
 * All proxies of one stub in a process share the registrations, in whose order the callbacks run. A recipient that is
 * registered twice is called twice. A registration outlives the proxy it was made with; only
 * OH_IPCRemoteProxy_RemoveDeathRecipient ends it.
 *
 * @param proxy the proxy; still the caller's to destroy.
 * @param recipient the recipient; still the caller's to destroy.
 * @return OH_IPC_SUCCESS, also for a stub that has just died, whose callback then comes at once;
 *     OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_INNER_ERROR if callbacks were told of the death already
 *     or the stub belongs to this process.
 * @note Threads: any.
 * @since 12
 */
int OH_IPCRemoteProxy_AddDeathRecipient(OHIPCRemoteProxy *proxy, OHIPCDeathRecipient *recipient);

/**
 * Takes one registration of a death recipient back.
 *
 * @param proxy a proxy of the stub that the recipient is registered for.
 * @param recipient the recipient.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_INNER_ERROR if it is not registered
 *     or the stub is dead.
 * @note Threads: any.
 * @since 12
 */
int OH_IPCRemoteProxy_RemoveDeathRecipient(OHIPCRemoteProxy *proxy, OHIPCDeathRecipient *recipient);

/**
 * Tells whether the process of the stub behind a proxy has ended.
 *
 * A stub that its owner has destroyed while others hold it is not dead.
 *
 * @param proxy the proxy.
 * @return 1 if it has ended or proxy is NULL, 0 if not; always 0 for a stub of this process.
 * @note Threads: any.
 * @since 12
 */
int OH_IPCRemoteProxy_IsRemoteDead(const OHIPCRemoteProxy *proxy);

#ifdef __cplusplus
}
#endif

#endif /* IPCKIT_IPC_CREMOTE_OBJECT_H */
