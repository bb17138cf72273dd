/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ipc_kit.h
 * Everything that libipc_capi.so offers, in one include.
 *
 * @since 12
 */
#ifndef IPCKIT_IPC_KIT_H
#define IPCKIT_IPC_KIT_H

#include "ipc_cparcel.h"
#include "ipc_cremote_object.h"
#include "ipc_cskeleton.h"
#include "ipc_error_code.h"

#endif /* IPCKIT_IPC_KIT_H */
