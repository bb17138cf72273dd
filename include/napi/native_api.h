// SPDX-License-Identifier: Apache-2.0
/**
 * @file native_api.h
 * @brief Node-API under the name that OpenHarmony's modules include it by.
 *
 * The functions are those of Node.js, and so are their declarations: host.toolchain.cmake and the CMake target
 * IPCKit::ace_napi find Node's headers. libace_napi.z.so has the functions: in a process of Node.js they are Node's own;
 * in any other process they return napi_generic_failure, except that napi_module_register does nothing,
 * napi_get_last_error_info says that there is no Node.js, and napi_fatal_error ends the process.
 */
#ifndef IPCKIT_NAPI_NATIVE_API_H
#define IPCKIT_NAPI_NATIVE_API_H

#if defined(__has_include)
#if !__has_include(<node_api.h>)
#error "node_api.h was not found. Install Node.js with its headers or, in the project, `npm install node-api-headers`; or set the CMake variable IPCKIT_NODE_API_INCLUDE_DIR to the directory of node_api.h. Then configure anew."
#endif
#endif
#include <node_api.h>

#endif
