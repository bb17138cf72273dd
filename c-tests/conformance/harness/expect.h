// SPDX-License-Identifier: Apache-2.0
// Checks, for every thread of every process of a test. EXPECT… records a failure and goes on; REQUIRE… ends the test
// and is for the body of a test alone.
#ifndef CONFORMANCE_HARNESS_EXPECT_H
#define CONFORMANCE_HARNESS_EXPECT_H

#include <cstddef>
#include <sstream>
#include <string>
#include <type_traits>

namespace conformance {

// Ends a test's body.
struct TestEnded {};

// Yields `holds`.
bool RecordCheck(bool holds, const char *file, int line, const std::string &message);
// With the error's name, where the number is one of the interface.
std::string ShowNumber(long long number);

template <typename T>
std::string Show(const T &value)
{
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_integral_v<T>) {
        return ShowNumber(static_cast<long long>(value));
    } else if constexpr (std::is_enum_v<T>) {
        return ShowNumber(static_cast<long long>(value));
    } else if constexpr (std::is_pointer_v<T> && !std::is_same_v<T, const char *>) {
        return value == nullptr ? "NULL" : "a pointer";
    } else {
        std::ostringstream text;
        text << '"' << value << '"';
        return text.str();
    }
}

template <typename A, typename B>
bool Equal(const A &a, const B &b)
{
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
        return static_cast<long long>(a) == static_cast<long long>(b);
    } else {
        return a == b;
    }
}

template <typename A, typename B>
bool CheckEqual(const char *file, int line, const char *text, const A &actual, const B &expected)
{
    bool holds = Equal(actual, expected);
    return RecordCheck(holds, file, line,
        holds ? std::string() : std::string(text) + " is " + Show(actual) + ", not " + Show(expected));
}

// Is said with each failure of this thread while it lives.
class Context {
public:
    template <typename... Parts>
    explicit Context(const Parts &...parts)
    {
        std::ostringstream text;
        (text << ... << parts);
        Push(text.str());
    }
    ~Context();
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

private:
    static void Push(const std::string &text);
};

} // namespace conformance

// Each yields whether it holds.
#define EXPECT(condition) \
    ::conformance::RecordCheck((condition) ? true : false, __FILE__, __LINE__, "not so: " #condition)
#define EXPECT_EQ(actual, expected) ::conformance::CheckEqual(__FILE__, __LINE__, #actual, (actual), (expected))

#define REQUIRE(condition) \
    do { \
        if (!EXPECT(condition)) { \
            throw ::conformance::TestEnded(); \
        } \
    } while (false)
#define REQUIRE_EQ(actual, expected) \
    do { \
        if (!EXPECT_EQ(actual, expected)) { \
            throw ::conformance::TestEnded(); \
        } \
    } while (false)

#endif
