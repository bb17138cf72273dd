// SPDX-License-Identifier: Apache-2.0
// without_node MODULE NAME: what a module finds of Node-API in a program that is not Node.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <napi/native_api.h>

#include "check.h"
#include "function_names.h"

namespace {

std::string g_log;

// How often the log says it.
int Said(const std::string &text)
{
    std::ifstream file(g_log);
    const std::string log((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    int count = 0;
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
        ++count;
    }
    return count;
}

bool HasItsOwnAnswer(const std::string &name)
{
    return name == "napi_module_register" || name == "napi_fatal_error" || name == "napi_get_last_error_info";
}

// They return before they look at an argument.
void AllOthersFail(void *library)
{
    for (const char *name : FUNCTION_NAMES) {
        const auto function = reinterpret_cast<napi_status (*)(double, napi_env, void *)>(dlsym(library, name));
        CHECK(function != nullptr);
        if (function != nullptr && !HasItsOwnAnswer(name)) {
            CHECK_EQ(function(1.5, nullptr, nullptr), napi_generic_failure);
        }
    }
}

void TheLastErrorCanBeRead(void *library)
{
    const auto lastError = reinterpret_cast<decltype(&napi_get_last_error_info)>(dlsym(library, "napi_get_last_error_info"));
    const napi_extended_error_info *info = nullptr;
    CHECK_EQ(lastError(nullptr, &info), napi_ok);
    CHECK_EQ(info->error_code, napi_generic_failure);
    CHECK_EQ(info->engine_error_code, 0);
    CHECK(info->engine_reserved == nullptr);
    CHECK_TEXT(info->error_message, "there is no Node.js in this process");
    CHECK_EQ(lastError(nullptr, nullptr), napi_invalid_arg);
}

// The texts are not terminated.
void AFatalErrorEndsTheProcess(void *library)
{
    const auto fatalError =
        reinterpret_cast<void (*)(const char *, size_t, const char *, size_t)>(dlsym(library, "napi_fatal_error"));
    const pid_t process = fork();
    if (process == 0) {
        const struct rlimit noCore = { 0, 0 };
        setrlimit(RLIMIT_CORE, &noCore);
        fatalError("here-and-no-further", 4, "everything", NAPI_AUTO_LENGTH);
        _exit(0);
    }
    int status = 0;
    CHECK_EQ(waitpid(process, &status, 0), process);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_EQ(Said("napi_fatal_error: the module ends the process, at here: everything"), 1);
}

} // namespace

int main(int, char **argv)
{
    char name[] = "/tmp/ipckit-ace-napi-XXXXXX";
    close(mkstemp(name));
    g_log = name;
    // Read when the log is first needed.
    setenv("IPCKIT_LOG_FILE", name, 1);

    void *module = dlopen(argv[1], RTLD_NOW);
    if (!CHECK(module != nullptr)) {
        fprintf(stderr, "%s\n", dlerror());
        unlink(name);
        return check_result();
    }
    CHECK(dlerror() == nullptr);
    CHECK_EQ(Said("napi_module_register: nobody will call what is registered"), 1);
    CHECK_EQ(Said("napi_generic_failure"), 0);

    void *library = dlopen("libace_napi.z.so", RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != nullptr);
    AllOthersFail(library);
    CHECK_EQ(Said("napi_generic_failure"), 1);
    CHECK_EQ(Said("this process is not Node.js"), 2);
    TheLastErrorCanBeRead(library);
    AFatalErrorEndsTheProcess(library);

    const auto sumOfChild =
        reinterpret_cast<int32_t (*)(const char *, int32_t, int32_t)>(dlsym(module, "SumOfChild"));
    CHECK_EQ(sumOfChild(argv[2], 20, 22), 42);
    unlink(name);
    return check_result();
}
