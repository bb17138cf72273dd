// SPDX-License-Identifier: Apache-2.0
// What a process had sent, or was about to send, when it died: a message with a descriptor, and a reference to a third process's stub.
#include <fcntl.h>

#include <cstdio>
#include <cstring>

#include "support.hpp"

namespace {

constexpr uint32_t TAKE = 1;

struct Board {
    uint8_t first[REFERENCE_BYTES];
    uint8_t second[REFERENCE_BYTES];
    uint8_t third[REFERENCE_BYTES];
    std::atomic<int> ready;
    std::atomic<bool> go;
    std::atomic<int> accepted;
    std::atomic<int> ended;
};
Board *board;
int pipe_ends[2];
OHIPCRemoteProxy *receiver;

int Ignore(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

void CountEnd(void *)
{
    board->ended++;
}

int Post(OHIPCRemoteProxy *proxy, const OHIPCParcel *data)
{
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(proxy, TAKE, data, nullptr, &option);
}

// The state of a thread by the kernel's word: 'S' where it sleeps, 'T' where it is stopped.
char State(pid_t process, pid_t thread)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", process, thread);
    FILE *file = fopen(path, "r");
    char text[256] = "";
    if (file != nullptr) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    const char *end = strrchr(text, ')');
    return end == nullptr ? '?' : end[2];
}

void Stop(pid_t process)
{
    kill(process, SIGSTOP);
    CHECK(Until([process] { return State(process, process) == 'T'; }));
}

int WriteIntoDescriptor(uint32_t, const OHIPCParcel *data, OHIPCParcel *, void *)
{
    int descriptor = -1;
    if (CHECK_EQ(OH_IPCParcel_ReadFileDescriptor(data, &descriptor), OH_IPC_SUCCESS)) {
        CHECK_EQ(write(descriptor, "x", 1), 1);
        close(descriptor);
    }
    return 0;
}

// The reference in the request has this process ask the receiver for a share; behind the question goes a message with a descriptor, and
// then the process is dead.
int SendDescriptorAndDie(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    OHIPCParcel *data = OH_IPCParcel_Create();
    OH_IPCParcel_WriteFileDescriptor(data, pipe_ends[1]);
    board->accepted = Post(receiver, data) == OH_IPC_SUCCESS ? 1 : -1;
    kill(getpid(), SIGKILL);
    return 0;
}

// The receiver has to answer the question, which is of no use to a dead process, and takes what came behind it all the same.
void DescriptorsBehindAQuestion()
{
    CHECK_EQ(pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
    board->ready = 0;
    const pid_t taker = Fork([] {
        Export(OH_IPCRemoteStub_Create("for the sender", WriteIntoDescriptor, nullptr, nullptr), board->first);
        Export(OH_IPCRemoteStub_Create("to be passed on", Ignore, nullptr, nullptr), board->second);
        board->ready++;
    });
    CHECK(Until([] { return board->ready == 1; }));
    const pid_t sender = Fork([] {
        receiver = ipckit_reference_import(board->first);
        CHECK(receiver != nullptr);
        Export(OH_IPCRemoteStub_Create("sender", SendDescriptorAndDie, nullptr, nullptr), board->third);
        board->ready++;
    });
    CHECK(Until([] { return board->ready == 2; }));
    OHIPCRemoteProxy *passed_on = ipckit_reference_import(board->second);
    OHIPCRemoteProxy *of_sender = ipckit_reference_import(board->third);
    CHECK(passed_on != nullptr && of_sender != nullptr);

    Stop(sender);
    OHIPCParcel *data = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(data, passed_on), OH_IPC_SUCCESS);
    CHECK_EQ(Post(of_sender, data), OH_IPC_SUCCESS);
    OH_IPCParcel_Destroy(data);
    Stop(taker);
    kill(sender, SIGCONT);
    Reap(sender);
    CHECK_EQ(board->accepted.load(), 1);
    kill(taker, SIGCONT);
    char byte = 0;
    CHECK(Until([&byte] { return read(pipe_ends[0], &byte, 1) == 1; }));
    CHECK_EQ(byte, 'x');
    Kill(taker);
    OH_IPCRemoteProxy_Destroy(passed_on);
    OH_IPCRemoteProxy_Destroy(of_sender);
}

// A process that has said that it passes a reference on, and dies before it does: nobody keeps the stub for it any more. It is held up by
// the owner of a second stub in the same message, which is stopped.
void ReferencesThatDidNotGo()
{
    board->ready = 0;
    board->ended = 0;
    board->accepted = 0;
    board->go = false;
    OHIPCRemoteStub *here = OH_IPCRemoteStub_Create("here", Ignore, nullptr, nullptr);
    const pid_t owner = Fork([] {
        Export(OH_IPCRemoteStub_Create("to be passed on", Ignore, CountEnd, nullptr), board->first);
        board->ready++;
    });
    const pid_t stopped = Fork([] {
        Export(OH_IPCRemoteStub_Create("to be passed on", Ignore, nullptr, nullptr), board->third);
        board->ready++;
    });
    CHECK(Until([] { return board->ready == 2; }));
    Export(here, board->second);
    const pid_t middleman = Fork([] {
        OHIPCRemoteProxy *first_process = ipckit_reference_import(board->second);
        OHIPCParcel *data = OH_IPCParcel_Create();
        for (const uint8_t *reference : { board->first, board->third }) {
            OHIPCRemoteProxy *passed_on = ipckit_reference_import(reference);
            CHECK_EQ(OH_IPCParcel_WriteRemoteProxy(data, passed_on), OH_IPC_SUCCESS);
        }
        board->ready++;
        while (!board->go) {
            usleep(1000);
        }
        Post(first_process, data);
        board->accepted = 1;
    });
    CHECK(Until([] { return board->ready == 3; }));
    Stop(stopped);
    board->go = true;
    int asleep = 0;
    CHECK(Until([middleman, &asleep] {
        asleep = State(middleman, middleman) == 'S' ? asleep + 1 : 0;
        return asleep >= 100;
    }));
    CHECK_EQ(board->accepted.load(), 0);
    Kill(middleman);
    CHECK(Until([] { return board->ended == 1; }));
    Kill(stopped);
    Kill(owner);
    OH_IPCRemoteStub_Destroy(here);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    DescriptorsBehindAQuestion();
    ReferencesThatDidNotGo();
    return check_result();
}
