// SPDX-License-Identifier: Apache-2.0
// Has child processes share tasks, reads their results from a pipe, and sees them end: by themselves, or killed.
#include "worker_pool.h"

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <AbilityKit/native_child_process.h>

#include "event.h"
#include "owned.h"

namespace {

constexpr int WORKERS = 3;
constexpr uint32_t TASK_COUNT = 40;
constexpr uint32_t NUMBERS_PER_TASK = 2500;

// The children that have ended, and by which signal. The callback may come before the call that started the child has returned.
std::mutex g_mutex;
std::condition_variable g_exited;
std::map<int32_t, int32_t> g_signals;

void OnExit(int32_t pid, int32_t signal)
{
    std::lock_guard<std::mutex> lock(g_mutex);
    g_signals[pid] = signal;
    g_exited.notify_all();
}

int Fail(const char *what, int code)
{
    std::fprintf(stderr, "worker_pool: %s (%d)\n", what, code);
    return 1;
}

struct Pipe {
    Descriptor reading;
    Descriptor writing;
};

// Close-on-exec: a worker gets its own duplicates, and nobody else an end that would keep the pipe open.
bool MakePipe(Pipe &made)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    made.reading = Descriptor(ends[0]);
    made.writing = Descriptor(ends[1]);
    return true;
}

struct Pool {
    Pipe tasks;
    Pipe results;
    std::vector<int32_t> workers;
};

int StartWorkers(Pool &pool)
{
    std::string numbers = std::to_string(NUMBERS_PER_TASK);
    std::string tasksName = TASKS;
    std::string resultsName = RESULTS;
    NativeChildProcess_Fd results = { resultsName.data(), pool.results.writing.Get(), nullptr };
    NativeChildProcess_Fd tasks = { tasksName.data(), pool.tasks.reading.Get(), &results };
    NativeChildProcess_Args args = { numbers.data(), { &tasks } };
    NativeChildProcess_Options options = { NCP_ISOLATION_MODE_NORMAL, 0 };
    for (int worker = 0; worker < WORKERS; worker++) {
        int32_t pid = 0;
        int code = OH_Ability_StartNativeChildProcess(WORKER_ENTRY, args, options, &pid);
        if (code != NCP_NO_ERROR) {
            return code;
        }
        pool.workers.push_back(pid);
    }
    // From here on the workers alone hold these: results end with the last worker.
    pool.tasks.reading.Close();
    pool.results.writing.Close();
    return NCP_NO_ERROR;
}

// All tasks have room in the pipe, so that nobody need read yet.
bool WriteTasks(int tasks)
{
    for (uint32_t index = 0; index < TASK_COUNT; index++) {
        Task task = { index * NUMBERS_PER_TASK };
        if (write(tasks, &task, sizeof(task)) != static_cast<ssize_t>(sizeof(task))) {
            return false;
        }
    }
    return true;
}

// False where there is no more: the workers have ended, or nothing comes.
bool ReadResult(int results, Result &result)
{
    pollfd readable = { results, POLLIN, 0 };
    int ready;
    do {
        ready = poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(PATIENCE).count()));
    } while (ready < 0 && errno == EINTR);
    return ready == 1 && read(results, &result, sizeof(result)) == static_cast<ssize_t>(sizeof(result));
}

// Waits for the workers' ends, and says how many there were of each signal; 0 is none.
bool SeeOff(const char *pool, const std::vector<int32_t> &workers)
{
    std::unique_lock<std::mutex> lock(g_mutex);
    auto allExited = [&] {
        for (int32_t pid : workers) {
            if (g_signals.count(pid) == 0) {
                return false;
            }
        }
        return true;
    };
    if (!g_exited.wait_for(lock, PATIENCE, allExited)) {
        return false;
    }
    std::map<int32_t, int> ends;
    for (int32_t pid : workers) {
        ends[g_signals[pid]]++;
    }
    for (const auto &[signal, count] : ends) {
        std::printf("%s: %d workers ended by signal %d\n", pool, count, signal);
    }
    return true;
}

// Workers that do all tasks and end by themselves.
int Finish()
{
    Pool pool;
    if (!MakePipe(pool.tasks) || !MakePipe(pool.results) || !WriteTasks(pool.tasks.writing.Get())) {
        return Fail("cannot prepare the tasks", errno);
    }
    // There are no more: who finds none left has nothing to wait for.
    pool.tasks.writing.Close();
    int code = StartWorkers(pool);
    if (code != NCP_NO_ERROR) {
        return Fail("cannot start a worker", code);
    }
    uint32_t done = 0;
    uint32_t primes = 0;
    for (Result result; ReadResult(pool.results.reading.Get(), result);) {
        done += result.first == READY ? 0 : 1;
        primes += result.primes;
    }
    // A worker that crashed has taken its task with it.
    if (done != TASK_COUNT) {
        return Fail("results are missing", static_cast<int>(TASK_COUNT - done));
    }
    std::printf("primes below %u: %u\n", TASK_COUNT * NUMBERS_PER_TASK, primes);
    return SeeOff("finished", pool.workers) ? 0 : Fail("a worker does not end", 0);
}

// Workers that wait for tasks when nobody needs them any more.
int Cancel()
{
    Pool pool;
    if (!MakePipe(pool.tasks) || !MakePipe(pool.results)) {
        return Fail("cannot make a pipe", errno);
    }
    int code = StartWorkers(pool);
    if (code != NCP_NO_ERROR) {
        return Fail("cannot start a worker", code);
    }
    for (size_t ready = 0; ready < pool.workers.size(); ready++) {
        Result result;
        if (!ReadResult(pool.results.reading.Get(), result)) {
            return Fail("a worker does not get ready", 0);
        }
    }
    for (int32_t pid : pool.workers) {
        code = OH_Ability_KillChildProcess(pid);
        if (code != NCP_NO_ERROR) {
            return Fail("cannot kill a worker", code);
        }
    }
    return SeeOff("cancelled", pool.workers) ? 0 : Fail("a worker does not end", 0);
}

} // namespace

int main()
{
    int code = OH_Ability_RegisterNativeChildProcessExitCallback(OnExit);
    if (code != NCP_NO_ERROR) {
        return Fail("cannot ask for the ends of workers", code);
    }
    int status = Finish();
    if (status == 0) {
        status = Cancel();
    }
    OH_Ability_UnregisterNativeChildProcessExitCallback(OnExit);
    return status;
}
