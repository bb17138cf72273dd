// SPDX-License-Identifier: Apache-2.0
#include "harness/actor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include <AbilityKit/native_child_process.h>

#include "harness/board.h"
#include "harness/expect.h"
#include "harness/process_end.h"
#include "harness/stub.h"

namespace conformance {
namespace {

struct Start {
    int code;
    OHIPCRemoteProxy *proxy;
};

// The start callback has no user data, so children are started one after another.
std::mutex g_startMutex;
std::promise<Start> *g_start;

void OnStarted(int code, OHIPCRemoteProxy *proxy)
{
    g_start->set_value({ code, proxy });
}

std::vector<std::unique_ptr<Actor>> &Actors()
{
    static auto *actors = new std::vector<std::unique_ptr<Actor>>;
    return *actors;
}

} // namespace

Actor::Actor()
{
    std::lock_guard<std::mutex> lock(g_startMutex);
    std::promise<Start> promise;
    g_start = &promise;
    REQUIRE_EQ(OH_Ability_CreateNativeChildProcess("libconformance_actor.so", OnStarted), NCP_NO_ERROR);
    Start start = promise.get_future().get();
    proxy_.reset(start.proxy);
    REQUIRE_EQ(start.code, NCP_NO_ERROR);
    REQUIRE(proxy_ != nullptr);
    Answer answer = Ask("pid");
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    pid_ = answer.Read().Int();
    process_ = OpenProcess(pid_);
    REQUIRE(process_ >= 0);
    end_ = EndOfActor(pid_);
}

Actor::~Actor()
{
    if (process_ >= 0) {
        close(process_);
    }
}

Answer Actor::Ask(std::string_view behaviour, const Parcel &data) const
{
    return conformance::Ask(Proxy(), behaviour, data);
}

int Actor::Tell(std::string_view behaviour, const Parcel &data) const
{
    return conformance::Tell(Proxy(), behaviour, data);
}

ProxyPtr Actor::CreateStub(const std::string &name) const
{
    Answer answer = Ask("create_stub", Parcel().Text(name));
    REQUIRE_EQ(answer.result, OH_IPC_SUCCESS);
    ProxyPtr proxy = answer.Read().Proxy();
    REQUIRE(proxy != nullptr);
    return proxy;
}

void Actor::Introduce(const std::string &name, const OHIPCRemoteProxy *proxy) const
{
    REQUIRE_EQ(Ask("keep_proxy", Parcel().Text(name).Proxy(proxy)).result, OH_IPC_SUCCESS);
}

void Actor::Introduce(const std::string &name, const OHIPCRemoteStub *stub) const
{
    REQUIRE_EQ(Ask("keep_proxy", Parcel().Text(name).Stub(stub)).result, OH_IPC_SUCCESS);
}

void Actor::TellToEnd() const
{
    Counter(end_).Add();
}

void Actor::End()
{
    TellToEnd();
    AwaitEnd();
}

void Actor::Kill() const
{
    if (syscall(SYS_pidfd_send_signal, process_, SIGKILL, nullptr, 0) != 0 && !HasEndedInDirectory(process_)) {
        kill(pid_, SIGKILL);
    }
}

void Actor::Stop() const
{
    EXPECT_EQ(kill(pid_, SIGSTOP), 0);
    std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
    int running = 1;
    for (int look = 0; look < 20000 && running > 0; look++) {
        usleep(1000);
        running = 0;
        DIR *directory = opendir(tasks.c_str());
        REQUIRE(directory != nullptr);
        while (dirent *task = readdir(directory)) {
            std::ifstream stat(tasks + "/" + task->d_name + "/stat");
            std::string line;
            std::getline(stat, line);
            size_t name = line.rfind(')');
            running += name != std::string::npos && line.compare(name, 3, ") T") != 0 ? 1 : 0;
        }
        closedir(directory);
    }
    EXPECT_EQ(running, 0);
}

void Actor::Continue() const
{
    EXPECT_EQ(kill(pid_, SIGCONT), 0);
}

void Actor::AwaitEnd()
{
    EXPECT(AwaitProcess(process_));
}

Actor &StartActor()
{
    Actors().push_back(std::make_unique<Actor>());
    return *Actors().back();
}

Actor &StartActorWithMaxThreads(int32_t number)
{
    setenv(MAX_THREADS_VARIABLE, std::to_string(number).c_str(), 1);
    Actor &actor = StartActor();
    unsetenv(MAX_THREADS_VARIABLE);
    return actor;
}

void Forget(Actor &actor)
{
    actor.End();
    auto &actors = Actors();
    actors.erase(std::remove_if(actors.begin(), actors.end(), [&](const auto &each) { return each.get() == &actor; }),
        actors.end());
}

void EndAllActors()
{
    for (const auto &actor : Actors()) {
        actor->TellToEnd();
    }
    for (const auto &actor : Actors()) {
        actor->AwaitEnd();
    }
    Actors().clear();
}

std::string EndOfActor(pid_t pid)
{
    constexpr int BETWEEN_NAME_AND_START = 19;
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string start;
    for (int field = 0; field <= BETWEEN_NAME_AND_START; field++) {
        fields >> start;
    }
    return "end of actor " + std::to_string(pid) + " of " + start;
}

} // namespace conformance
