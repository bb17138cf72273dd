// SPDX-License-Identifier: Apache-2.0
// What a process writes to its log, for the process that made it.
#ifndef ACCESS_LOG_HPP
#define ACCESS_LOG_HPP

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

class Log {
public:
    Log() : file_(memfd_create("log", MFD_CLOEXEC)) {}
    ~Log() { close(file_); }
    Log(const Log &) = delete;
    Log &operator=(const Log &) = delete;

    // Has the calling process log here.
    void Take() const
    {
        unsetenv("IPCKIT_LOG_FILE");
        dup2(file_, STDERR_FILENO);
    }

    std::string Text() const
    {
        std::string text;
        char part[4096];
        for (ssize_t len; (len = pread(file_, part, sizeof part, static_cast<off_t>(text.size()))) > 0;) {
            text.append(part, static_cast<size_t>(len));
        }
        return text;
    }

    // How often a text is there.
    int Count(const std::string &part) const
    {
        const std::string text = Text();
        int count = 0;
        for (size_t place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) {
            ++count;
        }
        return count;
    }

    bool Says(const std::string &part) const { return Count(part) > 0; }

private:
    int file_;
};

#endif
