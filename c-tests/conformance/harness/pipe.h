// SPDX-License-Identifier: Apache-2.0
// Who still has a descriptor.
#ifndef CONFORMANCE_HARNESS_PIPE_H
#define CONFORMANCE_HARNESS_PIPE_H

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "harness/expect.h"

namespace conformance {

// A pipe that tells when its last writing end is closed, in whichever process.
class Pipe {
public:
    Pipe()
    {
        int ends[2] = { -1, -1 };
        REQUIRE_EQ(pipe2(ends, O_CLOEXEC), 0);
        reading_ = ends[0];
        writing_ = ends[1];
    }
    ~Pipe()
    {
        CloseWriting();
        close(reading_);
    }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;

    int Reading() const { return reading_; }
    int Writing() const { return writing_; }
    void CloseWriting()
    {
        if (writing_ >= 0) {
            close(writing_);
            writing_ = -1;
        }
    }
    // All that is written until every writing end is closed.
    std::string ReadToEnd()
    {
        CloseWriting();
        std::string text;
        char piece[256];
        for (;;) {
            ssize_t length = read(reading_, piece, sizeof(piece));
            if (length > 0) {
                text.append(piece, static_cast<size_t>(length));
            } else if (length == 0 || errno != EINTR) {
                return text;
            }
        }
    }

private:
    int reading_ = -1;
    int writing_ = -1;
};

} // namespace conformance

#endif
