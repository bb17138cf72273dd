/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ipc_cparcel.h
 * The parcel: the bytes, remote objects and file descriptors that one request or reply carries.
 *
 * A parcel has its data, a capacity that grows with the data up to 204800 bytes, a write cursor and a read cursor. It is
 * read in the order in which it was written; nothing in the data says what kind of value comes next.
 *
 * A parcel received from another process (the data that a handler gets, and the reply once a request has filled it) is
 * read-only: every write to it fails with OH_IPC_PARCEL_WRITE_ERROR.
 *
 * Threads: the library locks no parcel. Different parcels can be used at once, each by one thread at a time.
 *
 * @since 12
 */
#ifndef IPCKIT_IPC_CPARCEL_H
#define IPCKIT_IPC_CPARCEL_H

#include <stdint.h>
/* Not used below: programs written for a device count on these two names coming in with the IPC headers. */
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct OHIPCParcel;
/** A parcel; OH_IPCParcel_Create makes one. @since 12 */
typedef struct OHIPCParcel OHIPCParcel;

struct OHIPCRemoteProxy;
/** A reference through which requests are sent to a stub, usually of another process. @since 12 */
typedef struct OHIPCRemoteProxy OHIPCRemoteProxy;

struct OHIPCRemoteStub;
/** An object of this process that handles requests. @since 12 */
typedef struct OHIPCRemoteStub OHIPCRemoteStub;

/**
 * Provides the memory for a text that the library hands to its caller.
 *
 * Called on the thread of the function it was given to, before that function returns. The memory belongs to the caller
 * of that function, who frees it in whatever way fits the allocator.
 *
 * @param len how many bytes are needed, the closing NUL among them; always above 0.
 * @return memory for len bytes, or NULL: then the function ends with OH_IPC_MEM_ALLOCATOR_ERROR.
 * @since 12
 */
typedef void *(*OH_IPC_MemAllocator)(int32_t len);

/**
 * Makes an empty parcel. Its capacity is 0 until the first write.
 *
 * @return a parcel that the caller destroys with OH_IPCParcel_Destroy, or NULL if there is no memory for it.
 * @note Threads: any.
 * @since 12
 */
OHIPCParcel *OH_IPCParcel_Create(void);

/**
 * Destroys a parcel made by OH_IPCParcel_Create, lets go of the remote objects in it and closes its file descriptors.
 *
 * Every pointer that OH_IPCParcel_ReadString or OH_IPCParcel_ReadBuffer gave out for it becomes invalid. Never call it
 * for a parcel that a handler got as its data or reply: those are the library's.
 *
 * @param parcel the parcel; with NULL nothing happens.
 * @note Threads: no other thread may be using the parcel.
 * @since 12
 */
void OH_IPCParcel_Destroy(OHIPCParcel *parcel);

/**
 * Tells how many bytes of data the parcel holds.
 *
 * @param parcel the parcel.
 * @return the number of bytes, or -1 if parcel is NULL.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_GetDataSize(const OHIPCParcel *parcel);

/**
 * Tells how many bytes can be written before the parcel has to grow.
 *
 * @param parcel the parcel.
 * @return capacity less write position, in bytes, or -1 if parcel is NULL.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_GetWritableBytes(const OHIPCParcel *parcel);

/**
 * Tells how many bytes are left to read.
 *
 * @param parcel the parcel.
 * @return data size less read position, in bytes, 0 where the read position lies behind the data, or -1 if parcel is
 *     NULL.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_GetReadableBytes(const OHIPCParcel *parcel);

/**
 * Tells where the next read begins.
 *
 * @param parcel the parcel.
 * @return the read position in bytes from the start of the data, or -1 if parcel is NULL.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_GetReadPosition(const OHIPCParcel *parcel);

/**
 * Tells where the next write begins.
 *
 * @param parcel the parcel.
 * @return the write position in bytes from the start of the data, or -1 if parcel is NULL.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_GetWritePosition(const OHIPCParcel *parcel);

/**
 * Sets the position of the next read.
 *
 * @param parcel the parcel.
 * @param newReadPos bytes from the start of the data, up to the data size.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_INNER_ERROR, and no change, if newReadPos
 *     is above the data size.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_RewindReadPosition(OHIPCParcel *parcel, uint32_t newReadPos);

/**
 * Cuts the data off at a position, where the next write then begins.
 *
 * Capacity and read position stay as they are, so the read position may come to lie behind the data. Objects that no
 * longer lie whole before the cut are lost: stubs and proxies are held until the parcel is destroyed, descriptors closed.
 *
 * @param parcel the parcel.
 * @param newWritePos bytes from the start of the data, up to the data size.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_INNER_ERROR, and no change, if newWritePos
 *     is above the data size.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_RewindWritePosition(OHIPCParcel *parcel, uint32_t newWritePos);

/**
 * Writes a signed 8-bit integer, widened to 4 bytes by its sign. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteInt8(OHIPCParcel *parcel, int8_t value);

/**
 * Reads a signed 8-bit integer from the next 4 bytes. Only its lowest 8 bits are handed out.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadInt8(const OHIPCParcel *parcel, int8_t *value);

/**
 * Writes a signed 16-bit integer, widened to 4 bytes by its sign. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteInt16(OHIPCParcel *parcel, int16_t value);

/**
 * Reads a signed 16-bit integer from the next 4 bytes. Only its lowest 16 bits are handed out.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadInt16(const OHIPCParcel *parcel, int16_t *value);

/**
 * Writes a signed 32-bit integer: 4 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteInt32(OHIPCParcel *parcel, int32_t value);

/**
 * Reads a signed 32-bit integer from the next 4 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadInt32(const OHIPCParcel *parcel, int32_t *value);

/**
 * Writes a signed 64-bit integer: 8 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 8
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteInt64(OHIPCParcel *parcel, int64_t value);

/**
 * Reads a signed 64-bit integer from the next 8 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 8 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 8
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadInt64(const OHIPCParcel *parcel, int64_t *value);

/**
 * Writes an unsigned 8-bit integer, widened to 4 bytes with zeros. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_WriteUint8(OHIPCParcel *parcel, uint8_t value);

/**
 * Reads an unsigned 8-bit integer from the next 4 bytes. Only its lowest 8 bits are handed out.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_ReadUint8(const OHIPCParcel *parcel, uint8_t *value);

/**
 * Writes an unsigned 16-bit integer, widened to 4 bytes with zeros. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_WriteUint16(OHIPCParcel *parcel, uint16_t value);

/**
 * Reads an unsigned 16-bit integer from the next 4 bytes. Only its lowest 16 bits are handed out.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_ReadUint16(const OHIPCParcel *parcel, uint16_t *value);

/**
 * Writes an unsigned 32-bit integer: 4 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_WriteUint32(OHIPCParcel *parcel, uint32_t value);

/**
 * Reads an unsigned 32-bit integer from the next 4 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_ReadUint32(const OHIPCParcel *parcel, uint32_t *value);

/**
 * Writes an unsigned 64-bit integer: 8 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 8
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_WriteUint64(OHIPCParcel *parcel, uint64_t value);

/**
 * Reads an unsigned 64-bit integer from the next 8 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 8 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 8
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 26
 */
int OH_IPCParcel_ReadUint64(const OHIPCParcel *parcel, uint64_t *value);

/**
 * Writes a single-precision number: 4 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 4
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteFloat(OHIPCParcel *parcel, float value);

/**
 * Reads a single-precision number from the next 4 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 4 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 4
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadFloat(const OHIPCParcel *parcel, float *value);

/**
 * Writes a double-precision number: 8 bytes. No alignment is inserted.
 *
 * @param parcel the parcel to append to.
 * @param value the number to write.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if it has no room for 8
 *     more bytes or is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteDouble(OHIPCParcel *parcel, double value);

/**
 * Reads a double-precision number from the next 8 bytes.
 *
 * A failed read leaves *value as it was. It leaves the read cursor too, unless the bytes belong to a stub, a proxy or a
 * file descriptor: those it steps over, 8 bytes at a time.
 *
 * @param parcel the parcel to read from.
 * @param value receives the number.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if fewer than 8
 *     bytes are left to read or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadDouble(const OHIPCParcel *parcel, double *value);

/**
 * Writes a C string: its bytes and the NUL, then zeros up to a multiple of 4. The text is copied.
 *
 * @param parcel the parcel to append to.
 * @param str the string; "" is one too and takes 4 bytes.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_WRITE_ERROR if it does not fit
 *     or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteString(OHIPCParcel *parcel, const char *str);

/**
 * Reads a C string and moves behind its NUL and padding.
 *
 * Where the data ends within the padding, the read position goes to the end of the capacity: nothing is readable then.
 *
 * @param parcel the parcel to read from.
 * @return the string, which lies in the parcel: it is not to be freed, and is valid until the parcel is written to or
 *     destroyed. NULL, and no move, if parcel is NULL, no NUL is left to read, or the bytes belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
const char *OH_IPCParcel_ReadString(const OHIPCParcel *parcel);

/**
 * Writes raw bytes, then zeros up to a multiple of 4. The length is not written: the reader has to know it.
 *
 * A read-only parcel that refuses the write also loses its data.
 *
 * @param parcel the parcel to append to.
 * @param buffer the bytes; they are copied.
 * @param len how many; above 0.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if a pointer is NULL or len is not above 0;
 *     OH_IPC_PARCEL_WRITE_ERROR if it does not fit or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteBuffer(OHIPCParcel *parcel, const uint8_t *buffer, int32_t len);

/**
 * Reads raw bytes and moves by exactly as many: the padding that OH_IPCParcel_WriteBuffer put behind them is still to
 * be stepped over where len is not a multiple of 4.
 *
 * @param parcel the parcel to read from.
 * @param len how many bytes; above 0.
 * @return the bytes, which lie in the parcel: they are not to be freed, are valid until the parcel is written to or
 *     destroyed, and may start at any address. NULL, and no move, if parcel is NULL, len is not above 0, fewer bytes
 *     are left, or some of them belong to an object.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
const uint8_t *OH_IPCParcel_ReadBuffer(const OHIPCParcel *parcel, int32_t len);

/**
 * Writes a reference to a stub of this process: 24 bytes. Whoever receives the parcel can send requests to it.
 *
 * @param parcel the parcel to append to; it keeps the stub alive until it is destroyed.
 * @param stub the stub; still the caller's to destroy.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_WRITE_ERROR if it does not fit
 *     or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel; the stub may be in use by others.
 * @since 12
 */
int OH_IPCParcel_WriteRemoteStub(OHIPCParcel *parcel, const OHIPCRemoteStub *stub);

/**
 * Reads a remote object, written as a stub or as a proxy, and hands it out as a stub.
 *
 * @param parcel the parcel to read from.
 * @return a new reference of its own that the caller destroys with OH_IPCRemoteStub_Destroy; each read gives another
 *     one. NULL if parcel is NULL or no remote object begins at the read position. A file descriptor there is stepped
 *     over, otherwise the position stays.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
OHIPCRemoteStub *OH_IPCParcel_ReadRemoteStub(const OHIPCParcel *parcel);

/**
 * Writes a reference to the stub behind a proxy: 24 bytes. Whoever receives the parcel can send requests to that stub,
 * without this process between them.
 *
 * @param parcel the parcel to append to; it keeps the object alive until it is destroyed.
 * @param proxy the proxy; still the caller's to destroy.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_WRITE_ERROR if it does not fit
 *     or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel; the proxy may be in use by others.
 * @since 12
 */
int OH_IPCParcel_WriteRemoteProxy(OHIPCParcel *parcel, const OHIPCRemoteProxy *proxy);

/**
 * Reads a remote object, written as a stub or as a proxy, and hands it out as a proxy.
 *
 * Where the stub lives in this very process, requests through the proxy call its handler directly.
 *
 * @param parcel the parcel to read from.
 * @return a new reference of its own that the caller destroys with OH_IPCRemoteProxy_Destroy; each read gives another
 *     one. NULL if parcel is NULL or no remote object begins at the read position. A file descriptor there is stepped
 *     over, otherwise the position stays.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
OHIPCRemoteProxy *OH_IPCParcel_ReadRemoteProxy(const OHIPCParcel *parcel);

/**
 * Writes a duplicate of a file descriptor, made at the call: 24 bytes.
 *
 * @param parcel the parcel to append to; it closes its duplicate when it is destroyed.
 * @param fd the descriptor; still the caller's to close, and no longer needed once the call has returned.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if parcel is NULL; OH_IPC_PARCEL_WRITE_ERROR if fd is not open,
 *     cannot be duplicated or does not fit, or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteFileDescriptor(OHIPCParcel *parcel, int32_t fd);

/**
 * Reads a file descriptor as a new duplicate, not marked close-on-exec.
 *
 * @param parcel the parcel to read from.
 * @param fd receives the descriptor, which the caller closes; as it was if the read fails.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_READ_ERROR if no file
 *     descriptor begins at the read position, which steps over a remote object there and otherwise stays, or none can
 *     be made.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadFileDescriptor(const OHIPCParcel *parcel, int32_t *fd);

/**
 * Appends all of another parcel's data, its remote objects and file descriptors included, wherever its cursors stand.
 *
 * @param parcel the parcel to append to; it takes duplicates, and references that end with the process only.
 * @param data the parcel to copy from, which stays as it is. With an empty one nothing happens.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_PARCEL_WRITE_ERROR if it does not fit
 *     or the parcel is read-only.
 * @note Threads: one thread at a time for each of the two parcels.
 * @since 12
 */
int OH_IPCParcel_Append(OHIPCParcel *parcel, const OHIPCParcel *data);

/**
 * Writes the name of the interface that a request is meant for, by which a handler knows that it was not called by
 * mistake.
 *
 * The name is stored as UTF-16. A write that fails puts the write position back; a read-only parcel that refuses the
 * write also loses its data.
 *
 * @param parcel the parcel to append to.
 * @param token the name in UTF-8, at most 204800 bytes; it is copied.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL or the token is empty or too long;
 *     OH_IPC_PARCEL_WRITE_ERROR if it does not fit, its last character is cut short, or the parcel is read-only.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_WriteInterfaceToken(OHIPCParcel *parcel, const char *token);

/**
 * Reads the name that OH_IPCParcel_WriteInterfaceToken wrote.
 *
 * Where the parcel holds no such name the call succeeds with "": compare the text, not only the result.
 *
 * @param parcel the parcel to read from.
 * @param token receives the name in UTF-8 with a closing NUL, in memory from allocator, which the caller frees.
 * @param len receives the length of the name in bytes, the NUL among them.
 * @param allocator called once for *len bytes.
 * @return OH_IPC_SUCCESS; OH_IPC_CHECK_PARAM_ERROR if an argument is NULL; OH_IPC_MEM_ALLOCATOR_ERROR if allocator
 *     returned NULL, with the read position put back.
 * @note Threads: one thread at a time for each parcel.
 * @since 12
 */
int OH_IPCParcel_ReadInterfaceToken(const OHIPCParcel *parcel, char **token, int32_t *len,
    OH_IPC_MemAllocator allocator);

#ifdef __cplusplus
}
#endif

#endif /* IPCKIT_IPC_CPARCEL_H */
