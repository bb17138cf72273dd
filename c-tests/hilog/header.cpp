// SPDX-License-Identifier: Apache-2.0
// The same in C++, whose types are stricter.
#include "header.c"
