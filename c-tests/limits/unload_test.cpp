// SPDX-License-Identifier: Apache-2.0
// The libraries are loaded, used, unloaded while nobody uses them, and loaded again. They stay as long as the process lives: their threads
// run their code. This program is not linked against any of them.
#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " << #condition << " does not hold\n"; \
            std::exit(1); \
        } \
    } while (false)

namespace {

template <typename Function> Function *Find(void *library, const char *name)
{
    auto *const found = reinterpret_cast<Function *>(dlsym(library, name));
    CHECK(found != nullptr);
    return found;
}

#define FIND(library, name) Find<decltype(name)>(library, #name)

int OnEcho(uint32_t, const OHIPCParcel *data, OHIPCParcel *reply, void *library)
{
    int32_t value = 0;
    const int result = FIND(library, OH_IPCParcel_ReadInt32)(data, &value);
    return result == OH_IPC_SUCCESS ? FIND(library, OH_IPCParcel_WriteInt32)(reply, value + 1) : result;
}

// A stub that is called, and all threads of the runtime.
void UseIpc(void *library)
{
    CHECK(FIND(library, OH_IPCSkeleton_SetMaxWorkThreadNum)(4) == OH_IPC_SUCCESS);
    OHIPCRemoteStub *stub = FIND(library, OH_IPCRemoteStub_Create)("unloaded", OnEcho, nullptr, library);
    OHIPCParcel *data = FIND(library, OH_IPCParcel_Create)();
    OHIPCParcel *reply = FIND(library, OH_IPCParcel_Create)();
    CHECK(stub != nullptr && data != nullptr && reply != nullptr);
    CHECK(FIND(library, OH_IPCParcel_WriteInt32)(data, 1) == OH_IPC_SUCCESS);
    auto *const proxy = reinterpret_cast<OHIPCRemoteProxy *>(stub);
    CHECK(FIND(library, OH_IPCRemoteProxy_SendRequest)(proxy, 1, data, reply, nullptr) == OH_IPC_SUCCESS);
    int32_t value = 0;
    CHECK(FIND(library, OH_IPCParcel_ReadInt32)(reply, &value) == OH_IPC_SUCCESS && value == 2);
    FIND(library, OH_IPCParcel_Destroy)(data);
    FIND(library, OH_IPCParcel_Destroy)(reply);
    FIND(library, OH_IPCRemoteStub_Destroy)(stub);
}

void IgnoreOutcome(int, OHIPCRemoteProxy *) {}

void UseChildren(void *library)
{
    const auto create = FIND(library, OH_Ability_CreateNativeChildProcess);
    CHECK(create("libnowhere.so", IgnoreOutcome) == NCP_NO_ERROR);
}

void UseLog(void *library)
{
    using Print = int(int type, int level, unsigned domain, const char *tag, const char *format, ...);
    CHECK(Find<Print>(library, "OH_LOG_Print")(0, 4, 1, "unloaded", "%{public}d", 1) > 0);
}

void LoadUseUnload(const std::string &path, void (*use)(void *))
{
    for (int round = 0; round < 5; round++) {
        void *const library = dlopen(path.c_str(), RTLD_NOW);
        if (library == nullptr) {
            std::cerr << dlerror() << '\n';
            std::exit(1);
        }
        use(library);
        CHECK(dlclose(library) == 0);
        // Whoever calls it by an address that it has kept finds it where it was.
        CHECK(dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD) == library);
        CHECK(dlclose(library) == 0);
    }
}

} // namespace

int main()
{
    const std::filesystem::path libraries =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / LIBRARIES_FROM_HERE;
    LoadUseUnload(std::filesystem::canonical(libraries / "libhilog_ndk.z.so"), UseLog);
    LoadUseUnload(std::filesystem::canonical(libraries / "libipc_capi.so"), UseIpc);
    LoadUseUnload(std::filesystem::canonical(libraries / "libchild_process.so"), UseChildren);
    return 0;
}
