// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_set>

#include "harness.h"

namespace conformance {

std::vector<Test> &Tests()
{
    static auto *tests = new std::vector<Test>;
    return *tests;
}

bool RegisterTest(const char *file, const char *name, const char *note, void (*body)())
{
    const char *slash = std::strrchr(file, '/');
    std::string stem = slash == nullptr ? file : slash + 1;
    std::string whole = stem.substr(0, stem.rfind('.')) + "." + name;
    static auto *names = new std::unordered_set<std::string>;
    if (!names->insert(whole).second) {
        std::fprintf(stderr, "conformance: two tests are called %s\n", whole.c_str());
        std::abort();
    }
    Tests().push_back({ whole, note, body });
    return true;
}

bool DeviceMode()
{
    const char *behaviour = std::getenv("IPCKIT_BEHAVIOUR");
    return behaviour != nullptr && std::strcmp(behaviour, "device") == 0;
}

} // namespace conformance
