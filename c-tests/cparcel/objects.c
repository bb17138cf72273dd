/* SPDX-License-Identifier: Apache-2.0 */
/* Stubs, proxies and file descriptors in a parcel, and parcels appended to parcels, within one process. */
#include "parcel_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int handle_nothing(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)data;
    (void)reply;
    (void)userData;
    return OH_IPC_SUCCESS;
}

static void count_call(void *userData)
{
    (*(int *)userData)++;
}

/* The file that a descriptor is open on, by a number of the kernel's; -1 where it is not open. */
static int64_t file_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (int64_t)status.st_ino : -1;
}

/* Whether all write ends of a pipe are closed. */
static int at_end(int read_end)
{
    char byte;
    return read(read_end, &byte, 1) == 0;
}

static void open_pipe(int ends[2])
{
    CHECK_EQ(pipe(ends), 0);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) != -1);
}

static void remote_objects(void)
{
    int destroyed = 0;
    int32_t value = 7;
    int32_t fd = -99;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("objects", handle_nothing, count_call, &destroyed);
    OHIPCRemoteStub *read_stub = NULL;
    OHIPCRemoteProxy *read_proxy = NULL;
    OHIPCRemoteProxy *again = NULL;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    CHECK(OH_IPCParcel_ReadRemoteStub(parcel) == NULL);
    CHECK(OH_IPCParcel_ReadRemoteProxy(parcel) == NULL);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel, stub), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 24, 40, 24, 0, 24);

    /* Whatever was written can be read as either, each time as a wrapper of its own. */
    read_stub = OH_IPCParcel_ReadRemoteStub(parcel);
    CHECK(read_stub != NULL && read_stub != stub);
    CHECK_PARCEL(parcel, 24, 40, 0, 24, 24);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    read_proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
    CHECK(read_proxy != NULL);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    again = OH_IPCParcel_ReadRemoteProxy(parcel);
    CHECK(again != NULL && again != read_proxy);
    OH_IPCRemoteProxy_Destroy(again);
    CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(parcel, read_proxy), OH_IPC_SUCCESS);
    OH_IPCRemoteStub_Destroy(read_stub);
    read_stub = OH_IPCParcel_ReadRemoteStub(parcel);
    CHECK(read_stub != NULL);

    /* Its bytes are no numbers, text or descriptor, and it begins where it was written only. */
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(value, 7);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 4);
    CHECK(OH_IPCParcel_ReadRemoteStub(parcel) == NULL);
    CHECK(OH_IPCParcel_ReadString(parcel) == NULL);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 1) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 4);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadBuffer(parcel, 24) == NULL);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(parcel, &fd), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(fd, -99);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 24);

    /* It lives until the last of them all is gone. */
    OH_IPCRemoteStub_Destroy(stub);
    OH_IPCRemoteStub_Destroy(read_stub);
    OH_IPCRemoteProxy_Destroy(read_proxy);
    CHECK_EQ(destroyed, 0);
    OH_IPCParcel_Destroy(parcel);
    CHECK_EQ(destroyed, 1);
}

/* Cutting an object off makes it unreadable; the parcel keeps it to its own end. */
static void cut_off(void)
{
    int destroyed = 0;
    int64_t value = 0;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("cut.off", handle_nothing, count_call, &destroyed);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteRemoteStub(parcel, stub);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(destroyed, 0);
    OH_IPCParcel_WriteInt64(parcel, 1);
    OH_IPCParcel_WriteInt64(parcel, 2);
    OH_IPCParcel_WriteInt64(parcel, 3);
    CHECK(OH_IPCParcel_ReadRemoteStub(parcel) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 0);
    CHECK_EQ(OH_IPCParcel_ReadInt64(parcel, &value), OH_IPC_SUCCESS);
    CHECK_EQ(value, 1);
    OH_IPCParcel_Destroy(parcel);
    CHECK_EQ(destroyed, 1);
}

static void file_descriptors(void)
{
    int ends[2];
    int32_t first = -1;
    int32_t second = -1;
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    open_pipe(ends);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(parcel, &first), OH_IPC_PARCEL_READ_ERROR);
    CHECK_EQ(first, -1);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, ends[1]), OH_IPC_SUCCESS);
    CHECK_PARCEL(parcel, 24, 40, 24, 0, 24);

    /* Each read makes a duplicate that is the caller's, and that a program it executes inherits. */
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(parcel, &first), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(parcel, &second), OH_IPC_SUCCESS);
    CHECK(first != second && first != ends[1] && second != ends[1]);
    CHECK_EQ(file_of(first), file_of(ends[1]));
    CHECK_EQ(file_of(second), file_of(ends[1]));
    CHECK_EQ(fcntl(first, F_GETFD) & FD_CLOEXEC, 0);

    /* It is no remote object. */
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadRemoteStub(parcel) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 24);
    CHECK_EQ(OH_IPCParcel_RewindReadPosition(parcel, 0), OH_IPC_SUCCESS);
    CHECK(OH_IPCParcel_ReadRemoteProxy(parcel) == NULL);
    CHECK_EQ(OH_IPCParcel_GetReadPosition(parcel), 24);

    /* The parcel's own duplicate is open until the parcel goes. */
    close(first);
    close(second);
    close(ends[1]);
    CHECK(!at_end(ends[0]));
    OH_IPCParcel_Destroy(parcel);
    CHECK(at_end(ends[0]));

    /* A descriptor that is closed by now. */
    parcel = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, ends[1]), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(parcel, 0, 0, 0, 0, 0);
    OH_IPCParcel_Destroy(parcel);
    close(ends[0]);
}

static void appending(void)
{
    int32_t value = 0;
    OHIPCParcel *target = OH_IPCParcel_Create();
    OHIPCParcel *source = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_Append(target, source), OH_IPC_SUCCESS);
    CHECK_PARCEL(target, 0, 0, 0, 0, 0);
    OH_IPCParcel_WriteInt32(source, 1);
    OH_IPCParcel_WriteString(source, "five5");
    CHECK_EQ(OH_IPCParcel_ReadInt32(source, &value), OH_IPC_SUCCESS);

    /* All of it goes over, wherever its own cursor stands, and it stays as it is. */
    CHECK_EQ(OH_IPCParcel_Append(target, source), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_Append(target, source), OH_IPC_SUCCESS);
    CHECK_PARCEL(target, 24, 40, 24, 0, 24);
    CHECK_PARCEL(source, 12, 52, 8, 4, 12);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(OH_IPCParcel_ReadInt32(target, &value), OH_IPC_SUCCESS);
        CHECK_EQ(value, 1);
        CHECK_TEXT(OH_IPCParcel_ReadString(target), "five5");
    }

    /* Also to itself. */
    CHECK_EQ(OH_IPCParcel_Append(source, source), OH_IPC_SUCCESS);
    CHECK_PARCEL(source, 24, 40, 20, 4, 24);

    /* What does not fit changes nothing. */
    CHECK_EQ(OH_IPCParcel_RewindWritePosition(target, 0), OH_IPC_SUCCESS);
    while (OH_IPCParcel_WriteInt64(target, 5) == OH_IPC_SUCCESS) {
    }
    CHECK_EQ(OH_IPCParcel_Append(target, source), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_GetDataSize(target), PARCEL_MAXIMUM);
    CHECK_EQ(OH_IPCParcel_Append(source, target), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_PARCEL(source, 24, 40, 20, 4, 24);
    OH_IPCParcel_Destroy(target);
    OH_IPCParcel_Destroy(source);
}

static void appending_objects(void)
{
    int ends[2];
    int destroyed = 0;
    int32_t value = 0;
    int32_t fd = -1;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("appended", handle_nothing, count_call, &destroyed);
    OHIPCRemoteStub *read_stub = NULL;
    OHIPCParcel *target = OH_IPCParcel_Create();
    OHIPCParcel *source = OH_IPCParcel_Create();
    open_pipe(ends);
    OH_IPCParcel_WriteRemoteStub(source, stub);
    OH_IPCParcel_WriteFileDescriptor(source, ends[1]);
    OH_IPCParcel_WriteInt32(target, 3);
    CHECK_EQ(OH_IPCParcel_Append(target, source), OH_IPC_SUCCESS);
    CHECK_PARCEL(target, 52, 12, 52, 0, 52);

    /* The target has references and duplicates of its own. */
    OH_IPCParcel_Destroy(source);
    OH_IPCRemoteStub_Destroy(stub);
    close(ends[1]);
    CHECK_EQ(destroyed, 0);
    CHECK(!at_end(ends[0]));
    CHECK_EQ(OH_IPCParcel_ReadInt32(target, &value), OH_IPC_SUCCESS);
    read_stub = OH_IPCParcel_ReadRemoteStub(target);
    CHECK(read_stub != NULL);
    CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(target, &fd), OH_IPC_SUCCESS);
    CHECK_EQ(file_of(fd), file_of(ends[0]));
    close(fd);
    OH_IPCRemoteStub_Destroy(read_stub);
    OH_IPCParcel_Destroy(target);
    /* A device never lets an appended stub go. */
    CHECK_EQ(destroyed, 0);
    CHECK(at_end(ends[0]));
    close(ends[0]);
}

static void as_many_as_fit(void)
{
    int destroyed = 0;
    int written = 0;
    int read = 0;
    OHIPCRemoteProxy *proxy = NULL;
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("many", handle_nothing, count_call, &destroyed);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    while (OH_IPCParcel_WriteRemoteStub(parcel, stub) == OH_IPC_SUCCESS) {
        written++;
    }
    CHECK_EQ(written, 8533);
    CHECK_PARCEL(parcel, 204792, 8, 204792, 0, 204792);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(parcel, 0), OH_IPC_PARCEL_WRITE_ERROR);
    CHECK_EQ(OH_IPCParcel_WriteInt64(parcel, 1), OH_IPC_SUCCESS);
    while ((proxy = OH_IPCParcel_ReadRemoteProxy(parcel)) != NULL) {
        OH_IPCRemoteProxy_Destroy(proxy);
        read++;
    }
    CHECK_EQ(read, 8533);
    CHECK_EQ(OH_IPCParcel_GetReadableBytes(parcel), 8);
    OH_IPCRemoteStub_Destroy(stub);
    CHECK_EQ(destroyed, 0);
    OH_IPCParcel_Destroy(parcel);
    CHECK_EQ(destroyed, 1);
}

int main(void)
{
    remote_objects();
    cut_off();
    file_descriptors();
    appending();
    appending_objects();
    as_many_as_fit();
    return check_result();
}
