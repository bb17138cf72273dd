// SPDX-License-Identifier: Apache-2.0
#include "harness/crowd.h"

#include <algorithm>
#include <dirent.h>
#include <fstream>
#include <mutex>

#include "harness/board.h"
#include "harness/expect.h"
#include "harness/stub.h"

using namespace conformance;

namespace {

template <typename Function>
int CountThreadsWhere(pid_t pid, Function isMeant)
{
    std::string path = "/proc/" + std::to_string(pid) + "/task/";
    DIR *directory = opendir(path.c_str());
    if (!EXPECT(directory != nullptr)) {
        return -1;
    }
    int count = 0;
    while (const dirent *entry = readdir(directory)) {
        std::string name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        std::string comm;
        std::getline(std::ifstream(path + name + "/comm"), comm);
        count += isMeant(comm) ? 1 : 0;
    }
    closedir(directory);
    return count;
}

} // namespace

// number → result
BEHAVIOUR(set_max_threads)
{
    WriteInt(request.reply, OH_IPCSkeleton_SetMaxWorkThreadNum(request.data.Int()));
    return OH_IPC_SUCCESS;
}

// crowd's name, how many handlers may run at once → as "identity"; leaves when the gate has counted the handlers that
// came until now
BEHAVIOUR(stand_in_crowd)
{
    std::string name = request.data.Text();
    int32_t atOnce = request.data.Int();
    uint32_t place = Counter("in " + name).Add();
    Counter out("out " + name);
    // Others may have come and gone before the second number is read.
    EXPECT(static_cast<int32_t>(place - out.Value()) <= atOnce);
    WriteReport(request.reply, CurrentReport());
    Counter("gate " + name).AwaitAtLeast(place);
    out.Add();
    return OH_IPC_SUCCESS;
}

namespace conformance {

std::vector<Report> ExpectAtOnce(
    const OHIPCRemoteProxy *stub, const std::string &name, uint32_t atOnce, uint32_t requests)
{
    Context context("crowd ", name);
    std::mutex mutex;
    std::vector<Report> reports;
    Threads callers;
    for (uint32_t index = 0; index < requests; index++) {
        callers.Start([&] {
            Answer answer = Ask(stub, "stand_in_crowd", Parcel().Text(name).Int(static_cast<int32_t>(atOnce)));
            std::lock_guard<std::mutex> lock(mutex);
            if (EXPECT_EQ(answer.result, OH_IPC_SUCCESS)) {
                reports.push_back(ReadReport(answer.Read()));
            }
        });
    }
    // Each step lets one handler go and one come, so a worker too many has all the steps to be seen.
    for (uint32_t step = 0; step < requests; step++) {
        Counter("in " + name).AwaitAtLeast(std::min(atOnce + step, requests));
        Counter("gate " + name).Add();
    }
    callers.Join();
    EXPECT_EQ(reports.size(), requests);
    return reports;
}

int SetMaxThreads(const Actor &actor, int32_t number)
{
    Answer answer = actor.Ask("set_max_threads", Parcel().Int(number));
    EXPECT_EQ(answer.result, OH_IPC_SUCCESS);
    return answer.Read().Int();
}

void Occupy(Threads &threads, const Actor &actor, const std::string &gate)
{
    Counter occupied("occupied");
    uint32_t before = occupied.Value();
    threads.Start([&actor, gate] {
        EXPECT_EQ(actor.Ask("block", Parcel().Text("occupied").Text(gate).Int(1)).result, OH_IPC_SUCCESS);
    });
    occupied.AwaitAtLeast(before + 1);
}

int CountPoolThreads(pid_t pid)
{
    return CountThreadsWhere(pid, [](const std::string &name) { return name.rfind("OS_IPC_", 0) == 0; });
}

int CountThreads(pid_t pid)
{
    return CountThreadsWhere(pid, [](const std::string &) { return true; });
}

} // namespace conformance
