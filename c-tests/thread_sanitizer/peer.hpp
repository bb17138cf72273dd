// SPDX-License-Identifier: Apache-2.0
// Another process, which keeps the stubs that it is sent and calls them as it is told. The order of what its callers do goes through
// the library alone.
#ifndef THREAD_SANITIZER_PEER_HPP
#define THREAD_SANITIZER_PEER_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "robustness/support.hpp"

enum Request : uint32_t {
    ECHO = 1,
    KEEP,          // a stub
    DROP,          // all kept ones
    CALL,          // number of a kept stub, threads, times: the handler calls it on threads of its own
    CALL_NESTED,   // number of a kept stub: the handler calls it itself
    POST,          // number of a kept stub, threads, times
    POSTS_HANDLED, // asynchronous requests NOTE so far
    NOTE,
    GIVE,          // number of a kept stub
    LEAVE          // the process
};

class Parcel {
public:
    Parcel() : parcel_(OH_IPCParcel_Create()) {}
    ~Parcel() { OH_IPCParcel_Destroy(parcel_); }
    Parcel(const Parcel &) = delete;
    Parcel &operator=(const Parcel &) = delete;
    OHIPCParcel *get() const { return parcel_; }
    Parcel &Int(int32_t value)
    {
        CHECK_EQ(OH_IPCParcel_WriteInt32(parcel_, value), OH_IPC_SUCCESS);
        return *this;
    }
    Parcel &Stub(const OHIPCRemoteStub *stub)
    {
        CHECK_EQ(OH_IPCParcel_WriteRemoteStub(parcel_, stub), OH_IPC_SUCCESS);
        return *this;
    }

private:
    OHIPCParcel *parcel_;
};

inline int32_t ReadInt(const OHIPCParcel *parcel)
{
    int32_t value = -1;
    CHECK_EQ(OH_IPCParcel_ReadInt32(parcel, &value), OH_IPC_SUCCESS);
    return value;
}

inline int Send(const OHIPCRemoteProxy *proxy, uint32_t code, const Parcel &data, OHIPCParcel *reply)
{
    const OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
    return OH_IPCRemoteProxy_SendRequest(proxy, code, data.get(), reply, &option);
}

inline void Ask(const OHIPCRemoteProxy *proxy, uint32_t code, const Parcel &data = Parcel())
{
    CHECK_EQ(Send(proxy, code, data, Parcel().get()), OH_IPC_SUCCESS);
}

inline void Tell(const OHIPCRemoteProxy *proxy, uint32_t code, const Parcel &data = Parcel())
{
    const OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_ASYNC, 0, nullptr };
    CHECK_EQ(OH_IPCRemoteProxy_SendRequest(proxy, code, data.get(), nullptr, &option), OH_IPC_SUCCESS);
}

// What the peer's process is.
struct PeerProcess {
    std::mutex mutex;
    std::vector<OHIPCRemoteProxy *> kept;
    std::atomic<int> posts{ 0 };

    OHIPCRemoteProxy *Kept(int32_t number)
    {
        std::lock_guard<std::mutex> lock(mutex);
        return kept[static_cast<size_t>(number)];
    }

    void OnThreads(const OHIPCParcel *data, void (*send)(const OHIPCRemoteProxy *, uint32_t, const Parcel &))
    {
        OHIPCRemoteProxy *proxy = Kept(ReadInt(data));
        const int32_t count = ReadInt(data);
        const int32_t times = ReadInt(data);
        std::vector<std::thread> threads;
        for (int32_t thread = 0; thread < count; thread++) {
            threads.emplace_back([=] {
                for (int32_t time = 0; time < times; time++) {
                    send(proxy, ECHO, Parcel());
                }
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }

    static int OnRequest(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply, void *process)
    {
        static_cast<PeerProcess *>(process)->Serve(code, data, reply);
        return OH_IPC_SUCCESS;
    }

    void Serve(uint32_t code, const OHIPCParcel *data, OHIPCParcel *reply)
    {
        switch (code) {
        case KEEP: {
            OHIPCRemoteProxy *proxy = OH_IPCParcel_ReadRemoteProxy(data);
            std::lock_guard<std::mutex> lock(mutex);
            OH_IPCParcel_WriteInt32(reply, static_cast<int32_t>(kept.size()));
            kept.push_back(proxy);
            return;
        }
        case DROP: {
            std::vector<OHIPCRemoteProxy *> dropped;
            {
                std::lock_guard<std::mutex> lock(mutex);
                dropped.swap(kept);
            }
            for (OHIPCRemoteProxy *proxy : dropped) {
                OH_IPCRemoteProxy_Destroy(proxy);
            }
            return;
        }
        case CALL:
            return OnThreads(data, Ask);
        case CALL_NESTED:
            return Ask(Kept(ReadInt(data)), ECHO);
        case POST:
            return OnThreads(data, Tell);
        case NOTE:
            posts++;
            return;
        case POSTS_HANDLED:
            OH_IPCParcel_WriteInt32(reply, posts);
            return;
        case GIVE:
            OH_IPCParcel_WriteRemoteProxy(reply, Kept(ReadInt(data)));
            return;
        case LEAVE:
            _exit(0);
        default:
            return;
        }
    }
};

// Starts the peer; to be called before this process has any thread.
class Peer {
public:
    Peer() : page_(Shared<Page>())
    {
        pid_ = Fork([this] {
            OHIPCRemoteStub *stub = OH_IPCRemoteStub_Create("peer", PeerProcess::OnRequest, nullptr, new PeerProcess);
            CHECK_EQ(ipckit_reference_export(stub, page_.reference), 0);
            page_.ready = true;
        });
        CHECK(Until([this] { return page_.ready.load(); }));
    }

    OHIPCRemoteProxy *Connect() const { return ipckit_reference_import(page_.reference); }
    void End() const { Kill(pid_); }
    pid_t Pid() const { return pid_; }

private:
    struct Page {
        std::atomic<bool> ready{ false };
        uint8_t reference[64] = {};
    };
    Page &page_;
    pid_t pid_ = 0;
};

// Has the peer keep a stub, and yields its number there.
inline int32_t Keep(const OHIPCRemoteProxy *peer, const OHIPCRemoteStub *stub)
{
    Parcel reply;
    CHECK_EQ(Send(peer, KEEP, Parcel().Stub(stub), reply.get()), OH_IPC_SUCCESS);
    return ReadInt(reply.get());
}

// A stub whose handler is a function, which lives until the destroy callback.
inline OHIPCRemoteStub *MakeStub(std::function<void()> onRequest, std::function<void()> onEnd = [] {})
{
    using Functions = std::pair<std::function<void()>, std::function<void()>>;
    return OH_IPCRemoteStub_Create("stub",
        [](uint32_t, const OHIPCParcel *, OHIPCParcel *, void *functions) {
            static_cast<Functions *>(functions)->first();
            return static_cast<int>(OH_IPC_SUCCESS);
        },
        [](void *functions) {
            const auto end = static_cast<Functions *>(functions)->second;
            delete static_cast<Functions *>(functions);
            end();
        },
        new Functions(std::move(onRequest), std::move(onEnd)));
}

// Steps of threads that nothing orders as far as the sanitizer can tell.
class Step {
public:
    void Come() { count_.fetch_add(1, std::memory_order_relaxed); }
    void Await(int count = 1) const
    {
        for (long look = 0; count_.load(std::memory_order_relaxed) < count; look++) {
            if (look > 60L * 1000 * 10) {
                fprintf(stderr, "a step did not come\n");
                _exit(2);
            }
            usleep(100);
        }
    }

private:
    std::atomic<int> count_{ 0 };
};

// Its events are ordered for the sanitizer, as by any lock of a user's.
class Event {
public:
    void Come()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        count_++;
    }
    bool Came(int count = 1)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return count_ >= count;
    }
    void Await(int count = 1) { CHECK(Until([&] { return Came(count); })); }

private:
    std::mutex mutex_;
    int count_ = 0;
};

#endif
