/* SPDX-License-Identifier: Apache-2.0 */
/* Operations whose instructions are counted. callgrind counts while measured() runs, and knows which are the library's.
 * usage: operations NAME; without a name it prints all names */
#include <IPCKit/ipc_kit.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How two processes meet without the child process library; private to this project. */
int ipckit_reference_export(OHIPCRemoteStub *stub, uint8_t *reference);
OHIPCRemoteProxy *ipckit_reference_import(const uint8_t *reference);

enum { TIMES = 100, WARM_UP = 200, REFERENCE_BYTES = 64, SMALL = 16, LARGE = 65536 };

static uint8_t g_bytes[LARGE];
static OHIPCRemoteProxy *g_proxy;

static void Require(int right, const char *what)
{
    if (!right) {
        fprintf(stderr, "operations: %s failed\n", what);
        exit(1);
    }
}

static void Create(void)
{
    OH_IPCParcel_Destroy(OH_IPCParcel_Create());
}

static void Numbers(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    int32_t value = 0;
    for (int number = 0; number < 16; number++) {
        OH_IPCParcel_WriteInt32(parcel, number);
    }
    for (int number = 0; number < 16; number++) {
        OH_IPCParcel_ReadInt32(parcel, &value);
    }
    Require(value == 15, "ReadInt32");
    OH_IPCParcel_Destroy(parcel);
}

static void Text(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteString(parcel, "0123456789abcdef0123456789abcdef");
    Require(OH_IPCParcel_ReadString(parcel) != NULL, "ReadString");
    OH_IPCParcel_Destroy(parcel);
}

static void Buffer(int32_t size)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteBuffer(parcel, g_bytes, size);
    Require(OH_IPCParcel_ReadBuffer(parcel, size) != NULL, "ReadBuffer");
    OH_IPCParcel_Destroy(parcel);
}

static void SmallBuffer(void)
{
    Buffer(SMALL);
}

static void LargeBuffer(void)
{
    Buffer(LARGE);
}

static void *Allocate(int32_t length)
{
    return malloc((size_t)length);
}

static void Token(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    char *token = NULL;
    int32_t length = 0;
    OH_IPCParcel_WriteInterfaceToken(parcel, "OHOS.IPC.TestInterface");
    Require(OH_IPCParcel_ReadInterfaceToken(parcel, &token, &length, Allocate) == OH_IPC_SUCCESS, "ReadInterfaceToken");
    free(token);
    OH_IPCParcel_Destroy(parcel);
}

static int Echo(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *userData)
{
    (void)code;
    (void)userData;
    const int size = OH_IPCParcel_GetDataSize(data);
    return OH_IPCParcel_WriteBuffer(reply, OH_IPCParcel_ReadBuffer(data, size), size);
}

/* With a proxy of a stub of this process, a direct call. */
static void Call(void)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteBuffer(data, g_bytes, SMALL);
    Require(OH_IPCRemoteProxy_SendRequest(g_proxy, 1, data, reply, NULL) == OH_IPC_SUCCESS, "SendRequest");
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
}

static void Async(void)
{
    const OH_IPC_MessageOption option = {OH_IPC_REQUEST_MODE_ASYNC, 0, NULL};
    OHIPCParcel *data = OH_IPCParcel_Create();
    OH_IPCParcel_WriteBuffer(data, g_bytes, SMALL);
    Require(OH_IPCRemoteProxy_SendRequest(g_proxy, 1, data, NULL, &option) == OH_IPC_SUCCESS, "SendRequest");
    OH_IPCParcel_Destroy(data);
}

static void Object(void)
{
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteRemoteProxy(parcel, g_proxy);
    OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
    Require(proxy != NULL, "ReadRemoteProxy");
    OH_IPCRemoteProxy_Destroy(proxy);
    OH_IPCParcel_Destroy(parcel);
}

/* A proxy of a stub of this process. */
static void MeetOneself(void)
{
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("own", Echo, NULL, NULL);
    OHIPCParcel *parcel = OH_IPCParcel_Create();
    OH_IPCParcel_WriteRemoteStub(parcel, stub);
    g_proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
    OH_IPCParcel_Destroy(parcel);
    OH_IPCRemoteStub_Destroy(stub);
    Require(g_proxy != NULL, "ReadRemoteProxy");
}

static void Serve(int pipe)
{
    uint8_t reference[REFERENCE_BYTES];
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("another's", Echo, NULL, NULL);
    Require(ipckit_reference_export(stub, reference) == OH_IPC_SUCCESS, "ipckit_reference_export");
    Require(write(pipe, reference, sizeof(reference)) == (ssize_t)sizeof(reference), "write");
    for (;;) {
        pause();
    }
}

static pid_t g_server;

static void EndServer(void)
{
    kill(g_server, SIGKILL);
    waitpid(g_server, NULL, 0);
}

/* A proxy of a stub of another process, which is stopped: what it does or leaves must not change the count. */
static void MeetAnother(void)
{
    uint8_t reference[REFERENCE_BYTES];
    int ends[2];
    Require(pipe(ends) == 0, "pipe");
    g_server = fork();
    if (g_server == 0) {
        Serve(ends[1]);
    }
    atexit(EndServer);
    close(ends[1]);
    Require(read(ends[0], reference, sizeof(reference)) == (ssize_t)sizeof(reference), "read");
    g_proxy = ipckit_reference_import(reference);
    Require(g_proxy != NULL, "ipckit_reference_import");
    Call();
    kill(g_server, SIGSTOP);
    Require(waitpid(g_server, NULL, WUNTRACED) == g_server, "waitpid");
}

static const struct {
    const char *name;
    void (*prepare)(void);
    void (*run)(void);
} OPERATIONS[] = {
    {"create_destroy", NULL, Create},
    {"int32_16_times", NULL, Numbers},
    {"string_32_bytes", NULL, Text},
    {"buffer_16_bytes", NULL, SmallBuffer},
    {"buffer_64_kib", NULL, LargeBuffer},
    {"interface_token", NULL, Token},
    {"object", MeetOneself, Object},
    {"direct_call", MeetOneself, Call},
    {"async_request_sent", MeetAnother, Async},
};

/* callgrind is told this name. */
__attribute__((noinline, visibility("default"))) void measured(void (*run)(void));
void measured(void (*run)(void))
{
    for (int time = 0; time < TIMES; time++) {
        run();
    }
}

int main(int argc, char **argv)
{
    for (size_t index = 0; index < sizeof(OPERATIONS) / sizeof(OPERATIONS[0]); index++) {
        if (argc < 2) {
            puts(OPERATIONS[index].name);
        } else if (strcmp(argv[1], OPERATIONS[index].name) == 0) {
            if (OPERATIONS[index].prepare != NULL) {
                OPERATIONS[index].prepare();
            }
            for (int time = 0; time < WARM_UP; time++) {
                OPERATIONS[index].run();
            }
            measured(OPERATIONS[index].run);
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
