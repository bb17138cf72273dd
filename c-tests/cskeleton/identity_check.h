/* SPDX-License-Identifier: Apache-2.0 */
/* What the skeleton tests share. */
#ifndef IPCKIT_TESTS_IDENTITY_CHECK_H
#define IPCKIT_TESTS_IDENTITY_CHECK_H

#include <IPCKit/ipc_kit.h>

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* Memory for a text, as the functions that hand one out ask for it. */
static inline void *allocate_text(int32_t length)
{
    return malloc((size_t)length);
}

/* The answers where no request of another process is being handled, for a process without a token id. */
static inline void check_own_identity(void)
{
    CHECK_EQ(OH_IPCSkeleton_GetCallingPid(), getpid());
    CHECK_EQ(OH_IPCSkeleton_GetCallingUid(), geteuid());
    CHECK_EQ(OH_IPCSkeleton_GetCallingTokenId(), geteuid());
    CHECK_EQ(OH_IPCSkeleton_GetFirstTokenId(), geteuid());
    CHECK_EQ(OH_IPCSkeleton_GetSelfTokenId(), geteuid());
    CHECK_EQ(OH_IPCSkeleton_IsLocalCalling(), 1);
    CHECK_EQ(OH_IPCSkeleton_IsHandlingTransaction(), 0);
}

/* There is no caller whose identity could be taken off or put on. */
static inline void check_identity_calls_without_effect(void)
{
    char *identity = NULL;
    int32_t length = 0;
    CHECK_EQ(OH_IPCSkeleton_ResetCallingIdentity(&identity, &length, allocate_text), OH_IPC_SUCCESS);
    CHECK_TEXT(identity, "");
    CHECK_EQ(length, 1);
    free(identity);
    check_own_identity();
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity("<00000000000000000007000000000000000000081234"), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity("not an identity"), OH_IPC_SUCCESS);
    CHECK_EQ(OH_IPCSkeleton_SetCallingIdentity(""), OH_IPC_SUCCESS);
    check_own_identity();
}

#endif /* IPCKIT_TESTS_IDENTITY_CHECK_H */
