// SPDX-License-Identifier: Apache-2.0
// What the client and the adder agree on.
#ifndef ASYNC_ADD_ADDER_H
#define ASYNC_ADD_ADDER_H

#include <cstdint>

constexpr char ADDER_LIBRARY[] = "libadder.so";
constexpr char ADDER_TOKEN[] = "sample.adder";
constexpr char SUM_TOKEN[] = "sample.adder.sum";

// Requests to the adder, each of which begins with ADDER_TOKEN.
enum AdderCode : uint32_t {
    ADDER_ADD = 1, // async: two int32, then a stub for the sum
    ADDER_EXIT,    // sync: the child process ends after its reply
};

// The request to the stub for the sum.
enum SumCode : uint32_t {
    SUM_IS = 1, // SUM_TOKEN, then the sum as int64
};

#endif
