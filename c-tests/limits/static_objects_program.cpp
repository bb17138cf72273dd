// SPDX-License-Identifier: Apache-2.0
// A program with a library that has static objects, see static_objects_library.cpp and static_children_library.cpp. It is linked against the library, or loads the one
// that its second argument names, and does nothing else. It ends in the way that its first argument names.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

int main(int count, char **arguments)
{
    if (count > 2 && dlopen(arguments[2], RTLD_NOW) == nullptr) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    if (count > 1 && strcmp(arguments[1], "exit") == 0) {
        exit(0);
    }
    if (count > 1 && strcmp(arguments[1], "exit on another thread") == 0) {
        std::thread([] { exit(0); }).join();
    }
    return 0;
}
