// SPDX-License-Identifier: Apache-2.0
#include "harness/board.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace conformance {
namespace {

[[noreturn]] void GiveUp(const char *what)
{
    std::fprintf(stderr, "conformance: %s: %s\n", what, std::strerror(errno));
    std::abort();
}

void Futex(std::atomic<uint32_t> &word, int operation, uint32_t value)
{
    syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), operation, value, nullptr, nullptr, 0);
}

Board &MapBoard()
{
    const char *path = std::getenv(BOARD_VARIABLE);
    int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        GiveUp("a test runs without its board; start the program without --inside");
    }
    void *address = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) {
        GiveUp("cannot map the board");
    }
    close(fd);
    return *static_cast<Board *>(address);
}

uint64_t Hash(const std::string &name)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char byte : name) {
        hash = (hash ^ byte) * 0x100000001b3;
    }
    return hash == 0 ? 1 : hash;
}

void SetOver(Board::Slot &slot)
{
    slot.value.fetch_or(Board::OVER);
    Futex(slot.value, FUTEX_WAKE, INT_MAX);
}

} // namespace

Board &SharedBoard()
{
    static Board &board = MapBoard();
    return board;
}

Counter::Counter(const std::string &name)
{
    Board &board = SharedBoard();
    uint64_t hash = Hash(name);
    for (size_t probe = 0; probe < Board::SLOTS; probe++) {
        Board::Slot &slot = board.slots[(hash + probe) % Board::SLOTS];
        uint64_t owner = 0;
        if (slot.nameHash.compare_exchange_strong(owner, hash)) {
            std::snprintf(slot.name, sizeof(slot.name), "%s", name.c_str());
            if (board.over.load() != 0) {
                SetOver(slot);
            }
            owner = hash;
        }
        if (owner == hash) {
            value_ = &slot.value;
            return;
        }
    }
    errno = ENOSPC;
    GiveUp("no room for another counter");
}

uint32_t Counter::Value() const
{
    return value_->load() & ~Board::OVER;
}

uint32_t Counter::Add(uint32_t number)
{
    uint32_t value = value_->fetch_add(number) + number;
    Futex(*value_, FUTEX_WAKE, INT_MAX);
    return value & ~Board::OVER;
}

void Counter::AwaitAtLeast(uint32_t number) const
{
    for (;;) {
        uint32_t value = value_->load();
        if ((value & Board::OVER) != 0 || value >= number) {
            return;
        }
        Futex(*value_, FUTEX_WAIT, value);
    }
}

void EndAllWaits()
{
    Board &board = SharedBoard();
    board.over.store(1);
    for (Board::Slot &slot : board.slots) {
        if (slot.nameHash.load() != 0) {
            SetOver(slot);
        }
    }
}

std::string OutputSoFar()
{
    std::fflush(stdout);
    std::string text;
    const char *path = std::getenv(OUTPUT_VARIABLE);
    int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        GiveUp("cannot read the test's output");
    }
    char piece[4096];
    for (ssize_t length; (length = read(fd, piece, sizeof(piece))) > 0;) {
        text.append(piece, static_cast<size_t>(length));
    }
    close(fd);
    return text;
}

size_t CountInOutput(const std::string &text)
{
    std::string output = OutputSoFar();
    size_t count = 0;
    for (size_t at = 0; (at = output.find(text, at)) != std::string::npos; at += text.size()) {
        count++;
    }
    return count;
}

} // namespace conformance
