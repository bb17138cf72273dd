/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is none for a child process. */
int g_nothingToCall = 0;
