/* SPDX-License-Identifier: Apache-2.0 */
/* What libchild_process.so is linked against in place of libipc_capi.so: names only, never loaded. */
void ipckit_reference_export(void) {}
void ipckit_reference_import(void) {}
void ipckit_run_on_worker(void) {}
void ipckit_on_library_thread(void) {}
void ipckit_wait_idle(void) {}
void ipckit_set_socket_maker(void) {}
