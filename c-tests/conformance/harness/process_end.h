// SPDX-License-Identifier: Apache-2.0
// Waiting for the end of a process that may be nobody's child here.
#ifndef CONFORMANCE_HARNESS_PROCESS_END_H
#define CONFORMANCE_HARNESS_PROCESS_END_H

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace conformance {

// A descriptor that stands for the process, also when its number is another's: a pidfd, or, under an emulator that knows none, the
// process's directory.
inline int OpenProcess(pid_t pid)
{
    int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (process < 0 && errno == ENOSYS) {
        process = open(("/proc/" + std::to_string(pid)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return process;
}

inline bool HasEndedInDirectory(int directory)
{
    char text[512] = {};
    int stat = openat(directory, "stat", O_RDONLY | O_CLOEXEC);
    if (stat < 0 || read(stat, text, sizeof(text) - 1) <= 0) {
        text[0] = '\0';
    }
    if (stat >= 0) {
        close(stat);
    }
    const char *state = std::strrchr(text, ')');
    return state == nullptr || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

// Whether it has ended; false where the descriptor is none.
inline bool AwaitProcess(int process)
{
    struct stat status = {};
    if (fstat(process, &status) == 0 && S_ISDIR(status.st_mode)) {
        while (!HasEndedInDirectory(process)) {
            usleep(1000);
        }
        return true;
    }
    pollfd wait = { process, POLLIN, 0 };
    while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
    }
    return (wait.revents & POLLIN) != 0;
}

} // namespace conformance

#endif
