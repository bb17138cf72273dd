// SPDX-License-Identifier: Apache-2.0
// ipc_cskeleton.h as C++ programs use it: one identity for all of their threads, and texts in memory of their own kind.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "identity_check.h"

namespace {

void on_every_thread()
{
    std::vector<std::thread> threads;
    for (int number = 1; number <= 4; number++) {
        threads.emplace_back([number] {
            for (int i = 0; i < 100; i++) {
                check_own_identity();
                CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(number * 8), OH_IPC_SUCCESS);
                check_identity_calls_without_effect();
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

// The text lies where the allocator says, and is freed in the way that fits it.
void identity_in_memory_of_new()
{
    char *text = nullptr;
    int32_t length = 0;
    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(&text, &length,
                 [](int32_t size) -> void * { return new char[static_cast<std::size_t>(size)]; }),
        OH_IPC_SUCCESS);
    std::unique_ptr<char[]> identity(text);
    CHECK(identity != nullptr && std::string(identity.get()).size() + 1 == static_cast<std::size_t>(length));
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity(identity.get()), OH_IPC_SUCCESS);
    check_own_identity();
}

} // namespace

int main()
{
    on_every_thread();
    identity_in_memory_of_new();
    return check_result();
}
