/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int AskEachLibrary(void);
int TextsAreRight(void);
int OwnFunctionIsUsed(void);

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#if defined(EXPECT_OHOS_ENABLE_ASAN) != defined(SANITIZED)
#error "OHOS_ENABLE_ASAN and the compiler do not agree"
#endif
#if defined(EXPECT_IPCKIT_DEFINE_OHOS) != defined(__OHOS__)
#error "IPCKIT_DEFINE_OHOS and __OHOS__ do not agree"
#endif

int main(void)
{
    int answers = AskEachLibrary();
    int texts = TextsAreRight();
    int own = OwnFunctionIsUsed();
    printf("%d of 4 libraries answer; texts: %d, own function: %d\n", answers, texts, own);
    return answers == 4 && texts && own ? 0 : 1;
}
