// SPDX-License-Identifier: Apache-2.0
// That no descriptor stays open in any process after messages of each kind, and that none is lost under way.
#include <chrono>
#include <thread>
#include <unistd.h>
#include <utility>

#include "harness.h"
#include "harness/pipe.h"

using namespace conformance;

namespace {

int DescriptorsOf(const Actor &actor)
{
    return actor.Ask("count_descriptors").Read().Int();
}

// What a message held may go a moment after its handler has returned. Yields the number when it is the expected one, or
// after a time in which that must have come.
template <typename Number>
int AwaitNumber(int expected, Number number)
{
    int last = number();
    for (int look = 0; last != expected && look < 2000; look++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        last = number();
    }
    return last;
}

// The open descriptors of this process and of an actor, counted once all that such requests need is there, and what was open for a moment
// only is closed: where two processes connect to each other at once, one of the two connections goes when the other is in use.
class Counts {
public:
    explicit Counts(const Actor &actor) : actor_(actor)
    {
        std::pair<int, int> before;
        int looks = 0;
        do {
            before = { theirs_, own_ };
            CountAfterRequests();
        } while (before != std::make_pair(theirs_, own_) && ++looks < 100);
    }
    void ExpectUnchanged() const
    {
        EXPECT_EQ(AwaitNumber(theirs_, [this] { return DescriptorsOf(actor_); }), theirs_);
        EXPECT_EQ(AwaitNumber(own_, CountDescriptors), own_);
    }

private:
    void CountAfterRequests()
    {
        Pipe pipe;
        EXPECT_EQ(actor_.Ask("echo", Parcel().Descriptor(pipe.Writing())).result, OH_IPC_SUCCESS);
        EXPECT_EQ(actor_.Tell("write_to_each", Parcel().Int(1).Descriptor(pipe.Writing())), OH_IPC_SUCCESS);
        EXPECT_EQ(pipe.ReadToEnd(), "x");
        theirs_ = DescriptorsOf(actor_);
        // The pipe's reading end goes with this function.
        own_ = CountDescriptors() - 1;
    }

    const Actor &actor_;
    int theirs_ = 0;
    int own_ = 0;
};

} // namespace

// number, so many descriptors → ; each gets "x" and is closed
BEHAVIOUR(write_to_each)
{
    int32_t number = request.data.Int();
    for (int32_t index = 0; index < number; index++) {
        int fd = request.data.Descriptor();
        EXPECT_EQ(write(fd, "x", 1), 1);
        close(fd);
    }
    return OH_IPC_SUCCESS;
}

// number, descriptor → the descriptor so many times
BEHAVIOUR(return_descriptor_many_times)
{
    int32_t number = request.data.Int();
    int fd = request.data.Descriptor();
    for (int32_t index = 0; index < number; index++) {
        EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(request.reply, fd), OH_IPC_SUCCESS);
    }
    close(fd);
    return OH_IPC_SUCCESS;
}

// name of a kept proxy, descriptor → result; the parcel itself goes on to that proxy
BEHAVIOUR(pass_descriptor_on)
{
    auto proxy = KeptProxy(request.data.Text());
    Parcel reply;
    WriteInt(request.reply, SendSync(proxy.get(), Code("write_behind_name"), request.data.Get(), reply.Get()));
    return OH_IPC_SUCCESS;
}

// text, descriptor → ; "third" is written to it
BEHAVIOUR(write_behind_name)
{
    request.data.Text();
    int fd = request.data.Descriptor();
    EXPECT_EQ(write(fd, "third", 5), 5);
    close(fd);
    return OH_IPC_SUCCESS;
}

// descriptor → ; "here" is written to it
BEHAVIOUR(write_here)
{
    int fd = request.data.Descriptor();
    EXPECT_EQ(write(fd, "here", 4), 4);
    close(fd);
    return OH_IPC_SUCCESS;
}

TEST(none_of_eight_hundred_is_left,
    "a message with more descriptors than one transfer takes keeps some at its sender or receiver")
{
    Actor &actor = StartActor();
    Counts counts(actor);
    for (bool sync : { true, false }) {
        Context context(sync ? "sync" : "async");
        Pipe pipe;
        {
            Parcel data;
            data.Int(800);
            for (int index = 0; index < 800; index++) {
                data.Descriptor(pipe.Writing());
            }
            EXPECT_EQ(sync ? actor.Ask("write_to_each", data).result : actor.Tell("write_to_each", data), OH_IPC_SUCCESS);
        }
        EXPECT_EQ(pipe.ReadToEnd(), std::string(800, 'x'));
    }
    counts.ExpectUnchanged();
}

TEST(none_of_a_large_reply_is_left, "a reply with more descriptors than one transfer takes keeps some at either side")
{
    Actor &actor = StartActor();
    Counts counts(actor);
    {
        Pipe pipe;
        {
            Answer answer = actor.Ask("return_descriptor_many_times", Parcel().Int(300).Descriptor(pipe.Writing()));
            REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
            Reader reader = answer.Read();
            // The others stay unread.
            for (int index = 0; index < 200; index++) {
                int fd = reader.Descriptor();
                EXPECT_EQ(write(fd, "x", 1), 1);
                close(fd);
            }
        }
        EXPECT_EQ(pipe.ReadToEnd(), std::string(200, 'x'));
    }
    counts.ExpectUnchanged();
}

TEST(none_of_a_thrown_away_reply_is_left, "the reply of an asynchronous request keeps its descriptors")
{
    Actor &actor = StartActor();
    Counts counts(actor);
    {
        Pipe pipe;
        EXPECT_EQ(actor.Tell("return_descriptor_many_times", Parcel().Int(3).Descriptor(pipe.Writing())), OH_IPC_SUCCESS);
        EXPECT_EQ(pipe.ReadToEnd(), "");
    }
    counts.ExpectUnchanged();
}

TEST(a_parcel_with_descriptors_goes_to_several_processes,
    "the first sending closes or gives away the descriptors of the data")
{
    Actor &first = StartActor();
    Actor &second = StartActor();
    Counts firstCounts(first);
    Counts secondCounts(second);
    {
        Pipe pipe;
        {
            Parcel data;
            data.Descriptor(pipe.Writing());
            for (const Actor *actor : { &first, &first, &second, &first }) {
                EXPECT_EQ(actor->Ask("write_here", data).result, OH_IPC_SUCCESS);
            }
        }
        EXPECT_EQ(pipe.ReadToEnd(), "herehereherehere");
    }
    firstCounts.ExpectUnchanged();
    secondCounts.ExpectUnchanged();
}

TEST(a_received_parcel_is_passed_on_with_its_descriptors,
    "passing received data on loses its descriptors, or keeps them open")
{
    Actor &middleman = StartActor();
    Actor &last = StartActor();
    middleman.Introduce("last", last.Proxy());
    auto pass = [&] {
        Pipe pipe;
        Answer answer = middleman.Ask("pass_descriptor_on", Parcel().Text("last").Descriptor(pipe.Writing()));
        EXPECT_EQ(answer.Read().Int(), OH_IPC_SUCCESS);
        EXPECT_EQ(pipe.ReadToEnd(), "third");
    };
    // Once this is through, the two have done all that they need descriptors of their own for.
    pass();
    Counts lastCounts(last);
    Counts middleCounts(middleman);
    pass();
    pass();
    lastCounts.ExpectUnchanged();
    middleCounts.ExpectUnchanged();
}

TEST(a_handler_returns_the_descriptors_of_its_data,
    "appending received data to a reply loses descriptors, or keeps them open")
{
    Actor &actor = StartActor();
    Counts counts(actor);
    {
        Pipe pipe;
        {
            Answer answer = actor.Ask("echo", Parcel().Descriptor(pipe.Writing()));
            REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
            int fd = answer.Read().Descriptor();
            EXPECT(fd != pipe.Writing());
            EXPECT_EQ(write(fd, "echo", 4), 4);
            close(fd);
        }
        EXPECT_EQ(pipe.ReadToEnd(), "echo");
    }
    counts.ExpectUnchanged();
}

TEST(descriptors_of_a_killed_sender_arrive,
    "a message loses its descriptors, or keeps them open, when its sender is killed")
{
    Actor &sender = StartActor();
    Actor &receiver = StartActor();
    Pipe pipe;
    ProxyPtr inbox = receiver.CreateStub("inbox");
    sender.Introduce("inbox", inbox.get());
    EXPECT_EQ(Tell(inbox.get(), "block", Parcel().Text("entered").Text("gate").Int(1)), OH_IPC_SUCCESS);
    Counter("entered").AwaitAtLeast(1);
    {
        Answer told = sender.Ask("tell_kept", Parcel().Text("inbox").Text("write_here").Descriptor(pipe.Writing()));
        EXPECT_EQ(told.Read().Int(), OH_IPC_SUCCESS);
    }
    sender.Kill();
    sender.AwaitEnd();
    Counter("gate").Add();
    EXPECT_EQ(pipe.ReadToEnd(), "here");
}

TEST(many_requests_with_descriptors_leave_none, "one descriptor in a hundred messages is not closed")
{
    Actor &actor = StartActor();
    Counts counts(actor);
    {
        Pipe pipe;
        for (int round = 0; round < 300; round++) {
            EXPECT_EQ(actor.Ask("echo", Parcel().Descriptor(pipe.Writing())).result, OH_IPC_SUCCESS);
            EXPECT_EQ(actor.Tell("write_to_each", Parcel().Int(1).Descriptor(pipe.Writing())), OH_IPC_SUCCESS);
        }
        EXPECT_EQ(pipe.ReadToEnd(), std::string(300, 'x'));
    }
    counts.ExpectUnchanged();
}
