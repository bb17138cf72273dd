// SPDX-License-Identifier: Apache-2.0
// A callback for the log may use the library, also for lines that the library says on a thread that others wait for, or under a lock.
#include <hilog/log.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "raw_socket.hpp"

namespace {

constexpr int LINES = 3;
constexpr int PROXIES = 6;
constexpr int NOT_RUN = 77;

struct Board {
    std::atomic<int> exported;
    std::atomic<int> began;
    std::atomic<int> returned;
    uint8_t servers[LINES][REFERENCE_BYTES];
    uint8_t logging[REFERENCE_BYTES];
};
Board *board;

int GiveStubs(uint32_t, const OHIPCParcel *, OHIPCParcel *reply, void *)
{
    for (int count = 0; count < PROXIES; ++count) {
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("given", GiveStubs, nullptr, nullptr);
        OH_IPCParcel_WriteRemoteStub(reply, stub);
        OH_IPCRemoteStub_Destroy(stub);
    }
    return OH_IPC_SUCCESS;
}

pid_t StartServer(uint8_t *reference)
{
    const int before = board->exported;
    const pid_t server = Fork([reference] {
        Export(OH_IPCRemoteStub_Create("server", GiveStubs, nullptr, nullptr), reference);
        ++board->exported;
    });
    CHECK(Until([before] { return board->exported > before; }));
    return server;
}

bool Says(const char *message, const char *text)
{
    return strstr(message, text) != nullptr;
}

// To connect takes the thread that answers the sockets, which has just said what the callback is given.
void ConnectInCallback(const LogType, const LogLevel, const unsigned int, const char *, const char *message)
{
    if (!Says(message, "what a process sent in order to connect cannot be taken")) {
        return;
    }
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->servers[board->began++]);
    const bool works = proxy != nullptr && Call(proxy, 1) == OH_IPC_SUCCESS;
    OH_IPCRemoteProxy_Destroy(proxy);
    if (works && OH_IPCSkeleton_SetMaxWorkThreadNum(4) == OH_IPC_SUCCESS) {
        ++board->returned;
    }
}

void LinesOfInnerThreads()
{
    std::vector<pid_t> servers;
    for (uint8_t *reference : board->servers) {
        servers.push_back(StartServer(reference));
    }
    const pid_t logging = Fork([] {
        Export(OH_IPCRemoteStub_Create("logging", GiveStubs, nullptr, nullptr), board->logging);
        OH_LOG_SetCallback(ConnectInCallback);
        ++board->exported;
    });
    CHECK(Until([] { return board->exported == LINES + 1; }));
    for (int line = 1; line <= LINES; ++line) {
        const int connection = Connect(board->logging);
        CHECK_EQ(send(connection, "garbage", 7, MSG_NOSIGNAL), 7);
        CHECK(Until([line] { return board->returned == line; }));
        close(connection);
    }
    CHECK_EQ(board->began, LINES);
    Kill(logging);
    for (pid_t server : servers) {
        Kill(server);
    }
}

std::vector<OHIPCRemoteProxy *> *proxies;

// To let go of a proxy takes the locks under which the line was said that the callback is given.
void DestroyInCallback(const LogType, const LogLevel, const unsigned int, const char *, const char *message)
{
    if (Says(message, "was not sent")) {
        if (++board->began == 1) {
            OH_IPCRemoteProxy_Destroy(proxies->back());
        }
        ++board->returned;
    }
}

// Where the system takes such filters, the calling thread can send nothing on sockets any more.
bool ForbidSending()
{
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void LinesUnderLocks()
{
    board = &Shared<Board>();
    const pid_t server = StartServer(board->servers[0]);
    const pid_t client = Fork([] {
        setenv("IPCKIT_LOG_LEVEL", "D", 1);
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->servers[0]);
        OHIPCParcel *data = OH_IPCParcel_Create();
        OHIPCParcel *reply = OH_IPCParcel_Create();
        CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, nullptr), OH_IPC_SUCCESS);
        proxies = new std::vector<OHIPCRemoteProxy *>;
        for (int count = 0; count < PROXIES; ++count) {
            proxies->push_back(OH_IPCParcel_ReadRemoteProxy(reply));
        }
        OH_IPCParcel_Destroy(reply);
        OH_IPCParcel_Destroy(data);
        OH_LOG_SetCallback(DestroyInCallback);
        std::thread([] {
            if (!ForbidSending()) {
                exit(NOT_RUN);
            }
            for (int count = 0; count < PROXIES - 1; ++count) {
                OH_IPCRemoteProxy_Destroy((*proxies)[static_cast<size_t>(count)]);
            }
        }).join();
        ++board->exported;
    });
    int status = 0;
    CHECK(Until([client, &status] { return board->exported == 2 || waitpid(client, &status, WNOHANG) == client; }));
    if (board->exported != 2) {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN);
        printf("lines under locks: not run, the system takes no seccomp filters\n");
    } else {
        CHECK(Until([] { return board->returned == PROXIES - 1; }));
        CHECK_EQ(board->began, PROXIES - 1);
        Kill(client);
    }
    Kill(server);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    LinesOfInnerThreads();
    LinesUnderLocks();
    return check_result();
}
