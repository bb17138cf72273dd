// SPDX-License-Identifier: Apache-2.0
// Death recipients that count what they are told, and other ways to wait for a death.
#ifndef CONFORMANCE_HARNESS_RECIPIENT_H
#define CONFORMANCE_HARNESS_RECIPIENT_H

#include <cstdint>
#include <functional>
#include <string>

#include "harness/parcel.h"

namespace conformance {

// Owns the handle of a death recipient. Its callback runs `onDeath`, then the counter "told <name>" is one more; when the
// library has called its destroyCallback, the counter "forgotten <name>" is one more. What `onDeath` refers to has to
// live until one of the counters, or the end of the test's actors, says that it does not run any more.
class Recipient {
public:
    explicit Recipient(const std::string &name, std::function<void()> onDeath = nullptr);

    OHIPCDeathRecipient *Get() const { return handle_.get(); }
    int AddTo(const OHIPCRemoteProxy *proxy) const;
    int AddTo(const ProxyPtr &proxy) const { return AddTo(proxy.get()); }
    int RemoveFrom(const OHIPCRemoteProxy *proxy) const;
    int RemoveFrom(const ProxyPtr &proxy) const { return RemoveFrom(proxy.get()); }

    uint32_t Told() const;
    void AwaitTold(uint32_t times = 1) const;
    uint32_t Forgotten() const;
    // Destroys the handle.
    void Destroy() { handle_.reset(); }
    // Destroys the handle and waits for the destroyCallback: no callback comes after it. Expects it to have come once and the
    // death to have been told so many times.
    void ExpectToldInAll(uint32_t times);

private:
    std::string name_;
    RecipientPtr handle_;
};

// Returns when IsRemoteDead says 1, or with a failure after a time in which it must have come.
void AwaitDead(const OHIPCRemoteProxy *proxy);

} // namespace conformance

#endif
