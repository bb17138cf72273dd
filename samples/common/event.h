// SPDX-License-Identifier: Apache-2.0
// Waiting, with a bound, for what a thread of the libraries tells.
#ifndef SAMPLES_EVENT_H
#define SAMPLES_EVENT_H

#include <chrono>
#include <future>
#include <memory>
#include <mutex>

// Far more than any step takes; what happens is waited for, not the time.
constexpr std::chrono::seconds PATIENCE(30);

// Something that a thread of the library tells once, and another waits for.
template <typename T>
class Event {
public:
    void Tell(T value)
    {
        std::call_once(told_, [&] { promise_.set_value(value); });
    }
    // False where it did not come.
    bool Wait(T &value)
    {
        if (future_.wait_for(PATIENCE) != std::future_status::ready) {
            return false;
        }
        value = future_.get();
        return true;
    }

private:
    std::once_flag told_;
    std::promise<T> promise_;
    std::shared_future<T> future_ = promise_.get_future().share();
};

// As user data an event is shared with the library: a callback may still run when the one that waited has given up.
template <typename T>
void *ShareWithLibrary(const std::shared_ptr<Event<T>> &event)
{
    return new std::shared_ptr<Event<T>>(event);
}

template <typename T>
Event<T> &SharedEvent(void *userData)
{
    return **static_cast<std::shared_ptr<Event<T>> *>(userData);
}

template <typename T>
void ReleaseFromLibrary(void *userData)
{
    delete static_cast<std::shared_ptr<Event<T>> *>(userData);
}

#endif
