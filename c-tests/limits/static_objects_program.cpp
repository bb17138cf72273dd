// SPDX-License-Identifier: Apache-2.0
// A program that is linked against a library with static objects, and does nothing itself; see static_objects_library.cpp. It ends in
// the way that its argument names.
#include <cstdlib>
#include <cstring>
#include <thread>

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "exit") == 0) {
        exit(0);
    }
    if (count == 2 && strcmp(arguments[1], "exit on another thread") == 0) {
        std::thread([] { exit(0); }).join();
    }
    return 0;
}
