// SPDX-License-Identifier: Apache-2.0
// That the harness does what the other files rely on.
#include <set>
#include <unistd.h>

#include "harness.h"

using namespace conformance;

TEST(three_actors_are_three_processes, "a child process serves a request in its parent's process")
{
    std::set<pid_t> processes{ getpid() };
    for (int index = 0; index < 3; index++) {
        Actor &actor = StartActor();
        processes.insert(actor.Pid());
        Answer answer = actor.Ask("echo", Parcel().Int(index).Text("text"));
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), index);
        EXPECT(OH_IPCParcel_GetReadPosition(answer.reply.Get()) == 4);
        EXPECT_EQ(answer.Read().Text(), "text");
    }
    EXPECT_EQ(processes.size(), 4u);
}

TEST(actors_ask_each_other, "an object does not keep its owner when a third process gets it")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    ProxyPtr stub = second.CreateStub("of the second");
    first.Introduce("friend", stub.get());
    Answer answer = first.Ask("ask_kept", Parcel().Text("friend").Text("pid"));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), second.Pid());
}

TEST(counters_are_shared, "nothing in the library, but the handler has to run")
{
    Actor &actor = StartActor();
    EXPECT_EQ(actor.Tell("block", Parcel().Text("entered").Text("gate").Int(2)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    EXPECT_EQ(Counter("gate").Add(2), 2u);
    EXPECT_EQ(Counter("entered").Value(), 1u);
}

TEST(an_actor_ends_or_is_killed, "a child process stays when its main thread has returned")
{
    Actor &actor = StartActor();
    actor.End();
    EXPECT_EQ(actor.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
    Actor &other = StartActor();
    other.Kill();
    other.AwaitEnd();
    EXPECT_EQ(other.Ask("pid").result, OH_IPC_DEAD_REMOTE_OBJECT);
}
