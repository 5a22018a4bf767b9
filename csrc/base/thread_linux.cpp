// Thread placement by pthread and SCHED_FIFO.
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "base/thread.h"

namespace fastpose {
namespace {

constexpr int most_eager = -20;  // niceness

cpu_set_t set_of(const std::vector<int>& cpus) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus)
        if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<unsigned>(cpu), &set);
    return set;
}

long long read_number(const char* path, long long otherwise) noexcept {
    std::FILE* file = std::fopen(path, "r");
    if (file == nullptr) return otherwise;
    long long value = otherwise;
    if (std::fscanf(file, "%lld", &value) != 1) value = otherwise;
    std::fclose(file);
    return value;
}

}  // namespace

ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept {
    ThreadGrant grant;
    grant.name = request.name;
    grant.id = static_cast<int>(syscall(SYS_gettid));
    pthread_setname_np(pthread_self(), request.name.substr(0, 15).c_str());
    prctl(PR_SET_TIMERSLACK, 1);  // ns; the default of 50 us shows up in every paced wake-up
    if (!request.cpus.empty()) grant.affinity = keep_to(request.cpus);
    if (request.realtime_priority > 0) grant.realtime = take_realtime(request.realtime_priority);
    return grant;
}

bool keep_to(const std::vector<int>& cpus) noexcept {
    const cpu_set_t set = set_of(cpus);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

bool keeps_to(const std::vector<int>& cpus) noexcept {
    const cpu_set_t set = set_of(cpus);
    cpu_set_t now;
    return pthread_getaffinity_np(pthread_self(), sizeof now, &now) == 0 && CPU_EQUAL(&set, &now);
}

bool take_realtime(int priority) noexcept {
    const sched_param parameters{priority};
    // A runtime's worker that is made later would fill its core with the priority of the loop.
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

int realtime_priority_of_this_thread() noexcept {
    sched_param parameters{};
    const int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO && sched_getparam(0, &parameters) == 0 ? parameters.sched_priority : 0;
}

void leave_realtime() noexcept {
    const sched_param parameters{0};
    sched_setscheduler(0, SCHED_OTHER, &parameters);
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), most_eager);
}

void relax_core() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

RealtimeLimits realtime_limits() noexcept {
    return {read_number("/proc/sys/kernel/sched_rt_runtime_us", -1),
            read_number("/proc/sys/kernel/sched_rt_period_us", 0)};
}

}  // namespace fastpose
