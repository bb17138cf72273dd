// SPDX-License-Identifier: Apache-2.0
// What the library leaves in the system: no file that has a name, no socket whose name could be guessed, and nothing at all once its
// processes have ended. The directories that all programs share are empty ones of this program's own, so that whatever is in there is
// the library's.
#include <AbilityKit/native_child_process.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "robustness/support.hpp"

namespace {

constexpr int NOT_RUN = 77;
const char *const SHARED_DIRECTORIES[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};
// What XDG_RUNTIME_DIR and HOME are here.
const char *const RUNTIME = "/run/user";
const char *const HOME = "/run/home";

struct Board {
    std::atomic<int> exported;
    std::atomic<int> connected;
    uint8_t references[2][REFERENCE_BYTES];
};
Board *board;

std::string BuildDirectory()
{
    char path[PATH_MAX] = {};
    CHECK(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    return std::string(path, strrchr(path, '/'));
}

void MakeDirectories(const std::string &path)
{
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        mkdir(path.substr(0, end).c_str(), 0755);
    }
    mkdir(path.c_str(), 0755);
}

// Puts empty directories in the place of the shared ones, for this process and its children. The programs that they run stay where
// they are, also where that is below one of these.
bool HideSharedDirectories()
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return false;
    }
    // The tests' programs, and the libraries beside them.
    const std::string build = BuildDirectory() + "/../..";
    const int programs = open(build.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    char real[PATH_MAX];
    if (programs < 0 || realpath(build.c_str(), real) == nullptr) {
        return false;
    }
    for (const char *directory : SHARED_DIRECTORIES) {
        struct stat status;
        if (stat(directory, &status) == 0 && mount("tmpfs", directory, "tmpfs", 0, "size=16m,mode=1777") != 0) {
            return false;
        }
    }
    if (access(real, F_OK) != 0) {
        MakeDirectories(real);
        if (mount(("/proc/self/fd/" + std::to_string(programs)).c_str(), real, nullptr, MS_BIND, nullptr) != 0) {
            return false;
        }
    }
    close(programs);
    MakeDirectories(RUNTIME);
    MakeDirectories(HOME);
    return setenv("XDG_RUNTIME_DIR", RUNTIME, 1) == 0 && setenv("HOME", HOME, 1) == 0 && chdir(HOME) == 0;
}

std::set<std::string> NamesIn(const std::string &path)
{
    std::set<std::string> names;
    DIR *directory = opendir(path.c_str());
    while (const dirent *entry = directory == nullptr ? nullptr : readdir(directory)) {
        names.insert(entry->d_name);
    }
    if (directory != nullptr) {
        closedir(directory);
    }
    names.erase(".");
    names.erase("..");
    return names;
}

// All that is in the shared directories.
std::set<std::string> SharedNames()
{
    std::set<std::string> names;
    for (const char *directory : {"/tmp", "/var/tmp", "/dev/shm", "/run", RUNTIME, HOME}) {
        for (const std::string &name : NamesIn(directory)) {
            names.insert(std::string(directory) + "/" + name);
        }
    }
    return names;
}

std::vector<pid_t> ChildrenOf(pid_t process)
{
    std::vector<pid_t> children;
    for (const std::string &thread : NamesIn("/proc/" + std::to_string(process) + "/task")) {
        std::ifstream file("/proc/" + std::to_string(process) + "/task/" + thread + "/children");
        for (pid_t child; file >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

void AddDescendants(pid_t process, std::vector<pid_t> &all)
{
    all.push_back(process);
    for (pid_t child : ChildrenOf(process)) {
        AddDescendants(child, all);
    }
}

// What a process has open, as the links of /proc show it.
std::vector<std::string> OpenIn(pid_t process)
{
    std::vector<std::string> links;
    const std::string directory = "/proc/" + std::to_string(process) + "/fd/";
    for (const std::string &number : NamesIn(directory)) {
        char link[PATH_MAX] = {};
        if (readlink((directory + number).c_str(), link, sizeof link - 1) > 0) {
            links.emplace_back(link);
        }
    }
    return links;
}

bool HasNoName(const std::string &link)
{
    for (const char *start : {"/memfd:ipckit-", "socket:[", "anon_inode:", "pipe:["}) {
        if (link.compare(0, strlen(start), start) == 0) {
            return true;
        }
    }
    return false;
}

// The memory that it shares with others, as /proc shows it.
std::vector<std::string> SharedMappingsIn(pid_t process)
{
    std::vector<std::string> names;
    std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
    for (std::string range, access, offset, device, inode, name; maps >> range >> access >> offset >> device >> inode
         && std::getline(maps, name);) {
        if (access.size() == 4 && access[3] == 's') {
            names.push_back(name.substr(std::min(name.size(), name.find_first_not_of(' '))));
        }
    }
    return names;
}

// The names of a process's sockets, of those that have one.
std::vector<std::string> SocketNamesOf(pid_t process)
{
    std::set<std::string> own;
    for (const std::string &link : OpenIn(process)) {
        own.insert(link);
    }
    std::vector<std::string> names;
    std::ifstream sockets("/proc/net/unix");
    for (std::string line; std::getline(sockets, line);) {
        std::istringstream fields(line);
        std::string word, inode, name;
        for (int skipped = 0; skipped < 6; ++skipped) {
            fields >> word;
        }
        if (fields >> inode >> name && own.count("socket:[" + inode + "]") != 0) {
            names.push_back(name);
        }
    }
    return names;
}

bool SocketIsThere(const std::string &name)
{
    std::ifstream sockets("/proc/net/unix");
    for (std::string line; std::getline(sockets, line);) {
        if (line.size() >= name.size() && line.compare(line.size() - name.size(), name.size(), name) == 0) {
            return true;
        }
    }
    return false;
}

// How many segments of System V memory these processes have made.
int SystemVSegmentsOf(const std::vector<pid_t> &processes)
{
    std::ifstream file("/proc/sysvipc/shm");
    int count = 0;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string key, id, mode, size;
        pid_t creator = 0;
        fields >> key >> id >> mode >> size >> creator;
        count += std::find(processes.begin(), processes.end(), creator) != processes.end();
    }
    return count;
}

int Echo(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    return OH_IPCParcel_Append(reply, data);
}

// A long message with a descriptor and a stub in it: all that the library ever needs something of the system for.
void SendEverything(OHIPCRemoteProxy *proxy)
{
    static const uint8_t bytes[100000] = {};
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("sent", Echo, nullptr, nullptr);
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    CHECK_EQ(OH_IPCParcel_WriteBuffer(data, bytes, sizeof bytes), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteFileDescriptor(data, STDERR_FILENO), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCParcel_WriteRemoteStub(data, stub), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, 1, data, reply, nullptr), OH_IPC_SUCCESS);
    OH_IPCParcel_Destroy(data);
    OH_IPCParcel_Destroy(reply);
    OH_IPCRemoteStub_Destroy(stub);
}

void OnChild(int code, OHIPCRemoteProxy *proxy)
{
    CHECK_EQ(code, NCP_NO_ERROR);
    CHECK(proxy != nullptr);
    ++board->connected;
}

// A process with objects, a peer and a native child of its own.
void UseEverything(int number)
{
    OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("here", Echo, nullptr, nullptr);
    Export(stub, board->references[number]);
    ++board->exported;
    if (number == 1) {
        OHIPCRemoteProxy *proxy = ipckit_reference_import(board->references[0]);
        if (CHECK(proxy != nullptr)) {
            SendEverything(proxy);
        }
        setenv("CHILD_BEHAVIOUR", "wait", 1);
        char library[PATH_MAX];
        CHECK(realpath((BuildDirectory() + "/../child_process/libchild_library.so").c_str(), library) != nullptr);
        CHECK_EQ(OH_Ability_CreateNativeChildProcess(library, OnChild), NCP_NO_ERROR);
    }
    ++board->connected;
}

void CheckNothingHasAName(const std::vector<pid_t> &processes, const std::vector<std::string> &opened_before)
{
    for (pid_t process : processes) {
        for (const std::string &link : OpenIn(process)) {
            const bool known = std::find(opened_before.begin(), opened_before.end(), link) != opened_before.end();
            if (!CHECK(known || HasNoName(link) || link == "/dev/null")) {
                fprintf(stderr, "process %d has open %s\n", process, link.c_str());
            }
        }
        for (const std::string &name : SharedMappingsIn(process)) {
            // Shared memory that never had a name is shown as the latter.
            if (!CHECK(HasNoName(name) || name == "/dev/zero (deleted)")) {
                fprintf(stderr, "process %d has mapped %s\n", process, name.c_str());
            }
        }
    }
    CHECK_EQ(SystemVSegmentsOf(processes), 0);
}

void NothingIsLeft()
{
    const std::set<std::string> before = SharedNames();
    const std::vector<std::string> opened_before = OpenIn(getpid());
    const pid_t first = Fork([] { UseEverything(0); });
    CHECK(Until([] { return board->exported == 1; }));
    const pid_t second = Fork([] { UseEverything(1); });
    CHECK(Until([] { return board->connected == 3; }));

    std::vector<pid_t> processes;
    AddDescendants(first, processes);
    AddDescendants(second, processes);
    // The second has a guardian, and that a child.
    CHECK_EQ(processes.size(), 4);
    CHECK(SharedNames() == before);
    CheckNothingHasAName(processes, opened_before);
    std::vector<std::string> sockets;
    for (pid_t process : processes) {
        for (const std::string &name : SocketNamesOf(process)) {
            CHECK_EQ(name.size(), strlen("@ipckit-") + 32);
            CHECK_EQ(name.compare(0, 8, "@ipckit-"), 0);
            CHECK_EQ(name.find_first_not_of("0123456789abcdef", 8) == std::string::npos, 1);
            sockets.push_back(name);
        }
    }
    CHECK(sockets.size() >= 3);

    for (pid_t process : {first, second}) {
        Kill(process);
    }
    for (const std::string &name : sockets) {
        CHECK(Until([&name] { return !SocketIsThere(name); }));
    }
    CHECK(Until([&processes] {
        return std::all_of(processes.begin(), processes.end(), [](pid_t process) { return kill(process, 0) != 0 || OpenIn(process).empty(); });
    }));
    CHECK(SharedNames() == before);
    CHECK_EQ(SystemVSegmentsOf(processes), 0);
}

// No bit of a name can be told in advance, not even by a process that was forked from the same one.
void NamesCannotBeGuessed()
{
    constexpr int PROCESSES = 64;
    const pid_t parent = Fork([] {
        uint8_t unused[REFERENCE_BYTES];
        Export(OH_IPCRemoteStub_Create("used before", Echo, nullptr, nullptr), unused);
        std::set<std::string> names;
        uint8_t always[16];
        uint8_t ever[16] = {};
        memset(always, 0xff, sizeof always);
        for (int process = 0; process < PROCESSES; ++process) {
            const pid_t forked = Fork([] {
                Export(OH_IPCRemoteStub_Create("named", Echo, nullptr, nullptr), board->references[0]);
                _exit(check_result());
            });
            CHECK_EQ(Reap(forked), 0);
            const uint8_t *address = board->references[0];
            names.emplace(reinterpret_cast<const char *>(address), 16);
            for (int place = 0; place < 16; ++place) {
                always[place] &= address[place];
                ever[place] |= address[place];
            }
        }
        CHECK_EQ(names.size(), PROCESSES);
        for (int place = 0; place < 16; ++place) {
            CHECK_EQ(always[place], 0);
            CHECK_EQ(ever[place], 0xff);
        }
        _exit(check_result());
    });
    CHECK_EQ(Reap(parent), 0);
}

} // namespace

int main()
{
    board = &Shared<Board>();
    if (!HideSharedDirectories()) {
        puts("not run: the shared directories cannot be hidden here, which takes root or user namespaces");
        return NOT_RUN;
    }
    NothingIsLeft();
    NamesCannotBeGuessed();
    return check_result();
}
