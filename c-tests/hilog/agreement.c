/* SPDX-License-Identifier: Apache-2.0 */
/* The public header and what the Rust sources have, in one unit: it only compiles when they agree. */
#include <hilog/log.h>

#include "generated/hilog_functions.h"
