// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

extern "C" int32_t AskEachLibrary(double square);

int main()
{
    return AskEachLibrary(1764.0) == 42 ? 0 : 1;
}
