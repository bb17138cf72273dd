/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that is to end (pthread_cancel) does so after it has logged, and not while it does. */
#include <hilog/log.h>

#include <pthread.h>
#include <stdio.h>

static int g_came_back;

static void Callback(const LogType type, const LogLevel level, const unsigned int domain, const char *tag, const char *msg)
{
    (void)type;
    (void)level;
    (void)domain;
    (void)tag;
    (void)msg;
    pthread_testcancel();
}

static void *Log(void *unused)
{
    (void)unused;
    pthread_cancel(pthread_self());
    OH_LOG_Print(LOG_APP, LOG_ERROR, 0x1, "test", "%{public}d of three lines", 1);
    OH_LOG_PrintMsg(LOG_APP, LOG_ERROR, 0x1, "test", "the second");
    /* One of the library's own. */
    OH_LOG_SetLogLevel((LogLevel)99, PREFER_OPEN_LOG);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    g_came_back = 1;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    return NULL;
}

int main(void)
{
    OH_LOG_SetCallback(Callback);
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, Log, NULL) != 0 || pthread_join(thread, &result) != 0) {
        return 2;
    }
    if (!g_came_back || result != PTHREAD_CANCELED) {
        printf("the thread %s\n", g_came_back ? "did not end" : "ended within a call");
        return 1;
    }
    return 0;
}
