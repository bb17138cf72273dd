// SPDX-License-Identifier: Apache-2.0
// What several of the tests of objects need.
#ifndef CONFORMANCE_LIFETIMES_H
#define CONFORMANCE_LIFETIMES_H

#include <string>

#include "harness.h"

namespace conformance {

inline Counter Destroyed(const std::string &stub)
{
    return Counter("destroyed " + stub);
}

// Expects that destroyCallback of the stub comes, once.
inline void ExpectDestroyed(const std::string &stub)
{
    Context context("stub ", stub);
    Destroyed(stub).AwaitAtLeast(1);
    EXPECT_EQ(Destroyed(stub).Value(), 1u);
}

// A proxy, or wrapper, of a stub of this process.
inline ProxyPtr WrapperOf(const OHIPCRemoteStub *stub)
{
    Parcel parcel;
    parcel.Stub(stub);
    return parcel.Read().Proxy();
}

// Returns when this process knows of every reference to its stubs that the actor has let go so far.
inline void AwaitReleasesOf(const Actor &actor)
{
    static int fence = 0;
    std::string name = "fence " + std::to_string(fence++);
    StubPtr stub = CreateStub(name);
    actor.Introduce(name, stub.get());
    stub.reset();
    EXPECT_EQ(actor.Ask("drop_proxy", Parcel().Text(name)).result, OH_IPC_SUCCESS);
    ExpectDestroyed(name);
}

// Expects that the object serves in the process, by a request that is sent from here.
inline void ExpectServedBy(const OHIPCRemoteProxy *proxy, pid_t pid)
{
    Answer answer = Ask(proxy, "pid");
    if (EXPECT_EQ(answer.result, OH_IPC_SUCCESS)) {
        EXPECT_EQ(answer.Read().Int(), pid);
    }
}

inline void ExpectServedBy(const ProxyPtr &proxy, pid_t pid)
{
    ExpectServedBy(proxy.get(), pid);
}

// The same for the proxy that the actor keeps under this name.
inline void ExpectKeptServedBy(const Actor &actor, const std::string &name, pid_t pid)
{
    Answer answer = actor.Ask("ask_kept", Parcel().Text(name).Text("pid"));
    if (EXPECT_EQ(answer.result, OH_IPC_SUCCESS)) {
        Reader reader = answer.Read();
        if (EXPECT_EQ(reader.Int(), OH_IPC_SUCCESS)) {
            EXPECT_EQ(reader.Int(), pid);
        }
    }
}

} // namespace conformance

#endif
