// SPDX-License-Identifier: Apache-2.0
// Threads of a test that wait for handlers or counters.
#ifndef CONFORMANCE_HARNESS_THREADS_H
#define CONFORMANCE_HARNESS_THREADS_H

#include <thread>
#include <utility>
#include <vector>

#include "harness/board.h"

namespace conformance {

class Threads {
public:
    Threads() = default;
    // A test that ends early lets go whatever its threads wait for.
    ~Threads()
    {
        if (!threads_.empty()) {
            EndAllWaits();
            Join();
        }
    }
    Threads(const Threads &) = delete;
    Threads &operator=(const Threads &) = delete;

    template <typename Body>
    void Start(Body body)
    {
        threads_.emplace_back(std::move(body));
    }

    void Join()
    {
        for (std::thread &thread : threads_) {
            thread.join();
        }
        threads_.clear();
    }

private:
    std::vector<std::thread> threads_;
};

} // namespace conformance

#endif
