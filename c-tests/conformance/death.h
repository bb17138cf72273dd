// SPDX-License-Identifier: Apache-2.0
// What several of the tests of death need.
#ifndef CONFORMANCE_DEATH_H
#define CONFORMANCE_DEATH_H

#include "lifetimes.h"

namespace conformance {

// What a request to a dead object gives once the caller's process has been told of the death.
inline int AfterNotice()
{
    return DeviceMode() ? OH_IPC_INNER_ERROR : OH_IPC_DEAD_REMOTE_OBJECT;
}

// Expects that the object is known to be dead, and of whose death a recipient was told.
inline void ExpectToldDead(const OHIPCRemoteProxy *proxy)
{
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 1);
    EXPECT_EQ(Ask(proxy, "pid").result, AfterNotice());
    EXPECT_EQ(Tell(proxy, "pid"), AfterNotice());
    EXPECT_EQ(Ask(proxy, "pid").result, AfterNotice());
}

inline void ExpectToldDead(const ProxyPtr &proxy)
{
    ExpectToldDead(proxy.get());
}

// Whether the calling thread is one that the library has made to do work.
inline bool OnWorker()
{
    return CurrentThreadName().compare(0, 7, "OS_IPC_") == 0;
}

} // namespace conformance

#endif
