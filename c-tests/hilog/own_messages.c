/* SPDX-License-Identifier: Apache-2.0 */
/* own_messages LIBRARY LIBRARY: loads libhilog_ndk.z.so and libchild_process.so, in the order of the arguments, as a
 * program does that links neither. The messages of the latter have to come to the callback of the former. */
#include <AbilityKit/native_child_process.h>
#include <hilog/log.h>

#include <dlfcn.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static sem_t received;

static void on_message(const LogType type, const LogLevel level, const unsigned int domain, const char *tag, const char *msg)
{
    (void)type;
    if (level == LOG_ERROR && domain == 0xd001510 && strcmp(tag, "IPCKit") == 0 && strstr(msg, "libnowhere.so") != NULL) {
        sem_post(&received);
    }
}

static void on_started(int code, OHIPCRemoteProxy *proxy)
{
    (void)code;
    (void)proxy;
}

/* POSIX has function pointers and object pointers convert into each other; ISO C does not. */
static void find(void *function, void *first, void *second, const char *name)
{
    void *symbol = dlsym(first, name);
    symbol = symbol != NULL ? symbol : dlsym(second, name);
    if (symbol == NULL) {
        printf("%s is in neither library\n", name);
    }
    memcpy(function, &symbol, sizeof(symbol));
}

int main(int argc, char **argv)
{
    void *libraries[2] = { NULL, NULL };
    for (int argument = 1; argument < argc && argument < 3; argument++) {
        libraries[argument - 1] = dlopen(argv[argument], RTLD_NOW | RTLD_LOCAL);
    }
    if (libraries[0] == NULL || libraries[1] == NULL) {
        printf("usage: own_messages LIBRARY LIBRARY; %s\n", dlerror());
        return 2;
    }
    void (*set_callback)(LogCallback) = NULL;
    int (*create)(const char *, OH_Ability_OnNativeChildProcessStarted) = NULL;
    find(&set_callback, libraries[0], libraries[1], "OH_LOG_SetCallback");
    find(&create, libraries[0], libraries[1], "OH_Ability_CreateNativeChildProcess");
    if (set_callback == NULL || create == NULL || sem_init(&received, 0, 0) != 0) {
        return 2;
    }
    set_callback(on_message);
    int result = create("libnowhere.so", on_started);
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    if (sem_timedwait(&received, &deadline) != 0) {
        printf("no message about libnowhere.so came to the callback (create returned %d)\n", result);
        return 1;
    }
    return 0;
}
