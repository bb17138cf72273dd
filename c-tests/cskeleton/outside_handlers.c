/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of ipc_cskeleton.h but JoinWorkThread on threads that handle nothing, NULL arguments among them. */
#include "identity_check.h"

#include <pthread.h>

static int allocations;
static int32_t allocated;

static void *count_allocation(int32_t length)
{
    allocations++;
    return malloc((size_t)length);
}

static void *refuse(int32_t length)
{
    allocated = length;
    return NULL;
}

static void null_arguments(void)
{
    char *identity = NULL;
    int32_t length = -77;
    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(NULL, &length, count_allocation), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, NULL, count_allocation), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity(NULL), OH_IPC_CHECK_PARAM_ERROR);
    CHECK(identity == NULL);
    CHECK_EQ(length, -77);
    CHECK_EQ(allocations, 0);

    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, refuse), OH_IPC_MEM_ALLOCATOR_ERROR);
    CHECK_EQ(allocated, 1);
}

static void numbers_of_workers(void)
{
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(0), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(-1), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(33), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(INT32_MAX), OH_IPC_CHECK_PARAM_ERROR);
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(INT32_MIN), OH_IPC_CHECK_PARAM_ERROR);
    for (int number = 32; number >= 1; number--) {
        CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(number), OH_IPC_SUCCESS);
    }
    CHECK_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(16), OH_IPC_SUCCESS);
}

static void *on_another_thread(void *argument)
{
    (void)argument;
    check_own_identity();
    check_identity_calls_without_effect();
    /* Remembered for this thread, which never joins. */
    OH_IPCSkeleton_StopWorkThread();
    check_own_identity();
    return NULL;
}

int main(void)
{
    pthread_t thread;
    check_own_identity();
    null_arguments();
    check_identity_calls_without_effect();
    numbers_of_workers();
    CHECK_EQ(pthread_create(&thread, NULL, on_another_thread, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    OH_IPCSkeleton_StopWorkThread();
    OH_IPCSkeleton_StopWorkThread();
    check_own_identity();
    return check_result();
}
