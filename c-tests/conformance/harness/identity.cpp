// SPDX-License-Identifier: Apache-2.0
#include "harness/identity.h"

#include <map>
#include <mutex>
#include <regex>
#include <unistd.h>

#include "harness/board.h"
#include "harness/expect.h"
#include "harness/stub.h"

namespace conformance {
namespace {

uint64_t TokenOrUid(uint64_t token)
{
    return token != 0 ? token : geteuid();
}

// Never destroyed: handlers may run until the process is gone.
struct KeptReports {
    std::mutex mutex;
    std::map<std::string, Report> reports;
};

KeptReports &AllKeptReports()
{
    static auto *kept = new KeptReports;
    return *kept;
}

// The counter that says that a report is there.
std::string Reported(const std::string &name)
{
    return "reported " + name;
}

// A thread's name has 15 bytes, which may cut its end off.
constexpr size_t LONGEST_NAME = 15;

} // namespace

bool operator==(const Identity &a, const Identity &b)
{
    return a.callingPid == b.callingPid && a.callingUid == b.callingUid && a.callingToken == b.callingToken &&
        a.firstToken == b.firstToken && a.selfToken == b.selfToken && a.local == b.local && a.handling == b.handling;
}

std::ostream &operator<<(std::ostream &stream, const Identity &identity)
{
    return stream << "pid " << identity.callingPid << " uid " << identity.callingUid << " token " <<
        identity.callingToken << " first " << identity.firstToken << " self " << identity.selfToken << " local " <<
        identity.local << " handling " << identity.handling;
}

Identity CurrentIdentity()
{
    return { OH_IPCSkeleton_GetCallingPid(), OH_IPCSkeleton_GetCallingUid(), OH_IPCSkeleton_GetCallingTokenId(),
        OH_IPCSkeleton_GetFirstTokenId(), OH_IPCSkeleton_GetSelfTokenId(), OH_IPCSkeleton_IsLocalCalling(),
        OH_IPCSkeleton_IsHandlingTransaction() };
}

Identity OwnIdentity(uint64_t token)
{
    uint64_t shown = TokenOrUid(token);
    return { static_cast<uint64_t>(getpid()), geteuid(), shown, shown, shown, 1, 0 };
}

Identity CallersIdentity(pid_t caller, uint64_t callersToken, uint64_t selfToken)
{
    return { static_cast<uint64_t>(caller), geteuid(), TokenOrUid(callersToken), 0, TokenOrUid(selfToken), 1, 1 };
}

Report CurrentReport()
{
    return { CurrentIdentity(), getpid(), geteuid(), CurrentThread(), CurrentThreadName() };
}

void WriteReport(OHIPCParcel *parcel, const Report &report)
{
    for (uint64_t number : { report.identity.callingPid, report.identity.callingUid, report.identity.callingToken,
             report.identity.firstToken, report.identity.selfToken }) {
        WriteLong(parcel, static_cast<int64_t>(number));
    }
    WriteInt(parcel, report.identity.local);
    WriteInt(parcel, report.identity.handling);
    WriteInt(parcel, report.pid);
    WriteInt(parcel, static_cast<int32_t>(report.uid));
    WriteLong(parcel, report.thread);
    WriteText(parcel, report.threadName);
}

Report ReadReport(const Reader &reader)
{
    Report report;
    for (uint64_t *number : { &report.identity.callingPid, &report.identity.callingUid, &report.identity.callingToken,
             &report.identity.firstToken, &report.identity.selfToken }) {
        *number = static_cast<uint64_t>(reader.Long());
    }
    report.identity.local = reader.Int();
    report.identity.handling = reader.Int();
    report.pid = reader.Int();
    report.uid = static_cast<uid_t>(reader.Int());
    report.thread = reader.Long();
    report.threadName = reader.Text();
    return report;
}

void KeepReport(const std::string &name)
{
    {
        std::lock_guard<std::mutex> lock(AllKeptReports().mutex);
        EXPECT(AllKeptReports().reports.emplace(name, CurrentReport()).second);
    }
    Counter(Reported(name)).Add();
}

Report AwaitKeptReport(const std::string &name)
{
    Counter(Reported(name)).AwaitAtLeast(1);
    std::lock_guard<std::mutex> lock(AllKeptReports().mutex);
    auto found = AllKeptReports().reports.find(name);
    return EXPECT(found != AllKeptReports().reports.end()) ? found->second : Report();
}

bool IsPoolThread(const Report &report)
{
    // Made once: to make one is a data race within some standard libraries. Never destroyed: handlers run while the process ends.
    static const std::regex &name = *new std::regex("OS_IPC_([0-9]+)_([0-9]+)");
    std::smatch match;
    if (!std::regex_match(report.threadName, match, name)) {
        return false;
    }
    std::string whole = "OS_IPC_" + match[1].str() + "_" + std::to_string(report.thread);
    return report.threadName == whole.substr(0, LONGEST_NAME);
}

} // namespace conformance
