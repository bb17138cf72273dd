/* SPDX-License-Identifier: Apache-2.0 */
/* A program ends although one of its threads has joined the workers and nobody has stopped it. */
#include "identity_check.h"

#include <pthread.h>
#include <semaphore.h>

static sem_t joining;

static void *join_workers(void *argument)
{
    (void)argument;
    check_own_identity();
    sem_post(&joining);
    OH_IPCSkeleton_JoinWorkThread();
    return NULL;
}

int main(void)
{
    pthread_t thread;
    CHECK_EQ(sem_init(&joining, 0, 0), 0);
    CHECK_EQ(pthread_create(&thread, NULL, join_workers, NULL), 0);
    CHECK_EQ(pthread_detach(thread), 0);
    while (sem_wait(&joining) != 0) {
    }
    /* The other threads go on as before. */
    check_own_identity();
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(1), OH_IPC_SUCCESS);
    return check_result();
}
