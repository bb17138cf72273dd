// SPDX-License-Identifier: Apache-2.0
// Processes that have no descriptors left when others want to connect to them, or they to others: nobody is dead.
#include <algorithm>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "harness.h"

using namespace conformance;

namespace {

// More than a connection takes.
constexpr int32_t MOST_LEFT = 8;

std::vector<int> &UsedUp()
{
    static auto *descriptors = new std::vector<int>;
    return *descriptors;
}

// How the caller fares that is given a proxy of the owner while one of the two has so many descriptors left. Yields the
// result of its request.
int ReachWith(bool ownerIsShort, int32_t left)
{
    Context context(ownerIsShort ? "the owner" : "the caller", " has ", left, " left");
    Actor &owner = StartActor();
    Actor &caller = StartActor();
    Actor &shortOne = ownerIsShort ? owner : caller;
    EXPECT_EQ(shortOne.Ask("use_up_descriptors", Parcel().Int(left)).result, OH_IPC_SUCCESS);
    caller.Introduce("owner", owner.Proxy());
    Answer answer = caller.Ask("reach_owner");
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    int result = answer.Read().Int();
    EXPECT(result == OH_IPC_SUCCESS || result == OH_IPC_INNER_ERROR);
    EXPECT_EQ(answer.Read().Int(), 0);
    EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(Counter("told dead").Value(), 0u);
    // At the end of a process a sanitizer's runtime wants some.
    EXPECT_EQ(shortOne.Ask("give_descriptors_back").result, OH_IPC_SUCCESS);
    // When the want is over, the object is only to be received again; more than once where one of the two has not seen yet that the
    // connection has failed.
    int again;
    do {
        caller.Introduce("again", owner.Proxy());
        answer = caller.Ask("ask_kept", Parcel().Text("again").Text("pid"));
        REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
        again = answer.Read().Int();
    } while (again == OH_IPC_DEAD_REMOTE_OBJECT || again == OH_IPC_INNER_ERROR);
    EXPECT_EQ(again, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.Read().Int(), owner.Pid());
    EXPECT_EQ(Counter("told dead").Value(), 0u);
    Forget(caller);
    Forget(owner);
    return result;
}

} // namespace

// number → ; so many descriptors can still be opened
BEHAVIOUR(use_up_descriptors)
{
    constexpr rlim_t ENOUGH = 128;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min(limit.rlim_max, ENOUGH);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int descriptor;
    while ((descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        UsedUp().push_back(descriptor);
    }
    for (int32_t left = request.data.Int(); left > 0; left--) {
        close(UsedUp().back());
        UsedUp().pop_back();
    }
    return OH_IPC_SUCCESS;
}

// →
BEHAVIOUR(give_descriptors_back)
{
    for (int descriptor : UsedUp()) {
        close(descriptor);
    }
    UsedUp().clear();
    return OH_IPC_SUCCESS;
}

// → result of a request to the kept proxy "owner", IsRemoteDead of it, result of AddDeathRecipient to it
BEHAVIOUR(reach_owner)
{
    static auto *recipient = new Recipient("dead");
    auto owner = KeptProxy("owner");
    WriteInt(request.reply, Ask(owner.get(), "pid").result);
    WriteInt(request.reply, OH_IPCRemoteProxy_IsRemoteDead(owner.get()));
    WriteInt(request.reply, recipient->AddTo(owner.get()));
    EXPECT_EQ(recipient->RemoveFrom(owner.get()), OH_IPC_SUCCESS);
    return OH_IPC_SUCCESS;
}

TEST(an_owner_without_descriptors_is_not_dead, "who cannot be connected to for want of descriptors counts as dead, or as a liar")
{
    EXPECT_EQ(ReachWith(true, 0), OH_IPC_INNER_ERROR);
    for (int32_t left = 1; left < MOST_LEFT; left++) {
        ReachWith(true, left);
    }
    EXPECT(CountInOutput("Too many open files") > 0);
    EXPECT_EQ(CountInOutput("an address that is not its own"), 0u);
}

TEST(a_caller_without_descriptors_knows_no_death, "who cannot connect to others for want of descriptors takes them for dead")
{
    EXPECT_EQ(ReachWith(false, 0), OH_IPC_INNER_ERROR);
    for (int32_t left = 1; left < MOST_LEFT; left++) {
        ReachWith(false, left);
    }
    EXPECT(CountInOutput("Too many open files") > 0);
}
