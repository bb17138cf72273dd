// SPDX-License-Identifier: Apache-2.0
// OH_Ability_StartNativeChildProcess: what a child is given, and what is refused.
#include <cerrno>
#include <csignal>
#include <elf.h>
#include <fcntl.h>
#include <fstream>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/child.h"

using namespace conformance;

TEST(texts_of_all_lengths_arrive, "the text is cut, bounded too low, or NULL in the child where none was given")
{
    for (size_t length : { size_t{ 0 }, size_t{ 1 }, size_t{ 999 }, size_t{ 101'999 }, size_t{ 102'001 }, size_t{ 150 * 1024 } }) {
        Context context("length ", length);
        std::string text(length, 'x');
        if (length > 1) {
            text.front() = 'A';
            text.back() = 'Z';
        }
        if (DeviceMode() && length > 102'000) {
            EXPECT_EQ(StartChild("Nothing", Arguments().Text(text)).code, NCP_ERR_SERVICE_ERROR);
            continue;
        }
        auto report = ReportOf("ReportArguments", Arguments().Text(text));
        EXPECT_EQ(report["length"], std::to_string(length));
        EXPECT_EQ(length < 1000 ? report["text"] : report["ends"], length < 1000 ? text : "AZ");
        EXPECT_EQ(report["asked"], "the same");
        EXPECT_EQ(report["thread"], "main");
    }
    EXPECT_EQ(CountInOutput("on a device that gives NCP_ERR_SERVICE_ERROR (IPCKIT_BEHAVIOUR=device"), DeviceMode() ? 0u : 1u);
    // It counts characters, not bytes.
    std::string umlauts;
    for (int count = 0; count < 60'000; count++) {
        umlauts += "\xc3\xa4";
    }
    EXPECT_EQ(ReportOf("ReportArguments", Arguments().Text(umlauts))["length"], "120000");
    EXPECT_EQ(ReportOf("ReportArguments")["length"], "0");
    EXPECT(OH_Ability_GetCurrentChildProcessArgs() == nullptr);
}

TEST(descriptors_are_sorted_by_name, "the list keeps the parent's order, or bytes of a name are changed")
{
    Pipe out;
    std::string twenty = "a name of twenty byt";
    Started child = StartChild("ReportArguments", Arguments().Descriptor("z.fd", 0).Descriptor("\xc3\xa4", 0)
        .Descriptor("out", out.Writing()).Descriptor("", 0).Descriptor(twenty, 0).Descriptor("B", 0));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    std::string text = out.ReadToEnd();
    std::string names;
    for (const char *name : { "", "B", twenty.c_str(), "out", "z.fd", "\xc3\xa4" }) {
        names += std::string("name=") + name + "\n";
    }
    EXPECT(text.find(names) != std::string::npos);
}

TEST(of_a_repeated_name_the_first_counts, "the last descriptor of a name is passed on, or repetitions count as names")
{
    Pipe first;
    Pipe second;
    Pipe in;
    Arguments arguments;
    arguments.Descriptor("in", in.Reading()).Descriptor("out", first.Writing());
    for (int repetition = 0; repetition < 20; repetition++) {
        arguments.Descriptor("out", second.Writing());
    }
    REQUIRE_EQ(StartChild("WriteToAll", std::move(arguments)).code, NCP_NO_ERROR);
    in.CloseWriting();
    EXPECT_EQ(first.ReadToEnd(), "x");
    EXPECT_EQ(second.ReadToEnd(), "");
}

TEST(sixteen_names_arrive_and_a_seventeenth_is_refused, "the number of descriptors is not bounded, or bounded lower")
{
    Pipe in;
    std::vector<std::unique_ptr<Pipe>> pipes;
    Arguments sixteen;
    Arguments seventeen;
    sixteen.Descriptor("in", in.Reading());
    seventeen.Descriptor("in", in.Reading());
    for (int index = 0; index < 15; index++) {
        pipes.push_back(std::make_unique<Pipe>());
        sixteen.Descriptor("name " + std::to_string(index), pipes.back()->Writing());
        seventeen.Descriptor("name " + std::to_string(index), pipes.back()->Writing());
    }
    EXPECT_EQ(StartChild("WriteToAll", std::move(seventeen.Descriptor("one more", 0))).code, NCP_ERR_INVALID_PARAM);
    Started child = StartChild("WriteToAll", std::move(sixteen));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    for (auto &pipe : pipes) {
        char byte = 0;
        EXPECT_EQ(read(pipe->Reading(), &byte, 1), 1);
        EXPECT_EQ(byte, 'x');
    }
    in.CloseWriting();
    // Nobody else has their other ends.
    for (auto &pipe : pipes) {
        EXPECT_EQ(pipe->ReadToEnd(), "");
    }
}

TEST(the_parents_descriptors_stay_as_they_are, "a descriptor is moved to the child, or its flags are changed")
{
    Pipe out;
    int before = CountDescriptors();
    int flags = fcntl(out.Writing(), F_GETFD);
    Started child = StartChild("ReportArguments", Arguments().Descriptor("out", out.Writing()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    EXPECT_EQ(fcntl(out.Writing(), F_GETFD), flags);
    EXPECT_EQ(write(out.Writing(), "p", 1), 1);
    AwaitGone(child.pid);
    EXPECT(out.ReadToEnd().find('p') != std::string::npos);
    // Two descriptors are the starting thread's, one was the pipe's; all that was the child's is closed after its end.
    while (CountDescriptors() > before + 1) {
        usleep(1000);
    }
}

TEST(only_the_child_holds_what_it_was_given, "the parent, the guardian or the launcher keeps a duplicate")
{
    Pipe out;
    Pipe in;
    Started child = StartChild("Wait", Arguments().Descriptor("out", out.Writing()).Descriptor("in", in.Reading()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    out.CloseWriting();
    char line[8];
    EXPECT_EQ(read(out.Reading(), line, sizeof(line)), 8);
    EXPECT(IsThere(child.pid));
    // Closing the last end that can write is seen by the child, though others were open when it was started.
    in.CloseWriting();
    EXPECT_EQ(out.ReadToEnd(), "");
    AwaitGone(child.pid);
}

TEST(descriptors_of_every_kind_arrive, "descriptors other than files and pipes are refused")
{
    int sockets[2];
    REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    OwnedDescriptor one(sockets[0]);
    OwnedDescriptor other(sockets[1]);
    OwnedDescriptor directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    OwnedDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    OwnedDescriptor memory(memfd_create("test", MFD_CLOEXEC));
    OwnedDescriptor event(eventfd(0, EFD_CLOEXEC));
    OwnedDescriptor path(open("/", O_PATH | O_CLOEXEC));
    Pipe in;
    Started child = StartChild("WriteToAll", Arguments().Descriptor("in", in.Reading()).Descriptor("socket", one.Get())
        .Descriptor("directory", directory.Get()).Descriptor("epoll", epoll.Get()).Descriptor("memory", memory.Get())
        .Descriptor("event", event.Get()).Descriptor("path", path.Get()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    char byte = 0;
    EXPECT_EQ(read(other.Get(), &byte, 1), 1);
    in.CloseWriting();
    AwaitGone(child.pid);
    EXPECT_EQ(lseek(memory.Get(), 0, SEEK_END), 1);
}

TEST(arguments_that_are_invalid, "an argument is not checked, or a child is started all the same")
{
    NativeChildProcess_Args none{};
    NativeChildProcess_Options options{};
    Ability_ChildProcessConfigs *configs = OH_Ability_CreateChildProcessConfigs();
    int32_t pid = -5;
    for (const char *entry : { static_cast<const char *>(nullptr), "", "libconformance_child.so" }) {
        EXPECT_EQ(OH_Ability_StartNativeChildProcess(entry, none, options, &pid), NCP_ERR_INVALID_PARAM);
        EXPECT_EQ(OH_Ability_StartNativeChildProcessWithConfigs(entry, none, configs, &pid), NCP_ERR_INVALID_PARAM);
    }
    const char *entry = "libconformance_child.so:Nothing";
    EXPECT_EQ(OH_Ability_StartNativeChildProcess(entry, none, options, nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_StartNativeChildProcessWithConfigs(entry, none, configs, nullptr), NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(OH_Ability_StartNativeChildProcessWithConfigs(entry, none, nullptr, &pid), NCP_ERR_INVALID_PARAM);
    options.isolationMode = static_cast<NativeChildProcess_IsolationMode>(7);
    EXPECT_EQ(OH_Ability_StartNativeChildProcess(entry, none, options, &pid), NCP_ERR_INVALID_PARAM);
    OH_Ability_DestroyChildProcessConfigs(configs);
    EXPECT_EQ(StartChild("Nothing", Arguments().Nameless(0)).code, NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(StartChild("Nothing", Arguments().Descriptor("fine", 0).Nameless(0)).code, NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(StartChild("Nothing", Arguments().Descriptor("a name of 21 bytes...", 0)).code, NCP_ERR_INVALID_PARAM);
    EXPECT_EQ(pid, -5);
    // Each with a line that says what was wrong.
    for (const char *said : { "entry is NULL", "entry is not library:function", "pid is NULL", "configs is NULL",
        "isolationMode 7", "has no fdName", "longer than 20 bytes" }) {
        EXPECT(CountInOutput(said) > 0);
    }
}

TEST(a_list_without_an_end, "a list of descriptors that leads back to itself is followed for ever")
{
    char name[] = "again";
    NativeChildProcess_Fd node{ name, 0, nullptr };
    node.next = &node;
    NativeChildProcess_Args args{ nullptr, { &node } };
    int32_t pid = 0;
    EXPECT_EQ(OH_Ability_StartNativeChildProcess("libconformance_child.so:Nothing", args, NativeChildProcess_Options{}, &pid),
        NCP_ERR_INVALID_PARAM);
    EXPECT(CountInOutput("does it end with NULL?") == 1);
    // Names may be repeated, as long as there is an end.
    std::vector<NativeChildProcess_Fd> nodes(4096, NativeChildProcess_Fd{ name, 0, nullptr });
    for (size_t index = 1; index < nodes.size(); index++) {
        nodes[index - 1].next = &nodes[index];
    }
    args.fdList.head = &nodes[0];
    EXPECT_EQ(OH_Ability_StartNativeChildProcess("libconformance_child.so:Nothing", args, NativeChildProcess_Options{}, &pid),
        NCP_NO_ERROR);
    AwaitGone(pid);
}

TEST(what_cannot_be_passed_on, "a descriptor that is not open or a text that is too long gets another code, or none")
{
    EXPECT_EQ(StartChild("Nothing", Arguments().Text(std::string(150 * 1024 + 1, 'x'))).code, NCP_ERR_SERVICE_ERROR);
    EXPECT(CountInOutput("entryParams has 153601 bytes") == 1);
    int closed = dup(0);
    close(closed);
    for (int fd : { -1, closed, 1 << 30 }) {
        EXPECT_EQ(StartChild("Nothing", Arguments().Descriptor("fine", 0).Descriptor("shut", fd)).code,
            NCP_ERR_SERVICE_ERROR);
    }
    EXPECT_EQ(CountInOutput("of fdName \"shut\" is not open"), 3u);
}

namespace {

// A child that cannot load ends by itself; what it was given ends with it.
void CheckCannotLoad(const std::string &entry, const std::string &said)
{
    Context context(entry);
    Pipe out;
    Started child = StartEntry(entry, Arguments().Descriptor("out", out.Writing()));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    EXPECT(child.pid > 0);
    EXPECT_EQ(out.ReadToEnd(), "");
    AwaitGone(child.pid);
    while (CountInOutput(said) == 0) {
        usleep(1000);
    }
}

} // namespace

TEST(libraries_that_cannot_be_loaded, "Start fails for want of a library, the child stays, or the log does not say why")
{
    TemporaryDirectory directory;
    CheckCannotLoad("libnowhere.so:Main", "places looked at: ");
    CheckCannotLoad("libconformance_child.so:NoSuchFunction", "NoSuchFunction");
    CheckCannotLoad("a:b:c:Main", "native child process a:b:c: ");
    CheckCannotLoad(":Main", "no library is named");
    CheckCannotLoad("libconformance_child.so:", "native child process libconformance_child.so: ");
    CheckCannotLoad(directory.Path() + ":Main", "cannot read file data: Is a directory");
    CheckCannotLoad(directory.File("empty.so") + ":Main", "file too short");
    CheckCannotLoad(std::string(5000, 'x') + ":Main", "native child process xxx");
}

TEST(a_library_for_another_machine, "a file that is no library of this machine is not told as such")
{
    TemporaryDirectory directory;
    std::ifstream own("/proc/self/exe", std::ios::binary);
    std::string header(sizeof(Elf64_Ehdr), '\0');
    own.read(header.data(), static_cast<std::streamsize>(header.size()));
    auto *elf = reinterpret_cast<Elf64_Ehdr *>(header.data());
    elf->e_type = ET_DYN;
    elf->e_machine = EM_S390;
    std::string library = directory.File("libforeign.so", header + std::string(4096, '\0'));
    CheckCannotLoad(library + ":Main", "cannot open shared object file");
    Outcome outcome = CreateChild(library);
    EXPECT_EQ(outcome.code, NCP_ERR_LIB_LOADING_FAILED);
}

TEST(a_library_that_aborts_as_it_is_loaded, "a child that dies while loading is told as loaded, or hangs")
{
    setenv("CHILD_CONSTRUCTOR", "abort", 1);
    CheckCannotLoad("libconformance_child.so:Nothing", "was killed by signal 6 while it loaded its library");
    EXPECT_EQ(CreateChild().code, NCP_ERR_LIB_LOADING_FAILED);
}

TEST(nothing_works_in_a_child, "a child can have children, or is not told that it cannot")
{
    auto check = [](std::map<std::string, std::string> report) {
        for (const char *call : { "create", "create configured", "start", "start configured" }) {
            EXPECT_EQ(report[call], std::to_string(NCP_ERR_ALREADY_IN_CHILD));
        }
        EXPECT_EQ(report["kill"], std::to_string(NCP_ERR_INVALID_PID));
        EXPECT_EQ(report["supported"], "no");
    };
    EXPECT(OH_Ability_IsNativeChildProcessSupported());
    auto report = ReportOf("ReportSurroundings");
    check(report);
    EXPECT_EQ(report["arguments"], "some");
    Outcome outcome = CreateChild();
    REQUIRE_EQ(outcome.code, NCP_NO_ERROR);
    Parcel data;
    Parcel reply;
    REQUIRE_EQ(SendSync(outcome.proxy.get(), 1, data.Get(), reply.Get()), OH_IPC_SUCCESS);
    report = ByKey(reply.Read().Text());
    check(report);
    EXPECT_EQ(report["arguments"], "none");
    Counter("end of all").Add();
}

TEST(a_child_of_start_exits_normally, "the child ends without its exit handlers, and so without a coverage profile")
{
    Pipe out;
    REQUIRE_EQ(StartChild("ExitNormally", Arguments().Descriptor("out", out.Writing())).code, NCP_NO_ERROR);
    EXPECT_EQ(out.ReadToEnd(), "exit handler ran\n");
}
