// SPDX-License-Identifier: Apache-2.0
// Stubs whose requests are served by behaviours, in the test process and in actors alike.
#ifndef CONFORMANCE_HARNESS_STUB_H
#define CONFORMANCE_HARNESS_STUB_H

#include <cstdint>
#include <memory>
#include <string>

#include "harness/parcel.h"

namespace conformance {

// What a behaviour is given.
struct Request {
    uint32_t code;
    Reader data;
    OHIPCParcel *reply;
    const std::string &stub; // the name of the stub that it came to
};
using Behaviour = int (*)(const Request &request);

bool RegisterBehaviour(const char *name, Behaviour behaviour);

// A stub that serves all behaviours, with the descriptor "conformance.<name>". When it dies, the counter
// "destroyed <name>" is one more. A code that is no behaviour's is answered with SUCCESS and the code.
StubPtr CreateStub(const std::string &name);

// Stubs and proxies that this process keeps under a name for later requests.
void KeepStub(const std::string &name, StubPtr stub);
OHIPCRemoteStub *KeptStub(const std::string &name);
void DestroyKeptStub(const std::string &name);
void KeepProxy(const std::string &name, ProxyPtr proxy);
// Lives as long as somebody uses it, though dropped meanwhile. NULL where there is none.
std::shared_ptr<OHIPCRemoteProxy> KeptProxy(const std::string &name);
void DropKeptProxy(const std::string &name);

// What NativeChildProcess_OnConnect has returned in this process, NULL in the test process.
OHIPCRemoteStub *ConnectedStub();
void SetConnectedStub(OHIPCRemoteStub *stub);

int64_t CurrentThread();
std::string CurrentThreadName();
// The open descriptors of this process.
int CountDescriptors();

} // namespace conformance

// BEHAVIOUR(name) { … return OH_IPC_SUCCESS; }, where `request` is what came. Ask(proxy, "name", …) runs it.
#define BEHAVIOUR(name) \
    static int Behaviour_##name([[maybe_unused]] const ::conformance::Request &request); \
    [[maybe_unused]] static const bool registered_behaviour_##name = \
        ::conformance::RegisterBehaviour(#name, Behaviour_##name); \
    static int Behaviour_##name([[maybe_unused]] const ::conformance::Request &request)

#endif
