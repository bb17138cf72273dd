// SPDX-License-Identifier: Apache-2.0
// File descriptors in requests and replies: whose they are, and who closes them.
#include <fcntl.h>
#include <list>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "harness.h"
#include "harness/pipe.h"

using namespace conformance;

namespace {

int64_t InodeOf(int fd)
{
    struct stat status;
    return EXPECT_EQ(fstat(fd, &status), 0) ? static_cast<int64_t>(status.st_ino) : -1;
}

bool IsOpen(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

// Here, and in actors that are started afterwards.
void AllowManyDescriptors()
{
    rlimit limit;
    REQUIRE_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void Write(int fd, const std::string &text)
{
    EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

// inode (long), descriptor, descriptor → ; both are of that inode, and a second reading gives a third number
BEHAVIOUR(read_two_descriptors)
{
    EXPECT_EQ(StateOf(request.data.Get()), (State{ 56, 56, 56, 0, 0 }));
    int64_t inode = request.data.Long();
    int before = CountDescriptors();
    int first = request.data.Descriptor();
    int second = request.data.Descriptor();
    EXPECT(first != second);
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(const_cast<OHIPCParcel *>(request.data.Get()), 8), OH_IPC_SUCCESS);
    int again = request.data.Descriptor();
    EXPECT(again != first && again != second);
    EXPECT_EQ(CountDescriptors(), before + 3);
    for (int fd : { first, second, again }) {
        EXPECT(fd > STDERR_FILENO);
        EXPECT_EQ(InodeOf(fd), inode);
        EXPECT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    }
    // What is closed here is not the parcel's own.
    close(first);
    close(again);
    EXPECT_EQ(OH_IPCParcel_RewindReadPosition(const_cast<OHIPCParcel *>(request.data.Get()), 8), OH_IPC_SUCCESS);
    int last = request.data.Descriptor();
    EXPECT_EQ(InodeOf(last), inode);
    close(last);
    Write(second, "hello");
    close(second);
    EXPECT_EQ(CountDescriptors(), before);
    return OH_IPC_SUCCESS;
}

// number, so many descriptors → the number that could be read; each is written a byte to and closed
BEHAVIOUR(read_many_descriptors)
{
    int32_t number = request.data.Int();
    std::vector<int> descriptors;
    int fd = -1;
    while (OH_IPCParcel_GetReadableBytes(request.data.Get()) > 0 &&
        OH_IPCParcel_ReadFileDescriptor(request.data.Get(), &fd) == OH_IPC_SUCCESS) {
        descriptors.push_back(fd);
    }
    EXPECT_EQ(descriptors.size(), static_cast<size_t>(number));
    for (int each : descriptors) {
        Write(each, "x");
        close(each);
    }
    WriteInt(request.reply, static_cast<int32_t>(descriptors.size()));
    return OH_IPC_SUCCESS;
}

// number, so many descriptors → ; each is written its place to and closed
BEHAVIOUR(write_their_places)
{
    int32_t number = request.data.Int();
    for (int32_t place = 0; place < number; place++) {
        int fd = request.data.Descriptor();
        Write(fd, std::to_string(place));
        close(fd);
    }
    return OH_IPC_SUCCESS;
}

// descriptors → ; reads none of them
BEHAVIOUR(ignore_descriptors)
{
    Counter("ignored").Add();
    return OH_IPC_SUCCESS;
}

// descriptor → the descriptor, which the handler closes after writing it
BEHAVIOUR(return_descriptor)
{
    int fd = request.data.Descriptor();
    EXPECT_EQ(OH_IPCParcel_WriteFileDescriptor(request.reply, fd), OH_IPC_SUCCESS);
    close(fd);
    return OH_IPC_SUCCESS;
}

// descriptor → ; keeps its own number open as "kept descriptor"
BEHAVIOUR(keep_descriptor)
{
    Counter("kept descriptor").Add(static_cast<uint32_t>(request.data.Descriptor()));
    return OH_IPC_SUCCESS;
}

// text → ; writes it to the kept descriptor and closes that
BEHAVIOUR(write_to_kept_descriptor)
{
    int fd = static_cast<int>(Counter("kept descriptor").Value());
    Write(fd, request.data.Text());
    close(fd);
    return OH_IPC_SUCCESS;
}

// descriptor → result of sending it on to the kept proxy "next"
BEHAVIOUR(forward_descriptor)
{
    int fd = request.data.Descriptor();
    Parcel data;
    data.Int(1).Descriptor(fd);
    close(fd);
    WriteInt(request.reply, Ask(KeptProxy("next").get(), "read_many_descriptors", data).result);
    return OH_IPC_SUCCESS;
}

int CountIn(const Actor &actor)
{
    return actor.Ask("count_descriptors").Read().Int();
}

} // namespace

TEST(the_receiver_has_numbers_of_its_own, "a descriptor that is read is the parcel's own, or close-on-exec")
{
    Actor &actor = StartActor();
    int before = CountIn(actor);
    Pipe pipe;
    int own = CountDescriptors();
    Parcel data;
    data.Long(InodeOf(pipe.Writing())).Descriptor(pipe.Writing()).Descriptor(pipe.Writing());
    EXPECT_EQ(CountDescriptors(), own + 2);
    EXPECT_EQ(actor.Ask("read_two_descriptors", data).result, OH_IPC_SUCCESS);
    EXPECT_EQ(CountDescriptors(), own + 2);
    EXPECT_EQ(data.State().dataSize, 56);
    data = Parcel();
    EXPECT_EQ(CountDescriptors(), own);
    EXPECT(IsOpen(pipe.Writing()));
    EXPECT_EQ(pipe.ReadToEnd(), "hello");
    EXPECT_EQ(CountIn(actor), before);
}

TEST(unread_descriptors_are_closed, "a descriptor that no handler reads stays open in the receiver")
{
    Actor &actor = StartActor();
    int before = CountIn(actor);
    for (bool sync : { true, false }) {
        Context context(sync ? "sync" : "async");
        Pipe pipe;
        Parcel data;
        data.Descriptor(pipe.Writing()).Descriptor(pipe.Writing()).Descriptor(pipe.Writing());
        EXPECT_EQ(sync ? actor.Ask("ignore_descriptors", data).result : actor.Tell("ignore_descriptors", data),
            OH_IPC_SUCCESS);
        data = Parcel();
        EXPECT_EQ(pipe.ReadToEnd(), "");
        EXPECT_EQ(CountIn(actor), before);
    }
    EXPECT_EQ(Counter("ignored").Value(), 2u);
}

TEST(read_descriptors_are_the_readers, "a descriptor that was read is closed with its parcel")
{
    Actor &actor = StartActor();
    Pipe pipe;
    Parcel data;
    data.Descriptor(pipe.Writing());
    EXPECT_EQ(actor.Ask("keep_descriptor", data).result, OH_IPC_SUCCESS);
    data = Parcel();
    pipe.CloseWriting();
    EXPECT_EQ(actor.Ask("write_to_kept_descriptor", Parcel().Text("later")).result, OH_IPC_SUCCESS);
    EXPECT_EQ(pipe.ReadToEnd(), "later");
}

TEST(descriptors_keep_their_places, "the descriptors of a parcel are mixed up")
{
    AllowManyDescriptors();
    Actor &actor = StartActor();
    for (int number : { 2, 300 }) {
        Context context(number, " descriptors");
        std::list<Pipe> pipes;
        Parcel data;
        data.Int(number);
        for (int index = 0; index < number; index++) {
            data.Descriptor(pipes.emplace_back().Writing());
        }
        EXPECT_EQ(actor.Ask("write_their_places", data).result, OH_IPC_SUCCESS);
        data = Parcel();
        int place = 0;
        for (Pipe &pipe : pipes) {
            EXPECT_EQ(pipe.ReadToEnd(), std::to_string(place++));
        }
    }
}

TEST(many_descriptors_in_one_parcel, "the socket's limit of descriptors a message limits a parcel's")
{
    // Each is open in the parcel, and more than once in the receiver.
    AllowManyDescriptors();
    Actor &actor = StartActor();
    int before = CountIn(actor);
    for (int number : { 1, 16, 17, 64, 253, 254, 300, 800 }) {
        Context context(number, " descriptors");
        Pipe pipe;
        int own = CountDescriptors();
        Parcel data;
        data.Int(number);
        for (int index = 0; index < number; index++) {
            data.Descriptor(pipe.Writing());
        }
        EXPECT_EQ(CountDescriptors(), own + number);
        Answer answer = actor.Ask("read_many_descriptors", data);
        EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
        EXPECT_EQ(answer.Read().Int(), number);
        EXPECT_EQ(actor.Tell("read_many_descriptors", data), OH_IPC_SUCCESS);
        data = Parcel();
        EXPECT_EQ(CountDescriptors(), own);
        EXPECT_EQ(pipe.ReadToEnd(), std::string(static_cast<size_t>(2 * number), 'x'));
        EXPECT_EQ(CountIn(actor), before);
    }
}

TEST(a_descriptor_is_sent_twice, "the descriptors of sent data are gone after it was sent once")
{
    Actor &actor = StartActor();
    Pipe pipe;
    Parcel data;
    data.Int(1).Descriptor(pipe.Writing());
    for (int round = 0; round < 3; round++) {
        EXPECT_EQ(actor.Ask("read_many_descriptors", data).Read().Int(), 1);
    }
    data = Parcel();
    EXPECT_EQ(pipe.ReadToEnd(), "xxx");
}

TEST(the_sender_may_close_its_own, "a descriptor is duplicated when it is sent and not when it is written")
{
    Actor &actor = StartActor();
    Pipe pipe;
    Parcel data;
    data.Int(1).Descriptor(pipe.Writing());
    pipe.CloseWriting();
    EXPECT_EQ(actor.Ask("read_many_descriptors", data).Read().Int(), 1);
    data = Parcel();
    EXPECT_EQ(pipe.ReadToEnd(), "x");
}

TEST(a_reply_brings_a_descriptor, "a reply loses its descriptors, or closes one that was read")
{
    Actor &actor = StartActor();
    int before = CountIn(actor);
    Pipe pipe;
    int own = CountDescriptors();
    Answer answer = actor.Ask("return_descriptor", Parcel().Descriptor(pipe.Writing()));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    EXPECT_EQ(answer.reply.State(), (State{ 24, 24, 24, 0, 0 }));
    EXPECT_EQ(CountDescriptors(), own + 1);
    int fd = answer.Read().Descriptor();
    EXPECT_EQ(InodeOf(fd), InodeOf(pipe.Writing()));
    EXPECT_EQ(CountDescriptors(), own + 2);
    answer.reply = Parcel();
    EXPECT_EQ(CountDescriptors(), own + 1);
    pipe.CloseWriting();
    Write(fd, "reply");
    close(fd);
    EXPECT_EQ(pipe.ReadToEnd(), "reply");
    EXPECT_EQ(CountIn(actor), before);
}

TEST(a_reply_closes_what_was_not_read, "a descriptor of a reply that was not read stays open")
{
    Actor &actor = StartActor();
    Pipe pipe;
    int own = CountDescriptors();
    Answer answer = actor.Ask("return_descriptor", Parcel().Descriptor(pipe.Writing()));
    EXPECT_EQ(CountDescriptors(), own + 1);
    answer.reply = Parcel();
    EXPECT_EQ(CountDescriptors(), own);
    EXPECT_EQ(pipe.ReadToEnd(), "");
}

TEST(a_descriptor_goes_through_two_processes, "a descriptor that was received cannot be sent on")
{
    Actor &middle = StartActor();
    Actor &last = StartActor();
    middle.Introduce("next", last.Proxy());
    Pipe pipe;
    EXPECT_EQ(middle.Ask("forward_descriptor", Parcel().Descriptor(pipe.Writing())).Read().Int(), OH_IPC_SUCCESS);
    EXPECT_EQ(pipe.ReadToEnd(), "x");
}

TEST(descriptors_of_a_refused_request_are_not_kept, "a request that is refused leaves its descriptors open somewhere")
{
    Actor &actor = StartActor();
    actor.Kill();
    actor.AwaitEnd();
    Pipe pipe;
    {
        Parcel data;
        data.Descriptor(pipe.Writing());
        EXPECT_EQ(actor.Ask("ignore_descriptors", data).result, OH_IPC_DEAD_REMOTE_OBJECT);
        EXPECT_EQ(actor.Tell("ignore_descriptors", data), OH_IPC_DEAD_REMOTE_OBJECT);
    }
    EXPECT_EQ(pipe.ReadToEnd(), "");
}

TEST(descriptors_of_a_killed_receiver_are_closed, "the sender holds on to what a receiver died with")
{
    Actor &actor = StartActor();
    Pipe pipe;
    {
        Parcel data;
        data.Text("entered").Text("gate").Int(1).Descriptor(pipe.Writing());
        for (int index = 0; index < 5; index++) {
            EXPECT_EQ(actor.Tell("block", data), OH_IPC_SUCCESS);
        }
    }
    Counter("entered").AwaitAtLeast(1);
    actor.Kill();
    EXPECT_EQ(pipe.ReadToEnd(), "");
}
