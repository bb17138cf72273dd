// SPDX-License-Identifier: Apache-2.0
// What the painter and its filter agree on, and the memory that both map.
#ifndef SHARED_FRAMES_FRAMES_H
#define SHARED_FRAMES_FRAMES_H

#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/mman.h>

constexpr char FILTER_LIBRARY[] = "libfilter.so";
constexpr char FILTER_TOKEN[] = "sample.filter";

constexpr uint32_t FRAME_COUNT = 2;
constexpr size_t FRAME_SIZE = 640 * 480;
constexpr size_t MEMORY_SIZE = FRAME_COUNT * FRAME_SIZE;

// Sync requests, each of which begins with FILTER_TOKEN.
enum FilterCode : uint32_t {
    FILTER_MAP = 1, // a descriptor of MEMORY_SIZE bytes that is sealed against shrinking
    FILTER_INVERT,  // the index of a frame as int32: the filter's until the reply, the painter's from then on
};

// All frames, mapped from a file in memory.
class Frames {
public:
    Frames() = default;
    explicit Frames(int descriptor)
        : memory_(mmap(nullptr, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0))
    {
    }
    Frames(const Frames &) = delete;
    Frames &operator=(Frames &&other) noexcept
    {
        std::swap(memory_, other.memory_);
        return *this;
    }
    ~Frames()
    {
        if (AreMapped()) {
            munmap(memory_, MEMORY_SIZE);
        }
    }

    bool AreMapped() const { return memory_ != MAP_FAILED; }
    uint8_t *Frame(uint32_t index) const { return static_cast<uint8_t *>(memory_) + index * FRAME_SIZE; }

private:
    void *memory_ = MAP_FAILED;
};

#endif
