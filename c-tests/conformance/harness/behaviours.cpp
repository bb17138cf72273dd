// SPDX-License-Identifier: Apache-2.0
// The behaviours that most tests need. What each reads from its data, and writes to its reply, in this order.
#include <csignal>
#include <cstdlib>
#include <unistd.h>

#include "harness/board.h"
#include "harness/expect.h"
#include "harness/identity.h"
#include "harness/stub.h"

using namespace conformance;

// → pid
BEHAVIOUR(pid)
{
    WriteInt(request.reply, getpid());
    return OH_IPC_SUCCESS;
}

// everything → the same
BEHAVIOUR(echo)
{
    return OH_IPCParcel_Append(request.reply, request.data.Get());
}

// result, number of ints → 7700, 7701, …
BEHAVIOUR(give_result)
{
    int32_t result = request.data.Int();
    int32_t ints = request.data.Int();
    for (int32_t index = 0; index < ints; index++) {
        WriteInt(request.reply, 7700 + index);
    }
    return result;
}

// anything → state of data, state of reply, both as they came
BEHAVIOUR(show_states)
{
    State data = StateOf(request.data.Get());
    State reply = StateOf(request.reply);
    WriteState(request.reply, data);
    WriteState(request.reply, reply);
    return OH_IPC_SUCCESS;
}

// counter's name → ; adds one to it
BEHAVIOUR(count)
{
    Counter(request.data.Text()).Add();
    return OH_IPC_SUCCESS;
}

// name of the counter of entered handlers, name of the gate's counter, value of the gate to wait for, anything → ;
// returns when the gate has that value
BEHAVIOUR(block)
{
    Counter entered(request.data.Text());
    Counter gate(request.data.Text());
    auto value = static_cast<uint32_t>(request.data.Int());
    entered.Add();
    gate.AwaitAtLeast(value);
    return OH_IPC_SUCCESS;
}

// → calling pid (long), uid (long), token id (long), first token id (long), self token id (long), local, handling,
// own pid, own uid, own thread (long), name of the thread
BEHAVIOUR(identity)
{
    WriteReport(request.reply, CurrentReport());
    return OH_IPC_SUCCESS;
}

// name → ; keeps the identity and the thread under this name
BEHAVIOUR(keep_report)
{
    KeepReport(request.data.Text());
    return OH_IPC_SUCCESS;
}

// name → what is kept, once it is there, as "identity" says it
BEHAVIOUR(give_report)
{
    WriteReport(request.reply, AwaitKeptReport(request.data.Text()));
    return OH_IPC_SUCCESS;
}

// stub's name → the stub; it is kept under its name
BEHAVIOUR(create_stub)
{
    std::string name = request.data.Text();
    StubPtr stub = CreateStub(name);
    EXPECT_EQ(OH_IPCParcel_WriteRemoteStub(request.reply, stub.get()), OH_IPC_SUCCESS);
    KeepStub(name, std::move(stub));
    return OH_IPC_SUCCESS;
}

// stub's name → the stub
BEHAVIOUR(give_stub)
{
    return OH_IPCParcel_WriteRemoteStub(request.reply, KeptStub(request.data.Text()));
}

// stub's name →
BEHAVIOUR(destroy_stub)
{
    DestroyKeptStub(request.data.Text());
    return OH_IPC_SUCCESS;
}

// name, object → ; the object is kept as a proxy under that name, one kept before is dropped
BEHAVIOUR(keep_proxy)
{
    std::string name = request.data.Text();
    KeepProxy(name, request.data.Proxy());
    return OH_IPC_SUCCESS;
}

// name → the object
BEHAVIOUR(give_proxy)
{
    return OH_IPCParcel_WriteRemoteProxy(request.reply, KeptProxy(request.data.Text()).get());
}

// name →
BEHAVIOUR(drop_proxy)
{
    DropKeptProxy(request.data.Text());
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, name of a behaviour, object or bytes or nothing for it → result, its reply
BEHAVIOUR(ask_kept)
{
    auto proxy = KeptProxy(request.data.Text());
    std::string behaviour = request.data.Text();
    Parcel data = request.data.Rest();
    Answer answer = Ask(proxy.get(), behaviour, data);
    WriteInt(request.reply, answer.result);
    return OH_IPCParcel_Append(request.reply, answer.reply.Get());
}

// name of a kept proxy, name of a behaviour, object or bytes or nothing for it → result
BEHAVIOUR(tell_kept)
{
    auto proxy = KeptProxy(request.data.Text());
    std::string behaviour = request.data.Text();
    Parcel data = request.data.Rest();
    WriteInt(request.reply, Tell(proxy.get(), behaviour, data));
    return OH_IPC_SUCCESS;
}

// → number of open descriptors of the process
BEHAVIOUR(count_descriptors)
{
    WriteInt(request.reply, CountDescriptors());
    return OH_IPC_SUCCESS;
}

// status → ; the process ends with exit(status)
BEHAVIOUR(exit_process)
{
    std::exit(request.data.Int());
}

// status → ; the process ends with _exit(status)
BEHAVIOUR(end_process_at_once)
{
    _exit(request.data.Int());
}

// → ; the process sends itself SIGKILL
BEHAVIOUR(kill_process)
{
    kill(getpid(), SIGKILL);
    return OH_IPC_SUCCESS;
}
