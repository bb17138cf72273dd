// SPDX-License-Identifier: Apache-2.0
// What stays in a process of the many others that it has had to do with: nothing.
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <unistd.h>

#include "death.h"

using namespace conformance;

namespace {

struct Belongings {
    int descriptors;
    int otherThreads;
    int sharedMappings;
    int children;
};

// Something of a child may be there still when `before` is counted, but not more for each further child.
bool IsNoMore(const Belongings &now, const Belongings &before)
{
    return now.descriptors <= before.descriptors && now.otherThreads <= before.otherThreads &&
        now.sharedMappings <= before.sharedMappings && now.children == 0;
}

std::ostream &operator<<(std::ostream &stream, const Belongings &belongings)
{
    return stream << belongings.descriptors << " descriptors, " << belongings.otherThreads <<
        " threads that are no workers, " << belongings.sharedMappings << " shared mappings, " << belongings.children <<
        " children";
}

int CountSharedMappings()
{
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string range, access, rest; maps >> range >> access && std::getline(maps, rest);) {
        count += access[3] == 's' ? 1 : 0;
    }
    return count;
}

// Of all threads.
int CountChildren()
{
    DIR *tasks = opendir("/proc/self/task");
    REQUIRE(tasks != nullptr);
    int count = 0;
    while (dirent *task = readdir(tasks)) {
        std::ifstream children("/proc/self/task/" + std::string(task->d_name) + "/children");
        for (pid_t pid; children >> pid;) {
            count++;
        }
    }
    closedir(tasks);
    return count;
}

// Of workers there may be as many as the pool allows, more or fewer than before.
Belongings Count()
{
    int workers = CountPoolThreads(getpid());
    EXPECT(workers <= 17);
    return { CountDescriptors(), CountThreads(getpid()) - workers, CountSharedMappings(), CountChildren() };
}

// What was had of a process may go a moment after its death has been told.
template <typename Counting>
void ExpectNoMore(const Belongings &before, Counting count)
{
    Belongings now = count();
    for (int look = 0; look < 2000 && !IsNoMore(now, before); look++) {
        usleep(5000);
        now = count();
    }
    Context context("before ", before, ", now ", now);
    EXPECT(IsNoMore(now, before));
}

// As far as an actor tells.
Belongings BelongingsOf(const Actor &actor)
{
    return { actor.Ask("count_descriptors").Read().Int(), 0, actor.Ask("count_shared_mappings").Read().Int(), 0 };
}

enum class End { NORMAL, KILLED };

// A child that serves, gets an object and gives one, is watched, and ends.
void StartUseAndEnd(int number, End end)
{
    std::string name = std::to_string(number % 4);
    Actor &actor = StartActor();
    StubPtr stub = CreateStub("given");
    actor.Introduce("given", stub.get());
    ProxyPtr proxy = actor.CreateStub("got");
    Recipient recipient("watcher");
    EXPECT_EQ(recipient.AddTo(proxy), OH_IPC_SUCCESS);
    ExpectServedBy(proxy, actor.Pid());
    ExpectKeptServedBy(actor, "given", getpid());
    EXPECT_EQ(actor.Tell("count", Parcel().Text("served")), OH_IPC_SUCCESS);
    if (end == End::KILLED) {
        actor.Kill();
    }
    Forget(actor);
    recipient.AwaitTold(static_cast<uint32_t>(number));
}

} // namespace

// → number of mappings of this process that others can see
BEHAVIOUR(count_shared_mappings)
{
    WriteInt(request.reply, CountSharedMappings());
    return OH_IPC_SUCCESS;
}

TEST(nothing_is_left_of_many_children, "a descriptor, thread, shared mapping or process stays for each child")
{
    constexpr int WARM_UP = 10;
    const char *wanted = std::getenv("CONFORMANCE_CHILDREN");
    const int children = wanted == nullptr ? 200 : std::atoi(wanted);
    int number = 0;
    while (number < WARM_UP) {
        number++;
        StartUseAndEnd(number, number % 2 == 0 ? End::NORMAL : End::KILLED);
    }
    Belongings before = Count();
    while (number < WARM_UP + children) {
        number++;
        StartUseAndEnd(number, number % 2 == 0 ? End::NORMAL : End::KILLED);
    }
    ExpectNoMore(before, Count);
    Destroyed("given").AwaitAtLeast(static_cast<uint32_t>(number));
    EXPECT_EQ(Destroyed("given").Value(), static_cast<uint32_t>(number));
    EXPECT_EQ(Counter("told watcher").Value(), static_cast<uint32_t>(number));
    // The thread that called the recipient lets go of it a moment after.
    Counter("forgotten watcher").AwaitAtLeast(static_cast<uint32_t>(number));
    EXPECT_EQ(Counter("forgotten watcher").Value(), static_cast<uint32_t>(number));
}

TEST(nothing_is_left_at_a_sibling, "a process keeps something of each other process whose objects it has been given")
{
    constexpr int SIBLINGS = 30;
    Actor &holder = StartActor();
    Belongings before = {};
    for (int number = 0; number < SIBLINGS; number++) {
        Actor &sibling = StartActor();
        holder.Introduce("sibling", sibling.Proxy());
        ExpectKeptServedBy(holder, "sibling", sibling.Pid());
        sibling.Kill();
        Forget(sibling);
        if (number == 4) {
            before = BelongingsOf(holder);
        }
    }
    ExpectNoMore(before, [&] { return BelongingsOf(holder); });
}
