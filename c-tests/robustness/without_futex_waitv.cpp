// SPDX-License-Identifier: Apache-2.0
// A sandbox refuses the system call by which deaths are heard of soonest: they are heard of all the same, and nothing spins.
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>

#include "support.hpp"

namespace {

constexpr unsigned FUTEX_WAITV = 449; // on every architecture

struct Board {
    std::atomic<bool> exported;
    uint8_t reference[REFERENCE_BYTES];
};
Board *board;

int Nothing(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    return 0;
}

void Refuse(unsigned system_call)
{
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, system_call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

bool HasThread(const std::string &name)
{
    bool found = false;
    DIR *threads = opendir("/proc/self/task");
    while (const dirent *entry = readdir(threads)) {
        std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
        std::string line;
        found |= std::getline(file, line) && line == name;
    }
    closedir(threads);
    return found;
}

void NoteDeath(void *told)
{
    *static_cast<std::atomic<bool> *>(told) = true;
}

} // namespace

int main()
{
    board = &Shared<Board>();
    const pid_t server = Fork([] {
        board->exported = Export(OH_IPCRemoteStub_Create("server", Nothing, nullptr, nullptr), board->reference);
    });
    CHECK(Until([] { return board->exported.load(); }));

    Refuse(FUTEX_WAITV);
    OHIPCRemoteProxy *proxy = ipckit_reference_import(board->reference);
    CHECK(proxy != nullptr);
    CHECK_EQ(Call(proxy, 1), OH_IPC_SUCCESS);
    CHECK(Until([] { return !HasThread("ipckit_death"); }));

    std::atomic<bool> told{false};
    OHIPCDeathRecipient *recipient = OH_IPCDeathRecipient_Create(NoteDeath, nullptr, &told);
    CHECK_EQ(OH_IPCRemoteProxy_AddDeathRecipient(proxy, recipient), OH_IPC_SUCCESS);
    Kill(server);
    CHECK(Until([&told] { return told.load(); }));
    OH_IPCDeathRecipient_Destroy(recipient);
    OH_IPCRemoteProxy_Destroy(proxy);
    return check_result();
}
