// SPDX-License-Identifier: Apache-2.0
// The sockets that processes listen on, from outside the library.
#ifndef ROBUSTNESS_RAW_SOCKET_HPP
#define ROBUSTNESS_RAW_SOCKET_HPP

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

#include "support.hpp"

struct SocketName {
    sockaddr_un address;
    socklen_t len;
};

// Where the process with this address listens. A reference begins with its process's.
inline SocketName NameOf(const uint8_t *address)
{
    std::string name = "ipckit-";
    for (int place = 0; place < 16; ++place) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", address[place]);
        name += digits;
    }
    SocketName result = {};
    result.address.sun_family = AF_UNIX;
    memcpy(result.address.sun_path + 1, name.data(), name.size());
    result.len = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    return result;
}

inline int NewSocket(int flags = 0)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
}

inline int Listen(const uint8_t *address, int backlog)
{
    const SocketName name = NameOf(address);
    const int listener = NewSocket();
    CHECK_EQ(bind(listener, reinterpret_cast<const sockaddr *>(&name.address), name.len), 0);
    CHECK_EQ(listen(listener, backlog), 0);
    return listener;
}

// A connection, or -1 with errno.
inline int Connect(const uint8_t *address, int flags = 0)
{
    const SocketName name = NameOf(address);
    const int connection = NewSocket(flags);
    if (connect(connection, reinterpret_cast<const sockaddr *>(&name.address), name.len) != 0) {
        const int error = errno;
        close(connection);
        errno = error;
        return -1;
    }
    return connection;
}

// Whether the other end is closed.
inline bool IsHungUp(int connection)
{
    pollfd state = {connection, POLLIN, 0};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
}

#endif
