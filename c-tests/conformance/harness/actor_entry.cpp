// SPDX-License-Identifier: Apache-2.0
// What the child process calls of the library it has loaded.
#include <cstdlib>
#include <string>
#include <unistd.h>

#include "harness/actor.h"
#include "harness/board.h"
#include "harness/expect.h"
#include "harness/stub.h"

namespace {

// Found out before anybody can ask: it opens a file, and others count.
// Never destroyed: a handler may call exit while MainProc uses it.
std::string &End()
{
    static auto *end = new std::string;
    return *end;
}

} // namespace

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
    End() = conformance::EndOfActor(getpid());
    // Before any worker can have been started for something else.
    if (const char *most = std::getenv(conformance::MAX_THREADS_VARIABLE)) {
        EXPECT_EQ(OH_IPCSkeleton_SetMaxWorkThreadNum(std::atoi(most)), OH_IPC_SUCCESS);
    }
    // The test's proxy keeps the stub alive; the wrapper stays allocated until the process ends.
    conformance::SetConnectedStub(conformance::CreateStub("actor").release());
    return conformance::ConnectedStub();
}

extern "C" void NativeChildProcess_MainProc()
{
    conformance::Counter(End()).AwaitAtLeast(1);
}
