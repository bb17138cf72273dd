// SPDX-License-Identifier: Apache-2.0
#include "harness/recipient.h"

#include <chrono>
#include <memory>
#include <thread>

#include "harness/board.h"
#include "harness/expect.h"

namespace conformance {
namespace {

struct Watch {
    std::string name;
    std::function<void()> onDeath;
};

void OnDeath(void *userData)
{
    auto *watch = static_cast<Watch *>(userData);
    // Copies, because the callback may destroy the recipient.
    std::string name = watch->name;
    std::function<void()> onDeath = watch->onDeath;
    if (onDeath) {
        onDeath();
    }
    Counter("told " + name).Add();
}

void OnForgotten(void *userData)
{
    std::unique_ptr<Watch> watch(static_cast<Watch *>(userData));
    Counter("forgotten " + watch->name).Add();
}

constexpr std::chrono::seconds BOUND(20);

} // namespace

Recipient::Recipient(const std::string &name, std::function<void()> onDeath)
    : name_(name), handle_(OH_IPCDeathRecipient_Create(OnDeath, OnForgotten, new Watch{ name, std::move(onDeath) }))
{
    EXPECT(handle_ != nullptr);
}

int Recipient::AddTo(const OHIPCRemoteProxy *proxy) const
{
    return OH_IPCRemoteProxy_AddDeathRecipient(const_cast<OHIPCRemoteProxy *>(proxy), Get());
}

int Recipient::RemoveFrom(const OHIPCRemoteProxy *proxy) const
{
    return OH_IPCRemoteProxy_RemoveDeathRecipient(const_cast<OHIPCRemoteProxy *>(proxy), Get());
}

uint32_t Recipient::Told() const
{
    return Counter("told " + name_).Value();
}

void Recipient::AwaitTold(uint32_t times) const
{
    Counter("told " + name_).AwaitAtLeast(times);
}

uint32_t Recipient::Forgotten() const
{
    return Counter("forgotten " + name_).Value();
}

void Recipient::ExpectToldInAll(uint32_t times)
{
    Context context("recipient ", name_);
    Destroy();
    Counter("forgotten " + name_).AwaitAtLeast(1);
    EXPECT_EQ(Forgotten(), 1u);
    EXPECT_EQ(Told(), times);
}

void AwaitDead(const OHIPCRemoteProxy *proxy)
{
    auto end = std::chrono::steady_clock::now() + BOUND;
    while (OH_IPCRemoteProxy_IsRemoteDead(proxy) == 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(OH_IPCRemoteProxy_IsRemoteDead(proxy), 1);
}

} // namespace conformance
