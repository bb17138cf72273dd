// SPDX-License-Identifier: Apache-2.0
// The binary interface of the public headers, as C++ sees it. Compiling this is the test.
#include <type_traits>

#define ASSERT(condition) static_assert(condition, #condition)
#define ASSERT_TYPE(expected, actual) static_assert(std::is_same<expected, actual>::value, #actual)
#define ASSERT_FUNCTION(result, name, parameters)                             \
    static_assert(std::is_same<decltype(&name), result(*) parameters>::value, \
        #name " is not of the type it has on a device");

#include "static_assertions.h"
