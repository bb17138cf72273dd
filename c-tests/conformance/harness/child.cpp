// SPDX-License-Identifier: Apache-2.0
#include "harness/child.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <unistd.h>

namespace conformance {

Arguments &Arguments::Text(const std::string &text)
{
    text_ = texts_.emplace_back(text).data();
    return *this;
}

Arguments &Arguments::Descriptor(const std::string &name, int fd)
{
    return Add(texts_.emplace_back(name).data(), fd);
}

Arguments &Arguments::Nameless(int fd)
{
    return Add(nullptr, fd);
}

Arguments &Arguments::Add(char *name, int fd)
{
    nodes_.push_back({ name, fd, nullptr });
    return *this;
}

NativeChildProcess_Args Arguments::Get()
{
    for (size_t index = 1; index < nodes_.size(); index++) {
        nodes_[index - 1].next = &nodes_[index];
    }
    return { text_, { nodes_.empty() ? nullptr : &nodes_.front() } };
}

Started StartEntry(const std::string &entry, Arguments arguments, NativeChildProcess_IsolationMode mode)
{
    int32_t pid = -1;
    NativeChildProcess_Options options{ mode, 0 };
    int code = OH_Ability_StartNativeChildProcess(entry.c_str(), arguments.Get(), options, &pid);
    return { code, pid };
}

Started StartChild(const std::string &function, Arguments arguments)
{
    return StartEntry(std::string(CHILD_LIBRARY) + ":" + function, std::move(arguments));
}

std::map<std::string, std::string> ByKey(const std::string &lines)
{
    std::map<std::string, std::string> values;
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) {
        size_t equals = line.find('=');
        values[line.substr(0, equals)] = equals == std::string::npos ? "" : line.substr(equals + 1);
    }
    return values;
}

std::map<std::string, std::string> ReportOf(const std::string &function, Arguments arguments)
{
    Pipe out;
    Started child = StartChild(function, std::move(arguments.Descriptor("out", out.Writing())));
    REQUIRE_EQ(child.code, NCP_NO_ERROR);
    return ByKey(out.ReadToEnd());
}

bool IsThere(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

void AwaitGone(pid_t pid)
{
    while (IsThere(pid)) {
        usleep(1000);
    }
}

namespace {

std::mutex g_mutex;
std::promise<std::pair<int, OHIPCRemoteProxy *>> *g_outcome;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    g_outcome->set_value({ code, proxy });
}

} // namespace

Outcome CreateChild(const std::string &library, Ability_ChildProcessConfigs *configs)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    std::promise<std::pair<int, OHIPCRemoteProxy *>> promise;
    g_outcome = &promise;
    int code = configs == nullptr ? OH_Ability_CreateNativeChildProcess(library.c_str(), OnStarted)
                                  : OH_Ability_CreateNativeChildProcessWithConfigs(library.c_str(), configs, OnStarted);
    if (code != NCP_NO_ERROR) {
        return { code, nullptr };
    }
    auto [outcome, proxy] = promise.get_future().get();
    return { outcome, ProxyPtr(proxy) };
}

OwnedDescriptor::~OwnedDescriptor()
{
    close(fd_);
}

TemporaryDirectory::TemporaryDirectory()
{
    path_ = std::filesystem::temp_directory_path() / "ipckit-conformance-XXXXXX";
    REQUIRE(mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::File(const std::string &name, const std::string &content) const
{
    std::string path = path_ + "/" + name;
    std::ofstream(path) << content;
    return path;
}

} // namespace conformance
