// SPDX-License-Identifier: Apache-2.0
// Processes of two users, neither of them root: the one does not get at the other, whatever it knows. It takes root to make them.
#include <grp.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>
#include <vector>

#include "log.hpp"
#include "robustness/raw_peer.hpp"

namespace {

constexpr int NOT_RUN = 77;
constexpr uid_t OWNER = 54331;
constexpr uid_t STRANGER = 54332;
// One for both: a group gives nothing either.
constexpr gid_t GROUP = 54330;

struct Board {
    std::atomic<int> exported;
    std::atomic<uint64_t> user;
    uint8_t references[2][REFERENCE_BYTES];
};
Board *board;

int NoteUser(uint32_t, const OHIPCParcel *, OHIPCParcel *, void *)
{
    board->user = OH_IPCSkeleton_GetCallingUid();
    return 0;
}

// As after a login: the process can be looked at by others of its user, and ends with the test.
void Become(uid_t user)
{
    if (user != 0) {
        CHECK_EQ(setgroups(0, nullptr), 0);
        CHECK_EQ(setgid(GROUP), 0);
        CHECK_EQ(setuid(user), 0);
        CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
        CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
    }
}

pid_t StartServer(uid_t user, const Log &log, uint8_t *reference)
{
    const int exported = board->exported;
    const pid_t server = Fork([user, &log, reference] {
        log.Take();
        Become(user);
        OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("server", NoteUser, nullptr, nullptr);
        CHECK_EQ(OH_IPCParcel_WriteRemoteStub(OH_IPCParcel_Create(), stub), OH_IPC_SUCCESS);
        Export(stub, reference);
        ++board->exported;
    });
    CHECK(Until([exported] { return board->exported == exported + 1; }));
    return server;
}

// Runs `body` in a process of that user, which has to end well.
void As(uid_t user, const Log &log, const std::function<void()> &body)
{
    const pid_t process = Fork([user, &log, &body] {
        log.Take();
        Become(user);
        body();
        _exit(check_result());
    });
    if (!CHECK_EQ(Reap(process), 0)) {
        fprintf(stderr, "user %u: %s\n", user, log.Text().c_str());
    }
}

void CallAs(uid_t user, const uint8_t *reference)
{
    const Log log;
    As(user, log, [reference, user] {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(reference);
        if (CHECK(proxy != nullptr)) {
            CHECK_EQ(Call(proxy, 1), OH_IPC_SUCCESS);
            CHECK_EQ(board->user.load(), user);
        }
    });
}

std::string BelongsTo(uid_t user)
{
    return "it belongs to user " + std::to_string(user);
}

// It has even got hold of a reference, or knows where the socket is. The server says who it was, and not without end.
void AStrangerConnects()
{
    const Log log;
    const Log strangers;
    const uint8_t *reference = board->references[0];
    const auto start = std::chrono::steady_clock::now();
    const pid_t server = StartServer(OWNER, log, board->references[0]);
    As(STRANGER, strangers, [reference] { CHECK(ipckit_reference_import(reference) == nullptr); });
    CHECK(strangers.Says(BelongsTo(OWNER)));
    As(STRANGER, strangers, [reference] {
        for (int attempt = 0; attempt < 500; ++attempt) {
            RawPeer peer(reference);
            // Says nothing, and is told without a hello.
            const Message answer = peer.Receive();
            CHECK_EQ(answer.Kind(), REFUSED);
            CHECK_EQ(answer.First(), FOR_USER);
            CHECK(Until([&peer] { return peer.IsHungUp(); }));
        }
    });
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
    const int lines = log.Count("was refused: " + BelongsTo(STRANGER));
    CHECK(lines >= 1 && lines <= seconds / 10 + 2);
    CallAs(OWNER, reference);
    Kill(server);
}

// Where a reference points, somebody else listens: who follows it says nothing, and passes no memory on.
void AStrangerListens()
{
    const Log log;
    uint8_t *reference = board->references[0];
    CHECK_EQ(getrandom(reference, 32, 0), 32);
    const int exported = board->exported;
    const pid_t stranger = Fork([reference] {
        Become(STRANGER);
        const int listener = Listen(reference, 4);
        ++board->exported;
        const int connection = accept(listener, nullptr, nullptr);
        CHECK(connection >= 0);
        Message message = {};
        CHECK_EQ(recv(connection, message.bytes, MESSAGE_BYTES, 0), 0);
        _exit(check_result());
    });
    CHECK(Until([exported] { return board->exported == exported + 1; }));
    As(OWNER, log, [reference] { CHECK(ipckit_reference_import(reference) == nullptr); });
    CHECK(log.Says(BelongsTo(STRANGER)));
    CHECK_EQ(Reap(stranger), 0);
}

// Root is let in, as the system lets it do everything else. By itself it follows no reference to a process of a user: somebody else
// might listen there by now. Nor does it let users in.
void RootComesInAndLetsNobodyIn()
{
    const Log log;
    const uint8_t *owners = board->references[0];
    const uint8_t *roots = board->references[1];
    const pid_t owner = StartServer(OWNER, log, board->references[0]);
    {
        RawPeer peer(owners);
        if (peer.Greet() && CHECK(peer.Acquire(ObjectOf(owners), SecretOf(owners)))) {
            board->user = OWNER;
            CHECK_EQ(peer.Ask(REQUEST, ObjectOf(owners)), REPLY);
            CHECK_EQ(board->user.load(), 0);
        }
    }
    const Log following;
    As(0, following, [owners] { CHECK(ipckit_reference_import(owners) == nullptr); });
    CHECK(following.Says(BelongsTo(OWNER)));
    Kill(owner);

    const Log listening;
    const Log refused;
    const pid_t root = StartServer(0, listening, board->references[1]);
    As(OWNER, refused, [roots] { CHECK(ipckit_reference_import(roots) == nullptr); });
    CHECK(refused.Says("a process refused our connection: it belongs to another user"));
    CHECK(listening.Says("was refused: " + BelongsTo(OWNER)));
    Kill(root);
}

std::string PathOf(pid_t process, const std::string &what)
{
    return "/proc/" + std::to_string(process) + "/" + what;
}

// The numbers by which a process has the library's memory.
std::vector<int> MemoryOf(pid_t process)
{
    std::vector<int> numbers;
    DIR *directory = opendir(PathOf(process, "fd").c_str());
    while (const dirent *entry = directory == nullptr ? nullptr : readdir(directory)) {
        char link[256] = {};
        const std::string path = PathOf(process, "fd/") + entry->d_name;
        if (readlink(path.c_str(), link, sizeof link - 1) > 0 && strncmp(link, "/memfd:ipckit-", 14) == 0) {
            numbers.push_back(atoi(entry->d_name));
        }
    }
    if (directory != nullptr) {
        closedir(directory);
    }
    return numbers;
}

// Where the library's memory is mapped, as names below map_files.
std::vector<std::string> MappingsOf(pid_t process)
{
    std::vector<std::string> names;
    FILE *maps = fopen(PathOf(process, "maps").c_str(), "r");
    char line[512];
    while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
        if (strstr(line, "/memfd:ipckit-") != nullptr) {
            names.emplace_back(line, strcspn(line, " "));
        }
    }
    if (maps != nullptr) {
        fclose(maps);
    }
    return names;
}

void CheckOpens(const std::string &path, int flags, bool allowed)
{
    errno = 0;
    const int opened = open(path.c_str(), flags | O_CLOEXEC);
    if (!CHECK(allowed ? opened >= 0 : opened < 0 && (errno == EACCES || errno == EPERM))) {
        fprintf(stderr, "%s: %s\n", path.c_str(), strerror(errno));
    }
    close(opened);
}

// By way of /proc and the like, its own user can look at a process; another one sees none of its memory, descriptors or environment.
void AStrangerLooks()
{
    const Log log;
    const pid_t server = StartServer(OWNER, log, board->references[0]);
    const pid_t client = Fork([] {
        Become(OWNER);
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[0]);
        CHECK(proxy != nullptr && Call(proxy, 1) == OH_IPC_SUCCESS);
        ++board->exported;
    });
    const int connected = board->exported + 1;
    CHECK(Until([connected] { return board->exported >= connected - 1; }));
    CHECK(Until([server] { return MappingsOf(server).size() >= 6; }));
    const std::vector<int> memory = MemoryOf(server);
    const std::vector<std::string> mappings = MappingsOf(server);
    CHECK(memory.size() >= 2);
    for (const uid_t user : {OWNER, STRANGER}) {
        const bool allowed = user == OWNER;
        const Log looking;
        As(user, looking, [&memory, &mappings, server, allowed] {
            for (const char *what : {"fd", "maps", "environ"}) {
                CheckOpens(PathOf(server, what), O_RDONLY, allowed);
            }
            for (int number : memory) {
                CheckOpens(PathOf(server, "fd/") + std::to_string(number), O_RDONLY, allowed);
            }
            for (const std::string &name : mappings) {
                char link[256];
                // Following one takes more than being of the same user; reading it does not.
                CHECK_EQ(readlink(PathOf(server, "map_files/" + name).c_str(), link, sizeof link) > 0, allowed);
                if (!allowed) {
                    CheckOpens(PathOf(server, "map_files/" + name), O_RDONLY, false);
                }
            }
            if (!allowed) {
                CheckOpens(PathOf(server, "mem"), O_RDONLY, false);
                const int process = static_cast<int>(syscall(SYS_pidfd_open, server, 0));
                CHECK(process >= 0);
                CHECK(syscall(SYS_pidfd_getfd, process, memory.front(), 0) == -1 && errno == EPERM);
                char byte;
                iovec here = {&byte, 1};
                iovec there = {reinterpret_cast<void *>(strtoul(mappings.front().c_str(), nullptr, 16)), 1};
                CHECK(process_vm_readv(server, &here, 1, &there, 1, 0) == -1 && errno == EPERM);
            }
        });
    }
    Kill(client);
    Kill(server);
}

} // namespace

int main()
{
    if (geteuid() != 0) {
        puts("not run: it takes root to make processes of two users");
        return NOT_RUN;
    }
    board = &Shared<Board>();
    AStrangerConnects();
    AStrangerListens();
    RootComesInAndLetsNobodyIn();
    AStrangerLooks();
    return check_result();
}
