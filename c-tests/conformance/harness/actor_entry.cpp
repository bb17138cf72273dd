// SPDX-License-Identifier: Apache-2.0
// What the child process calls of the library it has loaded.
#include <cstdlib>
#include <unistd.h>

#include "harness/actor.h"
#include "harness/board.h"
#include "harness/expect.h"
#include "harness/stub.h"

extern "C" OHIPCRemoteStub *NativeChildProcess_OnConnect()
{
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
    conformance::Counter(conformance::EndOfActor(getpid())).AwaitAtLeast(1);
}
