// SPDX-License-Identifier: Apache-2.0
// conformance [--repeat N] [TEST | FILE]...: runs these tests, or all. FILE is the name of a test's file without .cpp.
// With CONFORMANCE_UNDER="valgrind ..." each test's process and its actors run under that command.
// conformance --list: the tests' names. conformance --notes: with what has to break for each to fail.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "harness/runner.h"

using namespace conformance;

namespace {

// Not one of the suite's tests: it fails on purpose, and runs only where it is asked for by name.
bool IsOnPurpose(const Test &test)
{
    return test.name.rfind("sanitizer_faults.", 0) == 0;
}

int List(bool notes)
{
    for (const Test &test : Tests()) {
        if (IsOnPurpose(test)) {
            continue;
        }
        std::printf(notes ? "%s: %s\n" : "%s\n", test.name.c_str(), test.note.c_str());
    }
    return 0;
}

bool IsMeant(const Test &test, const char *argument)
{
    return test.name == argument || test.name.compare(0, std::strlen(argument) + 1, std::string(argument) + ".") == 0;
}

int Run(const std::vector<const Test *> &tests, int rounds)
{
    std::map<std::string, int> failed;
    size_t failures = 0;
    for (int round = 0; round < rounds; round++) {
        for (const Test *test : tests) {
            if (!RunTest(*test)) {
                failed[test->name]++;
                failures++;
            }
        }
    }
    std::printf("%zu tests, %zu failed\n", tests.size() * static_cast<size_t>(rounds), failures);
    for (const auto &[name, times] : failed) {
        std::printf("failed: %s, %d of %d times\n", name.c_str(), times, rounds);
    }
    return failed.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<Test> &all = Tests();
    std::sort(all.begin(), all.end(), [](const Test &a, const Test &b) { return a.name < b.name; });
    if (argc == 2 && (std::strcmp(argv[1], "--list") == 0 || std::strcmp(argv[1], "--notes") == 0)) {
        return List(std::strcmp(argv[1], "--notes") == 0);
    }
    if (argc == 3 && std::strcmp(argv[1], "--inside") == 0) {
        auto found = std::find_if(all.begin(), all.end(), [&](const Test &test) { return test.name == argv[2]; });
        return found == all.end() ? 2 : RunInside(*found);
    }
    int first = 1;
    int rounds = 1;
    if (argc > 2 && std::strcmp(argv[1], "--repeat") == 0) {
        rounds = std::max(1, std::atoi(argv[2]));
        first = 3;
    }
    std::vector<const Test *> chosen;
    for (int index = first; index < argc; index++) {
        size_t before = chosen.size();
        for (const Test &test : all) {
            if (IsMeant(test, argv[index])) {
                chosen.push_back(&test);
            }
        }
        if (chosen.size() == before) {
            std::fprintf(stderr, "conformance: no test and no file of tests is called %s; see --list\n", argv[index]);
            return 2;
        }
    }
    if (first == argc) {
        for (const Test &test : all) {
            if (!IsOnPurpose(test)) {
                chosen.push_back(&test);
            }
        }
    }
    return Run(chosen, rounds);
}
