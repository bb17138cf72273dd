/* SPDX-License-Identifier: Apache-2.0
 * On a device this header, which is the C library's own affair, defines the types that other headers ask it for. Editors
 * put it into programs. Here it stands for the public headers that define these types. */
#ifndef IPCKIT_DEVICE_BITS_ALLTYPES_H
#define IPCKIT_DEVICE_BITS_ALLTYPES_H

#include <locale.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#endif
