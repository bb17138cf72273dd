// SPDX-License-Identifier: Apache-2.0
// A module as others write them: a script calls it, and it starts itself as a child process to have a sum made there.
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <dlfcn.h>
#include <sys/stat.h>

#include <AbilityKit/native_child_process.h>
#include <IPCKit/ipc_kit.h>
#include <napi/native_api.h>

namespace {

constexpr uint32_t ADD = 1;
constexpr uint32_t END = 2;

// What the child answers.
struct Answer {
    int32_t code = -1;
    int32_t sum = 0;
    int32_t napiStatus = 0;
    int32_t caller = 0;
    int32_t sharedDescriptors = 0;
};

int64_t NumberOfFile(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 ? static_cast<int64_t>(status.st_ino) : -1;
}

Answer Ask(OHIPCRemoteProxy *child, int32_t a, int32_t b)
{
    Answer answer;
    OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    OHIPCParcel *data = OH_IPCParcel_Create();
    OHIPCParcel *reply = OH_IPCParcel_Create();
    OH_IPCParcel_WriteInt32(data, a);
    OH_IPCParcel_WriteInt32(data, b);
    answer.code = OH_IPCRemoteProxy_SendRequest(child, ADD, data, reply, &option);
    OH_IPCParcel_ReadInt32(reply, &answer.sum);
    OH_IPCParcel_ReadInt32(reply, &answer.napiStatus);
    OH_IPCParcel_ReadInt32(reply, &answer.caller);
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        int64_t file = -1;
        OH_IPCParcel_ReadInt64(reply, &file);
        answer.sharedDescriptors += file == NumberOfFile(descriptor) ? 1 : 0;
    }
    OH_IPCParcel_Destroy(reply);
    OH_IPCParcel_Destroy(data);
    data = OH_IPCParcel_Create();
    reply = OH_IPCParcel_Create();
    OH_IPCRemoteProxy_SendRequest(child, END, data, reply, &option);
    OH_IPCParcel_Destroy(reply);
    OH_IPCParcel_Destroy(data);
    OH_IPCRemoteProxy_Destroy(child);
    return answer;
}

// The sum that is under way, one at a time.
struct {
    int32_t a;
    int32_t b;
    Answer answer;
    void (*done)(const Answer &answer);
} g_sum;

void OnStarted(int code, OHIPCRemoteProxy *child)
{
    g_sum.answer = Answer();
    g_sum.answer.code = code;
    if (code == NCP_NO_ERROR) {
        g_sum.answer = Ask(child, g_sum.a, g_sum.b);
    }
    g_sum.done(g_sum.answer);
}

// ---- the face for scripts

napi_threadsafe_function g_callback;

napi_value Number(napi_env env, int32_t value)
{
    napi_value number = nullptr;
    napi_create_int32(env, value, &number);
    return number;
}

// On the script's thread.
void CallScript(napi_env env, napi_value callback, void *, void *)
{
    napi_value undefined = nullptr;
    napi_value arguments[5] = { Number(env, g_sum.answer.code), Number(env, g_sum.answer.sum),
        Number(env, g_sum.answer.napiStatus), Number(env, g_sum.answer.caller), Number(env, g_sum.answer.sharedDescriptors) };
    napi_get_undefined(env, &undefined);
    napi_call_function(env, undefined, callback, 5, arguments, nullptr);
}

// On a thread of the library.
void TellScript(const Answer &)
{
    napi_call_threadsafe_function(g_callback, nullptr, napi_tsfn_blocking);
    napi_release_threadsafe_function(g_callback, napi_tsfn_release);
}

// addInChild(library, a, b, callback): what the start returned; the callback gets what became of it.
napi_value AddInChild(napi_env env, napi_callback_info info)
{
    size_t count = 4;
    napi_value arguments[4];
    char library[64] = "";
    napi_value name = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    napi_get_value_string_utf8(env, arguments[0], library, sizeof(library), nullptr);
    napi_get_value_int32(env, arguments[1], &g_sum.a);
    napi_get_value_int32(env, arguments[2], &g_sum.b);
    napi_create_string_utf8(env, "addInChild", NAPI_AUTO_LENGTH, &name);
    napi_create_threadsafe_function(
        env, arguments[3], nullptr, name, 0, 1, nullptr, nullptr, nullptr, CallScript, &g_callback);
    g_sum.done = TellScript;
    return Number(env, OH_Ability_CreateNativeChildProcess(library, OnStarted));
}

// half(number): doubles travel in other registers than pointers.
napi_value Half(napi_env env, napi_callback_info info)
{
    size_t count = 1;
    napi_value argument = nullptr;
    double number = 0;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    napi_get_value_double(env, argument, &number);
    napi_create_double(env, number / 2, &argument);
    return argument;
}

// numberThroughHandle(): 42, made by a function that libace_napi.z.so itself was asked for.
napi_value NumberThroughHandle(napi_env env, napi_callback_info)
{
    napi_value number = nullptr;
    void *library = dlopen("libace_napi.z.so", RTLD_LAZY | RTLD_NOLOAD);
    auto createDouble = reinterpret_cast<decltype(&napi_create_double)>(dlsym(library, "napi_create_double"));
    if (createDouble != &napi_create_double) {
        createDouble(env, 42, &number);
    }
    return number;
}

// unknownToNode(): what a function returns that not every Node has, and whether this one has it.
napi_value UnknownToNode(napi_env env, napi_callback_info)
{
    constexpr char NAME[] = "node_api_create_buffer_from_arraybuffer";
    napi_value result = nullptr;
    napi_value known = nullptr;
    void *library = dlopen("libace_napi.z.so", RTLD_LAZY | RTLD_NOLOAD);
    auto function = reinterpret_cast<napi_status (*)(napi_env, napi_value, size_t, size_t, napi_value *)>(dlsym(library, NAME));
    napi_create_array(env, &result);
    napi_set_element(env, result, 0, Number(env, function(env, nullptr, 0, 0, nullptr)));
    napi_get_boolean(env, dlsym(dlopen(nullptr, RTLD_LAZY), NAME) != nullptr, &known);
    napi_set_element(env, result, 1, known);
    return result;
}

napi_value Init(napi_env env, napi_value exports)
{
    const napi_property_descriptor functions[] = {
        { "addInChild", nullptr, AddInChild, nullptr, nullptr, nullptr, napi_default, nullptr },
        { "half", nullptr, Half, nullptr, nullptr, nullptr, napi_default, nullptr },
        { "numberThroughHandle", nullptr, NumberThroughHandle, nullptr, nullptr, nullptr, napi_default, nullptr },
        { "unknownToNode", nullptr, UnknownToNode, nullptr, nullptr, nullptr, napi_default, nullptr },
    };
    napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
    return exports;
}

napi_module g_module = { 1, 0, nullptr, Init, "entry", nullptr, { nullptr } };

__attribute__((constructor)) void RegisterModule()
{
    napi_module_register(&g_module);
}

// ---- the face for its own child process

std::mutex g_mutex;
std::condition_variable g_changed;
bool g_ended;

int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *)
{
    if (code == END) {
        std::lock_guard<std::mutex> lock(g_mutex);
        g_ended = true;
        g_changed.notify_all();
        return OH_IPC_SUCCESS;
    }
    int32_t a = 0;
    int32_t b = 0;
    napi_value undefined = nullptr;
    OH_IPCParcel_ReadInt32(data, &a);
    OH_IPCParcel_ReadInt32(data, &b);
    OH_IPCParcel_WriteInt32(reply, a + b);
    OH_IPCParcel_WriteInt32(reply, napi_get_undefined(nullptr, &undefined));
    OH_IPCParcel_WriteInt32(reply, OH_IPCSkeleton_GetCallingPid());
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        OH_IPCParcel_WriteInt64(reply, NumberOfFile(descriptor));
    }
    return OH_IPC_SUCCESS;
}

// ---- the face for programs

std::mutex g_answerMutex;
std::condition_variable g_answerChanged;
bool g_answered;

void TellProgram(const Answer &)
{
    std::lock_guard<std::mutex> lock(g_answerMutex);
    g_answered = true;
    g_answerChanged.notify_all();
}

} // namespace

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    return OH_IPCRemoteStub_Create("sum", OnRequest, nullptr, nullptr);
}

extern "C" void NativeChildProcess_MainProc()
{
    std::unique_lock<std::mutex> lock(g_mutex);
    g_changed.wait(lock, [] { return g_ended; });
}

// The sum that a child process makes, where its Node-API says that there is no Node; a negative number where anything fails.
extern "C" int32_t SumOfChild(const char *library, int32_t a, int32_t b)
{
    g_sum = { a, b, Answer(), TellProgram };
    if (OH_Ability_CreateNativeChildProcess(library, OnStarted) != NCP_NO_ERROR) {
        return -1;
    }
    std::unique_lock<std::mutex> lock(g_answerMutex);
    g_answerChanged.wait(lock, [] { return g_answered; });
    if (g_sum.answer.code != OH_IPC_SUCCESS) {
        return -2;
    }
    return g_sum.answer.napiStatus == napi_generic_failure ? g_sum.answer.sum : -3;
}
