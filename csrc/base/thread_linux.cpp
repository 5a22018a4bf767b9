// Thread placement by pthread and SCHED_FIFO.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/thread.h"

namespace fastpose {
namespace {

bool pin(int cpu) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

bool make_realtime(int priority) noexcept {
    const sched_param parameters{priority};
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

}  // namespace

ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept {
    ThreadGrant grant;
    grant.name = request.name;
    pthread_setname_np(pthread_self(), request.name.substr(0, 15).c_str());
    prctl(PR_SET_TIMERSLACK, 1);  // ns; the default of 50 us shows up in every paced wake-up
    if (request.cpu >= 0) grant.affinity = pin(request.cpu);
    if (request.realtime_priority > 0) grant.realtime = make_realtime(request.realtime_priority);
    return grant;
}

bool lock_memory() noexcept { return mlockall(MCL_CURRENT) == 0; }

}  // namespace fastpose
