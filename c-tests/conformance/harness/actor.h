// SPDX-License-Identifier: Apache-2.0
// A child process with a stub that serves all behaviours, as the test process holds it.
#ifndef CONFORMANCE_HARNESS_ACTOR_H
#define CONFORMANCE_HARNESS_ACTOR_H

#include <string>
#include <string_view>
#include <sys/types.h>

#include "harness/parcel.h"

namespace conformance {

// The harness owns it and ends it when the test's body has returned.
class Actor {
public:
    // Of the stub that the actor itself is.
    const OHIPCRemoteProxy *Proxy() const { return proxy_.get(); }
    pid_t Pid() const { return pid_; }

    Answer Ask(std::string_view behaviour, const Parcel &data = Parcel()) const;
    int Tell(std::string_view behaviour, const Parcel &data = Parcel()) const;

    // Has the actor create a stub and keep it under this name.
    ProxyPtr CreateStub(const std::string &name) const;
    // Has the actor keep a proxy under this name.
    void Introduce(const std::string &name, const OHIPCRemoteProxy *proxy) const;
    void Introduce(const std::string &name, const OHIPCRemoteStub *stub) const;

    // Has the main thread return, so that the process ends normally. Does not wait.
    void TellToEnd() const;
    // The same. Returns when the process is gone.
    void End();
    // SIGKILL. Does not wait.
    void Kill() const;
    // SIGSTOP. Returns when no thread of the process runs any more.
    void Stop() const;
    void Continue() const;
    // Waits until the process is gone, whoever ends it.
    void AwaitEnd();

    Actor();
    ~Actor();
    Actor(const Actor &) = delete;
    Actor &operator=(const Actor &) = delete;

private:
    ProxyPtr proxy_;
    pid_t pid_ = -1;
    int process_ = -1; // of OpenProcess
    std::string end_;
};

// Starts a child process; the test ends where that fails.
Actor &StartActor();
// The same for one that calls OH_IPCSkeleton_SetMaxWorkThreadNum before it serves anything.
Actor &StartActorWithMaxThreads(int32_t number);
// Has the actor end, unless it has, and frees it.
void Forget(Actor &actor);
void EndAllActors();

constexpr char MAX_THREADS_VARIABLE[] = "CONFORMANCE_MAX_THREADS";

// The counter on which the main thread of this actor waits for its end: with the time of its start, as numbers come again.
std::string EndOfActor(pid_t pid);

} // namespace conformance

#endif
